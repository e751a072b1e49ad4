"""Exercises and what is for real stay apart: a caller is matched with an exercise only knowing that it is one."""

from __future__ import annotations

from actions.desk import NewAction
from actions.live import wake
from actions.matching import OpenAction
from ivr_flows.catalogue import said_in
from ivr_flows.whisper import whisper
from telephony.fake_phone import FakePhone
from tests.conversations.exchange import FREE_NUMBER, ME, PLACES, Exchange, offered, until, whispered
from tests.conversations.phones import Phone
from tests.conversations.pretend import FakeWiring

KNOWN, STRANGER = "+31612345678", "+31687654321"


async def exercise(exchange: Exchange, title: str = "de rode Fiets", by: str | None = "rotterdam-1") -> OpenAction:
    lat, lon = PLACES["rotterdam"]
    area = {"type": "circle", "lat": lat, "lon": lon, "radius": 2000}
    texts = {"nl": (title, "Kijk uit naar een fiets.")}
    new = NewAction("look_out", "rotterdam", area, texts, by, exercise=True)
    action = await exchange.base.desk.start_action(new, ME)
    await wake(exchange.base.redis)
    await until(lambda: exchange._knows(action), "the exercise known")
    return action


async def by_the_trunk_of_exercises(exchange: Exchange, number: str = STRANGER) -> Phone:
    wiring = exchange.wiring
    assert isinstance(wiring, FakeWiring)
    phone = FakePhone(wiring.asterisk, "exercise", "from-exercise", number, exchange._tone())
    return exchange._keep(Phone(phone, wiring._media))


async def test_who_was_alerted_in_an_exercise_hears_so_and_the_operator_too(exchange: Exchange) -> None:
    action = await exercise(exchange)
    await exchange.alerted(KNOWN, action)
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await caller.hears("exercise")
    await operator.answers()
    (said,) = whisper(action, "nl")
    assert "Oefening" in str(said)
    await operator.hears(said)
    await operator.talks_with(caller)


async def test_a_caller_who_knows_nothing_of_an_exercise_is_not_offered_it(exchange: Exchange) -> None:
    await exercise(exchange)
    caller = await exchange.caller(STRANGER)
    await caller.dials(FREE_NUMBER)
    await caller.hears("nothing-open")
    await caller.is_hung_up()


async def test_the_code_of_an_exercise_is_asked_about_and_then_leads_to_it(exchange: Exchange) -> None:
    real, action = await exchange.action(title="de blauwe Golf"), await exercise(exchange)
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(STRANGER)
    await caller.dials(FREE_NUMBER)
    await caller.hears("welcome")
    await caller.presses(action.code)
    await caller.hears("exercise-code")
    await caller.presses("1")
    await caller.hears("exercise")
    await operator.answers()
    await operator.hears(whispered(action))
    assert real.code != action.code


async def test_who_really_saw_something_goes_on_from_the_code_of_an_exercise(exchange: Exchange) -> None:
    real, action = await exchange.action(title="de blauwe Golf"), await exercise(exchange)
    caller = await exchange.caller(STRANGER)
    await caller.dials(FREE_NUMBER)
    await caller.hears("welcome")
    await caller.presses(action.code)
    await caller.hears("exercise-code")
    await caller.presses("9")
    await caller.hears("ask-code")
    await caller.presses("#")
    await caller.hears(offered(real.titles["nl"], 1))
    await caller.hears("none-of-these")


async def test_the_trunk_of_exercises_leads_to_exercises_alone(exchange: Exchange) -> None:
    await exchange.action(title="de blauwe Golf")
    first, second = await exercise(exchange, "de rode Fiets"), await exercise(exchange, "de groene Fiets")
    operator, caller = await exchange.operator("rotterdam-1"), await by_the_trunk_of_exercises(exchange)
    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses("#")
    for key, action in enumerate((second, first), start=1):
        await caller.hears(said_in("nl", "option-exercise", title=action.titles["nl"], key=key))
    await caller.hears("none-of-these")
    await caller.presses("1")
    await operator.answers()
    await operator.hears(whispered(second))


async def test_a_code_of_what_is_for_real_is_unknown_by_the_trunk_of_exercises(exchange: Exchange) -> None:
    real, _ = await exchange.action(title="de blauwe Golf"), await exercise(exchange)
    caller = await by_the_trunk_of_exercises(exchange, KNOWN)
    await exchange.alerted(KNOWN, real)
    await caller.dials(FREE_NUMBER)
    await caller.hears("welcome")
    await caller.presses(real.code)
    await caller.hears("code-unknown")
