"""When an action ends, the telephones that still ring by Twilio stop; who talks goes on."""

from __future__ import annotations

from actions.matching import OpenAction
from actions.models import DeliveryState
from alerting.dispatcher import Dispatcher
from alerting.still_ringing import StillRinging
from stand_ins.twilio_voice import Callee
from tests.texts.wave import number, until
from tests.twilio_voice.round import NL, Round


async def ringing(calls: Round, people: int) -> tuple[OpenAction, Dispatcher]:
    """So many telephones ring by Twilio."""
    await calls.lives(*map(number, range(people)))
    action = await calls.starts()
    calls.lines.picks_up.clear()
    worker = calls.worker()
    while await worker.step():
        pass
    await worker.finished(10)

    async def all_ring() -> bool:
        return [call.row["status"] for call in calls.lines.calls] == ["ringing"] * people

    await until(all_ring, "every telephone rings")
    return action, worker


async def test_every_telephone_stops_ringing_and_is_not_rung_again(calls: Round) -> None:
    action, _ = await ringing(calls, 3)
    await calls.ends(action)
    await calls.ringing.step()
    await calls.lines.settled()
    assert {call.row["status"] for call in calls.lines.calls} == {"canceled"}
    assert set((await calls.states()).values()) == {DeliveryState.FAILED}
    await calls.time_passes()
    calls.lines.picks_up.set()
    await calls.sends()
    assert not any("Coolsingel" in call.words() for call in calls.lines.calls)


async def test_as_long_as_the_action_is_open_nothing_stops(calls: Round) -> None:
    await ringing(calls, 1)
    await calls.ringing.step()
    assert calls.lines.calls[0].row["status"] == "ringing"
    calls.lines.picks_up.set()
    await calls.lines.settled()


async def test_calls_that_another_process_placed_stop_too(calls: Round) -> None:
    action, _ = await ringing(calls, 1)
    await calls.ends(action)
    await StillRinging(calls.store, calls.channel()).step()
    await calls.lines.settled()
    assert calls.lines.calls[0].row["status"] == "canceled"


async def test_who_came_to_the_telephone_meanwhile_is_not_cut_off(calls: Round) -> None:
    calls.lines.usual_callee = Callee(keys=["1"])
    await calls.lives(number(0))
    action = await calls.starts()

    async def it_ends(_: object) -> None:
        await calls.ends(action)
        await calls.ringing.step()

    calls.lines.before_key = it_ends
    await calls.sends()
    (call,) = calls.lines.calls
    assert (call.row["status"], call.heard[-1][1]) == ("completed", NL["already-over"])


async def test_twilio_is_told_once_about_each_call(calls: Round) -> None:
    action, _ = await ringing(calls, 1)
    await calls.ends(action)
    told: list[str] = []

    class Counts:
        provider = "twilio"

        async def stop_ringing(self, sid: str) -> None:
            told.append(sid)

    step = StillRinging(calls.store, Counts()).step
    await step()
    await step()
    assert told == [calls.lines.calls[0].sid]
    calls.lines.picks_up.set()
    await calls.lines.settled()


async def test_when_twilio_cannot_be_told_it_is_told_later(calls: Round) -> None:
    action, _ = await ringing(calls, 1)
    await calls.ends(action)
    port = calls.lines.url
    calls.client._http._base = "http://127.0.0.1:1"
    await calls.ringing.step()
    assert calls.lines.calls[0].row["status"] == "ringing"
    calls.client._http._base = port
    await calls.ringing.step()
    await calls.lines.settled()
    assert calls.lines.calls[0].row["status"] == "canceled"
