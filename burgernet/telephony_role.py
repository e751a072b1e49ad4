"""The telephony role: one controller of one Asterisk node, with everything its conversations need."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from actions.live import OpenActions
from actions.withdrawals import Withdrawals
from actions.wordings import Wordings
from burgernet import node
from burgernet.base import START_BOUND_S, Base, Say
from burgernet.lost_calls import end_lost_calls
from burgernet.roster import Roster
from burgernet.seen import by_telephony
from burgernet.voice_ways import by_twilio, voice_alerts
from ivr_flows.catalogue import catalogue
from ivr_flows.duty import sign_off, sign_on
from ivr_flows.free_number import free_number
from ivr_flows.switchboard import Patience, Switchboard
from ivr_flows.voice_alert import voice_alert_taken_over
from telephony.ami import Ami, Watcher
from telephony.ari import Ari
from telephony.contacts import Contacts
from telephony.controller import Controller, Flow
from telephony.lease import Lease
from telephony.outbound import OutboundGuard
from telephony.speech import Speech, espeak
from telephony.waiting_line import WaitingLine

log = logging.getLogger(__name__)


async def telephony_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Serves calls until cancelled; sets `ready` when they are taken. Raises LeaseLost, ari.Replaced, NoVoice."""
    settings = base.settings
    lease = Lease(base.redis, settings.app)
    await lease.take(START_BOUND_S, say)
    try:
        await _serve(base, lease, say, ready)
    finally:
        await asyncio.shield(lease.give_back())


async def _serve(base: Base, lease: Lease, say: Say, ready: asyncio.Event) -> None:
    settings = base.settings
    speech = speech_of(base)
    await speech.build(log.info)
    roster = Roster(base.desk, base.redis)
    line = WaitingLine(base.redis, settings.app, roster.on_duty)
    contacts = Contacts(roster.phone_changed)
    watchers: list[Watcher] = [contacts, base.quality, base.refusals]
    ami = Ami(settings.ami_url, settings.ami_user, settings.ami_password.get_secret_value(), watchers)
    roster.watch(contacts, line)
    actions = OpenActions(base.desk, base.redis)
    await actions.refresh()
    ari = Ari(settings.ari_url, settings.app, settings.ari_user, settings.ari_password.get_secret_value())
    board = await switchboard(base, line, actions)
    controller = controller_of(base, ari, speech, board)
    line.leads = controller.leads
    look = by_telephony(base, ari, contacts, lambda: roster.by_the_books)
    async with base.looking(look), asyncio.TaskGroup() as group:
        for work in (lease.keep, actions.run, base.book.run, controller.run):
            group.create_task(work(), name=work.__qualname__)
        await _come(controller.reconciled, f"Asterisk at {settings.ari_url}; start it, or set BURGERNET_ARI_URL", say)
        # Only now the talks that go on are known: before, their operators would have looked free.
        for work in (line.run, ami.run, roster.run):
            group.create_task(work(), name=work.__qualname__)
        await _come(line.connected, "the waiting line in Redis", say)
        group.create_task(end_lost_calls(base, controller), name="lost calls")
        if settings.trunk_contact or by_twilio(base):
            group.create_task(voice_alerts(base, controller, board), name="voice alerts")
        else:
            say("No voice alerts are placed: BURGERNET_TRUNK_CONTACT and BURGERNET_TWILIO_CALLER_ID are empty")
        ready.set()


def speech_of(base: Base) -> Speech:
    """The prompts of this deployment. Raises NoAsterisk when their folder is not known."""
    folder, seen_as = node.sounds(base.settings)
    return Speech(catalogue(), folder, seen_as, espeak)


async def switchboard(base: Base, line: WaitingLine, actions: OpenActions) -> Switchboard:
    """What the conversations have at hand. Raises what the database raises."""
    return Switchboard(
        book=base.book,
        desk=base.desk,
        withdrawals=Withdrawals(base.store),
        wordings=Wordings(base.store),
        actions=actions,
        rooms=await base.desk.rooms(),
        area_codes=await base.desk.area_codes(),
        operator_languages={duty.operator_id: duty.language for duty in await base.desk.operators()},
        line=line,
        postcodes=await base.desk.postcodes(),
        grace=timedelta(minutes=base.settings.grace_minutes),
        quality=base.quality,
        national_room=base.settings.fallback_room,
        free_number=base.settings.free_number_read,
        patience=Patience(in_one_room=base.settings.room_patience_s),
    )


def flows(base: Base, board: Switchboard) -> Mapping[str, Flow]:
    """The conversations, by the name under which the dialplan asks for them."""
    return {
        "free-number": partial(free_number, board=board, often=base.often),
        "placed": partial(voice_alert_taken_over, board=board),
        "sign-on": partial(sign_on, board=board),
        "sign-off": partial(sign_off, board=board),
    }


def controller_of(base: Base, ari: Ari, speech: Speech, board: Switchboard) -> Controller:
    settings = base.settings
    guard = OutboundGuard(
        tuple(settings.allowed_prefixes), tuple(settings.refused_prefixes), settings.outbound_channels
    )

    async def left_recording(call_id: str, wav: bytes) -> None:
        # The action is not known any more here; the call row with the same id holds it.
        await base.book.keep_tip(call_id, None, None, wav, 0.0)

    return Controller(ari, speech.media, flows(base, board), guard, settings.max_call_s, left_recording)


async def _come(event: asyncio.Event, what: str, say: Say) -> None:
    while not event.is_set():
        try:
            async with asyncio.timeout(5):
                await event.wait()
        except TimeoutError:
            say(f"waiting for {what}")
