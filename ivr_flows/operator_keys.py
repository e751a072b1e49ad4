"""What an operator can do during a talk, with the keys of a plain telephone: star, and a digit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from actions.matching import Match
from actions.numbers import read_number
from actions.short_numbers import Colleague
from actions.store import Away
from ivr_flows.link_key import link
from ivr_flows.switchboard import Switchboard
from ivr_flows.whisper import whisper
from telephony.ari import AriAway
from telephony.calls import Call, NotReached
from telephony.legs import Leg
from telephony.outbound import MayNotCall, Outgoing
from telephony.speech import Prompt
from telephony.talks import HostLeft, NotRecorded, Talk
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)

LONGEST_NUMBER = 15
RECORDED = "recorded"
NOTE_S, NOTE_SILENCE_S = 120.0, 10.0


class HandedToRoom(Exception):
    """The operator gave the caller to the line of another room; the checkpoint names it (`handed_to`)."""


@dataclass
class Led:
    """A talk with what is around it. `match` is None when its action ended before a takeover."""

    call: Call
    board: Switchboard
    match: Match | None
    talk: Talk

    @property
    def operator(self) -> str:
        return self.call.facts["operator"]

    @property
    def exercise(self) -> bool:
        return "exercise" in self.call.facts

    @property
    def colleague(self) -> str:
        """The operator who was asked in; "" for nobody, or for somebody outside."""
        return self.call.facts.get("colleague", "")

    @property
    def language(self) -> str:
        return self.board.operator_language(self.operator)

    def next_sound(self, kind: str) -> str:
        """The name of one more recording of this call."""
        count = int(self.call.facts.get("sounds", "0")) + 1
        self.call.facts["sounds"] = str(count)
        return self.call.controller.recording_of(self.call.id, f"{kind}{count}")


async def tell(led: Led, *prompts: Prompt) -> None:
    """Says something to the operator alone; a key cuts it short."""
    await led.talk.tell(*prompts, language=led.language)


async def release(led: Led, operator: str, *, talked: bool = True) -> None:
    """The call is done with an operator; never fails."""
    try:
        await led.board.line.release(operator, led.call.id, talked=talked)
    except LineAway as fault:
        log.warning("call %s: operator %s is freed when Redis is back (%s)", led.call.id, operator, fault)


async def help_out(led: Led) -> None:
    await tell(led, "talk-keys")


async def hold(led: Led) -> None:
    """The caller hears music; again: is back."""
    if led.talk.held:
        await led.talk.take_back()
    else:
        await led.talk.hold("on-hold")
        await tell(led, "caller-on-hold")


async def colleague(led: Led) -> None:
    """Asks a colleague in; again: sends out whoever is in."""
    if led.talk.third:
        return await third_out(led)
    found = await _asked_for(led, "which-colleague")
    if not isinstance(found, Colleague):
        return await tell(led, "number-unknown")
    if leg := await _rung(led, found.operator_id):
        await _bring_in(led, leg, found.operator_id)
    return None


async def patrol(led: Led) -> None:
    """Asks somebody outside in: a speed dial of the room, or a number in the ranges that may be called; again: out."""
    if led.talk.third:
        return await third_out(led)
    keyed = await led.talk.ask("which-patrol", LONGEST_NUMBER, led.board.patience.key, led.language)
    rules, trunks = led.board.talks, led.board.talks.ways(exercise=led.exercise)
    number = rules.patrols.get(led.call.facts["room"], {}).get(keyed) or read_number(keyed).e164
    if not number or not trunks:
        return await tell(led, "number-unknown")
    outgoing = Outgoing(number, trunks, rules.caller_id, led.board.patience.operator_rings, led.call.id)
    try:
        leg = await led.talk.ring_outside(outgoing, _context(led, "nl"), "nl")
    except MayNotCall as refused:
        log.info("call %s: patrol not called: %s", led.call.id, refused)
        return await tell(led, "number-unknown")
    except NotReached:
        return await tell(led, "not-reached")
    await led.talk.bring_in(leg, colleague="")
    return None


async def hand_over(led: Led) -> None:
    """Gives the caller to another operator, or to the line of another room."""
    found = await _asked_for(led, "hand-over-to")
    if isinstance(found, str):
        return await _to_room(led, found)
    if found is None:
        return await tell(led, "number-unknown")
    if led.talk.third:
        await third_out(led)
    if leg := await _rung(led, found.operator_id):
        await _bring_in(led, leg, found.operator_id)
        await colleague_leads(led)
    return None


async def colleague_leads(led: Led) -> None:
    """The colleague in the talk goes on with the caller; the operator is free."""
    former = led.operator
    try:
        await led.talk.hand_to_third(operator=led.colleague, colleague="")
    finally:
        await release(led, former)
    await led.board.book.connected(led.call.id, led.call.facts["room"], led.operator)
    if led.talk.held:
        await led.talk.take_back()


async def third_out(led: Led) -> None:
    """Whoever was asked in is hung up, and a colleague free again."""
    gone = led.colleague
    try:
        await led.talk.send_out(colleague="")
    finally:
        if gone:
            await release(led, gone)
    await tell(led, "third-left")


async def record(led: Led) -> None:
    """Records the talk, where the law allows it for this kind of action, after saying so; again: stops."""
    if led.talk.recording:
        await keep_recording(led)
        return await tell(led, "recording-off")
    if not _may_record(led):
        return await tell(led, "recording-refused")
    await led.call.play("recorded")
    try:
        await led.talk.record(led.next_sound("talk"))
    except NotRecorded:
        await keep_recording(led)
        return await tell(led, "recording-failed")
    return await tell(led, "recording-on")


async def keep_recording(led: Led) -> None:
    """Stops the recording and keeps it, sealed; nothing when none goes on."""
    if name := led.talk.recording:
        sound = await led.talk.stop_recording()
        if sound.wav:
            await led.board.book.keep_sound(led.call.id, _what(led, name), sound.wav, sound.seconds)


async def note(led: Led) -> None:
    """The operator speaks a note, out of everybody's hearing; the caller is on hold meanwhile."""
    held = led.talk.held
    if not held:
        await led.talk.hold("on-hold")
    await tell(led, "speak-note")
    name = led.next_sound("note")
    said = await led.talk.dictation(name, NOTE_S, NOTE_SILENCE_S)
    if said.seconds >= 1:
        await keep_note(led, name, said.wav, said.seconds)
    await tell(led, "note-kept" if said.seconds >= 1 else "note-empty")
    if not held:
        await led.talk.take_back()


