"""What serves one controller's name: its connection with Asterisk, its calls, its callers in line, their rows' ends.

A process serves its own name, and for a while the names of controllers that died beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from actions.live import OpenActions
from actions.matching import Postcodes
from actions.numbers import allowed, read_number
from actions.rooms import Rooms
from actions.short_numbers import ShortNumbers
from actions.withdrawals import Withdrawals
from actions.wordings import Wordings
from burgernet import node
from burgernet.base import Base, Say
from burgernet.lost_calls import end_lost_calls
from burgernet.roster import Roster
from burgernet.settings import Settings
from ivr_flows.call_back import call_back_taken_over
from ivr_flows.duty import pause, ready, sign_off, sign_on
from ivr_flows.free_number import free_number
from ivr_flows.switchboard import Patience, Switchboard, TalkRules
from ivr_flows.voice_alert import voice_alert_taken_over
from telephony.ari import Ari
from telephony.calls import Call
from telephony.controller import Controller, Flow
from telephony.lease import Lease
from telephony.outbound import OutboundGuard
from telephony.speech import Speech
from telephony.waiting_line import WaitingLine


@dataclass(frozen=True)
class Shared:
    """What all names that a process serves have in common: read once, for a name must be taken over also while the
    database is away."""

    speech: Speech
    roster: Roster
    actions: OpenActions
    area_codes: Mapping[str, Sequence[str]]
    postcodes: Sequence[Postcodes]


@dataclass(frozen=True)
class ServedName:
    lease: Lease
    line: WaitingLine
    board: Switchboard
    controller: Controller

    async def run(self, base: Base, say: Say, ready: asyncio.Event) -> None:
        """Serves calls until cancelled, under a lease that was taken; sets `ready` when they are taken. Raises
        LeaseLost, ari.Replaced."""
        async with asyncio.TaskGroup() as group:
            for work in (self.lease.keep, self.controller.run):
                group.create_task(work(), name=work.__qualname__)
            asterisk = f"Asterisk at {base.settings.ari_url}; start it, or set BURGERNET_ARI_URL"
            await come(self.controller.reconciled, asterisk, say)
            # Only now the talks that go on are known: before, their operators would have looked free.
            group.create_task(self.line.run(), name="waiting line")
            await come(self.line.connected, "the waiting line in Redis", say)
            group.create_task(end_lost_calls(base, self.controller), name="lost calls")
            ready.set()


def served_name(base: Base, shared: Shared, lease: Lease) -> ServedName:
    """Everything ready to run under this lease's name."""
    settings = base.settings
    line = WaitingLine(base.redis, lease.app, shared.roster.on_duty, settings.node)
    board = switchboard(base, line, shared)
    ari = Ari(settings.ari_url, lease.app, settings.ari_user, settings.ari_password.get_secret_value())
    controller = controller_of(base, ari, shared.speech, board)
    line.leads = controller.leads
    return ServedName(lease, line, board, controller)


def switchboard(base: Base, line: WaitingLine, shared: Shared) -> Switchboard:
    """What the conversations have at hand."""
    return Switchboard(
        book=base.book,
        desk=base.desk,
        short_numbers=ShortNumbers(base.store),
        withdrawals=Withdrawals(base.store),
        wordings=Wordings(base.store),
        actions=shared.actions,
        rooms=shared.roster.rooms,
        area_codes=shared.area_codes,
        operator_languages=shared.roster.languages,
        line=line,
        duties=Rooms(base.store),
        look_at=shared.roster.look_at,
        call_backs=base.call_backs,
        may_call=partial(_may_call, base.settings),
        link_texts=base.link_texts,
        postcodes=shared.postcodes,
        grace=timedelta(minutes=base.settings.grace_minutes),
        quality=base.quality,
        national_room=base.settings.fallback_room,
        free_number=base.settings.free_number_read,
        patience=Patience(in_one_room=base.settings.room_patience_s),
        talks=talk_rules(base.settings),
    )


def talk_rules(settings: Settings) -> TalkRules:
    return TalkRules(
        recorded_kinds=frozenset(settings.recorded_kinds),
        patrols=settings.patrols,
        trunks=node.ways_out(settings),
        exercise_trunks=node.exercise_ways(settings),
        caller_id=read_number(settings.free_number).e164 or settings.free_number,
    )


def flows(base: Base, board: Switchboard) -> Mapping[str, Flow]:
    """The conversations, by the name under which the dialplan asks for them."""
    return {
        "free-number": partial(free_number, board=board, often=base.often),
        "placed": partial(_placed_taken_over, board=board),
        "sign-on": partial(sign_on, board=board),
        "sign-off": partial(sign_off, board=board),
        "ready": partial(ready, board=board),
        "pause": partial(pause, board=board),
    }


async def _placed_taken_over(call: Call, board: Switchboard) -> None:
    await (call_back_taken_over if "callback" in call.facts else voice_alert_taken_over)(call, board)


def _may_call(settings: Settings, e164: str) -> bool:
    return allowed(e164, settings.allowed_prefixes, settings.refused_prefixes)


def controller_of(base: Base, ari: Ari, speech: Speech, board: Switchboard) -> Controller:
    settings = base.settings
    guard = OutboundGuard(
        tuple(settings.allowed_prefixes), tuple(settings.refused_prefixes), settings.outbound_channels
    )

    async def left_recording(what: str, call_id: str, wav: bytes) -> None:
        # The action is not known any more here; the call row with the same id holds it.
        if what == "tip":
            await base.book.keep_tip(call_id, None, None, wav, 0.0)
        else:
            await base.book.keep_sound(call_id, what, wav, 0.0)

    return Controller(ari, speech.media, flows(base, board), guard, settings.max_call_s, left_recording)


async def come(event: asyncio.Event, what: str, say: Say) -> None:
    """Returns when it is set; says every 5 s what is waited for."""
    while not event.is_set():
        try:
            async with asyncio.timeout(5):
                await event.wait()
        except TimeoutError:
            say(f"waiting for {what}")
