"""The second half of the story: an action by telephone, from its start to its result."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlmodel import col, select

from actions.desk import NewAction
from actions.geography import to_rd
from actions.models import Attempt, ContactPoint, Delivery, Message, MessageKind
from actions.numbers import CallerKind
from actions.reach import reach_of
from actions.register import Entry
from alerting.renditions import Notice, voice, voice_in_short
from burgernet.demo.stage import DIRECTOR, Stage
from burgernet.demo.steps import must, until
from ivr_flows.spoken import spoken
from telephony.handset import Handset
from telephony.hearing import RATE
from telephony.speech import Spoken

UTRECHT = (52.0907, 5.1214)
RADIUS_M = 1000
TITLE, TEXT = "het vermiste meisje Noor", "Meisje van zes met een rode jas, laatst gezien op de Oudegracht."
NEWS = "Noor heeft haar rode jas niet meer aan. Zij draagt een gele trui."
# Whose phone -> its public number. All want to be called.
CALLED = {"willing": "+31612340011", "machine": "+31612340012", "engaged": "+31612340013"}


class VoiceCast:
    """Everybody in this half, and the action once it has started."""

    def __init__(self, stage: Stage, operator: Handset, phones: dict[str, Handset]) -> None:
        self.stage, self.operator, self.phones = stage, operator, phones
        self.code, self.action_id = "", 0
        self.machine: asyncio.Task[None] | None = None

    @classmethod
    async def gather(cls, stage: Stage) -> VoiceCast:
        operator = await stage.operator("midden-nederland-1", 520)
        phones = {name: await stage.subscriber(name, number, 0) for name, number in CALLED.items()}
        return cls(stage, operator, phones)

    async def hears(self, phone: Handset, sentence: str) -> None:
        """The phone hears a spoken sentence of the product."""
        await phone.hears(await self.stage.sound(Spoken(spoken(sentence, "nl"))), bound_s=40)

    def notice(self, kind: MessageKind, text: str) -> Notice:
        return Notice(kind, self.code, "nl", TITLE, text)


async def wave_begins(cast: VoiceCast) -> str:
    """A child is missing in Utrecht: participants who want to be called are called, the free number on their display"""
    base = cast.stage.base
    x, y = to_rd(*UTRECHT)
    entries = [Entry("nl", "3511", x, y, number, CallerKind.MOBILE, frozenset({"voice"})) for number in CALLED.values()]
    await base.register.add(entries, DIRECTOR)
    await cast.operator.dials("*11")
    await cast.operator.is_hung_up(bound_s=20)
    await cast.phones["engaged"].is_engaged()
    cast.machine = asyncio.create_task(_answers_like_a_machine(cast))
    area = {"type": "circle", "lat": UTRECHT[0], "lon": UTRECHT[1], "radius": RADIUS_M}
    new = NewAction("missing_child", "midden-nederland", area, {"nl": (TITLE, TEXT)}, "midden-nederland-1")
    action = await base.desk.start_action(new, DIRECTOR)
    cast.code, cast.action_id = action.code, action.id
    await cast.stage.wake_all()
    caller = await cast.phones["willing"].rings(bound_s=20)
    must(caller.lstrip("+") in ("318000011", "08000011"), f"the display shows {caller}")
    return f"code {cast.code}"


async def key_1_leads_to_the_room(cast: VoiceCast) -> None:
    """One answers, hears the message, presses 1 and speaks at once with the control room in Hilversum"""
    phone = cast.phones["willing"]
    await phone.picks_up()
    await phone.says(700, 0.6)
    for sentence in voice(cast.notice(MessageKind.ALERT, TEXT))[1:3]:
        await cast.hears(phone, sentence)
    await phone.presses("1")
    await cast.operator.answers(bound_s=40)
    await cast.operator.says(520)
    await phone.says(700)
    await cast.operator.hears_tone(700, bound_s=15)
    await phone.hears_tone(520, bound_s=15)
    await phone.hangs_up()
    await cast.operator.is_hung_up()
    await until(lambda: _is(cast, "willing", "voice", "confirmed"), 10, "the alert is not confirmed")


async def a_machine_gets_a_text(cast: VoiceCast) -> None:
    """A telephone that answers with a long greeting counts as a machine: it hears the short message, and gets a text"""
    assert cast.machine
    await asyncio.wait_for(cast.machine, 60)
    await until(lambda: _is(cast, "machine", "voice", "machine"), 10, "it does not count as a machine")
    await until(lambda: _texted(cast, "machine", TITLE), 15, "the text did not come")


async def a_busy_one_is_called_again(cast: VoiceCast) -> str:
    """A busy telephone is called again; this time it answers, presses 3 and leaves a tip"""
    phone = cast.phones["engaged"]
    await until(lambda: _tried(cast, "engaged", 1), 15, "it was not called")
    await phone.is_free()
    await phone.answers(bound_s=60)
    await phone.says(800, 0.6)
    await cast.hears(phone, voice(cast.notice(MessageKind.ALERT, TEXT))[1])
    await phone.presses("3")
    invitation = await cast.stage.sound("tip-after-alert")
    await phone.hears(invitation, bound_s=20)
    # Its first two seconds are heard by now. Speaking begins after the rest and the tone that follows it.
    await asyncio.sleep(len(invitation) / RATE)
    await phone.says(800, 3)
    await asyncio.sleep(3)
    await phone.presses("#")
    await phone.hears(await cast.stage.sound("tip-thanks"), bound_s=20)
    await phone.is_hung_up(bound_s=20)
    attempts = await _attempts(cast, "engaged")
    must(len(attempts) == 2, f"{len(attempts)} attempts")
    return f"first {attempts[0]}, then {attempts[1]}"


async def an_update_goes_out(cast: VoiceCast) -> None:
    """The description changes: whoever spoke with us is called with the update, whoever got a text gets a text"""
    await cast.stage.base.desk.update_action(cast.code, {"nl": (TITLE, NEWS)}, DIRECTOR)
    await cast.stage.wake_all()
    await until(lambda: _texted(cast, "machine", "gele trui"), 20, "the text did not come")
    phone = cast.phones["willing"]
    await phone.says(0)
    await phone.answers(bound_s=30)
    await phone.says(700, 0.6)
    await cast.hears(phone, voice(cast.notice(MessageKind.UPDATE, NEWS))[0])


async def who_listens_hears_the_end(cast: VoiceCast) -> None:
    """The child is found in the middle of that call: the listener hears so at once, and nobody is called any more"""
    words = {"nl": (TITLE, "Noor is gezond gevonden, dank zij een deelnemer.")}
    await cast.stage.base.desk.end_action(cast.code, "direct", words, DIRECTOR)
    await cast.stage.wake_all()
    phone = cast.phones["willing"]
    await phone.hears(await cast.stage.sound("already-over"), bound_s=10)
    await phone.is_hung_up(bound_s=20)
    # The update was ringing here all the while: picked up, it would be taken for the result.
    await cast.phones["engaged"].is_hung_up(bound_s=10)


async def results_by_the_same_channel(cast: VoiceCast) -> str:
    """Everybody who was alerted hears the result, by the channel that reached them; the reach is told honestly"""
    result = cast.notice(MessageKind.RESULT, "Noor is gezond gevonden, dank zij een deelnemer.")
    await until(lambda: _texted(cast, "machine", "gezond gevonden"), 20, "the text with the result did not come")
    await asyncio.gather(*(_hears_result(cast, cast.phones[name], result) for name in ("willing", "engaged")))
    alert = (await reach_of(cast.stage.base.store, cast.action_id))[0]
    return (
        f"alert: {alert.human} by a human, {alert.machine} by a machine, {alert.text} by text, "
        f"{alert.not_reached} not reached"
    )


VOICE_STORY = (
    wave_begins,
    key_1_leads_to_the_room,
    a_machine_gets_a_text,
    a_busy_one_is_called_again,
    an_update_goes_out,
    who_listens_hears_the_end,
    results_by_the_same_channel,
)


async def _answers_like_a_machine(cast: VoiceCast) -> None:
    """Picks up, plays a greeting of six seconds, then listens."""
    phone = cast.phones["machine"]
    await phone.answers(bound_s=30)
    await phone.says(900, 6)
    await cast.hears(
        phone, voice_in_short(cast.notice(MessageKind.ALERT, TEXT), cast.stage.base.settings.free_number_read)
    )


async def _hears_result(cast: VoiceCast, phone: Handset, result: Notice) -> None:
    await phone.answers(bound_s=40)
    await cast.hears(phone, voice(result)[2])
    await phone.is_hung_up(bound_s=30)


async def _is(cast: VoiceCast, name: str, channel: str, state: str) -> bool:
    found = await _of(cast, name, select(Delivery.state).where(Delivery.channel == channel))
    return state in found


async def _tried(cast: VoiceCast, name: str, times: int) -> bool:
    return len([state for state in await _attempts(cast, name) if state != "sending"]) >= times


async def _attempts(cast: VoiceCast, name: str) -> list[str]:
    query = (
        select(Attempt.state).join(Delivery, col(Delivery.id) == Attempt.delivery_id).order_by(col(Attempt.started_at))
    )
    return await _of(cast, name, query)


async def _of(cast: VoiceCast, name: str, query: Any) -> list[str]:
    """The rows of a query on deliveries, of this action's deliveries to one phone."""
    digests = cast.stage.base.register.digests(CALLED[name])
    mine = (
        query.join(Message, col(Message.id) == Delivery.message_id)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(Message.action_id == cast.action_id, col(ContactPoint.digest).in_(digests))
    )
    async with cast.stage.base.store.reading() as session:
        return list(await session.exec(mine))


async def _texted(cast: VoiceCast, name: str, words: str) -> bool:
    return any(words in body for body in cast.stage.twilio.texts_to(CALLED[name]))