async def keep_note(led: Led, name: str, wav: bytes, seconds: float) -> None:
    about = led.match.action.id if led.match else None
    by = (led.operator, about, led.call.facts["room"])
    await led.board.book.keep_sound(led.call.id, _what(led, name), wav, seconds, by)


async def leave(led: Led) -> None:
    """As hanging up: a colleague in the talk goes on with the caller, else the call ends."""
    raise HostLeft


KEYS: Mapping[str, Callable[[Led], Awaitable[None]]] = {
    "0": help_out,
    "1": hold,
    "2": colleague,
    "3": hand_over,
    "4": patrol,
    "5": record,
    "6": note,
    "7": link,
    "9": leave,
}


async def _to_room(led: Led, room: str) -> None:
    try:
        staffed = await led.board.line.staffed(room)
    except LineAway:
        staffed = False
    if led.match is None or not staffed:
        return await tell(led, "room-empty")
    await led.call.note("connecting", handed_to=room, handed_by=led.operator)
    raise HandedToRoom


async def _asked_for(led: Led, prompt: Prompt) -> Colleague | str | None:
    """The operator or room whose short number the operator keys."""
    keyed = await led.talk.ask(prompt, LONGEST_NUMBER, led.board.patience.key, led.language)
    try:
        async with asyncio.timeout(led.board.patience.match):
            return await led.board.short_numbers.whose(keyed) if keyed else None
    except Away as fault:
        log.warning("call %s: short numbers cannot be looked up: %s", led.call.id, type(fault).__name__)
        return None


async def _rung(led: Led, operator: str) -> Leg | None:
    """Claims an operator, so that nobody else rings there, and rings; None when that fails, after saying so."""
    try:
        endpoint = await led.board.line.reached_at(operator)
        claimed = operator != led.operator and await led.board.line.hold(operator, led.call.id)
    except LineAway:
        claimed = False
    if not claimed:
        await tell(led, "colleague-busy")
        return None
    language = led.board.operator_language(operator)
    try:
        return await led.talk.ring(endpoint, led.board.patience.operator_rings, _context(led, language), language)
    except NotReached as missed:
        log.info("call %s: colleague %s not reached (%s)", led.call.id, operator, missed.why)
        await led.board.not_reached(operator, missed.why)
        await release(led, operator, talked=False)
        await tell(led, "not-reached")
        return None
    except BaseException:
        await asyncio.shield(release(led, operator, talked=False))
        raise


async def _bring_in(led: Led, leg: Leg, operator: str) -> None:
    try:
        await led.talk.bring_in(leg, colleague=operator)
    except AriAway:
        await release(led, operator)  # held again at the next connect, if the checkpoint names the colleague
        raise


def _context(led: Led, language: str) -> list[Prompt]:
    """What somebody who is asked in hears first."""
    about = whisper(led.match.action, language, by=led.operator) if led.match else []
    return [*about, RECORDED] if led.talk.recording else about


def _may_record(led: Led) -> bool:
    withheld = led.call.caller.presentation == "withheld" or bool(led.call.facts.get("anonymous"))
    return led.match is not None and led.match.action.kind in led.board.talks.recorded_kinds and not withheld


def _what(led: Led, name: str) -> str:
    return name.removesuffix(f"-{led.call.id}").rpartition("-")[2]
