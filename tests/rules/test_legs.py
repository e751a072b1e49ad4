"""One leg of a call: its keys, what it waits for, and its end."""

import asyncio

import pytest

from telephony.legs import Hangup, Leg

SOON, LONG = 0.01, 30.0


@pytest.fixture
async def leg() -> Leg:
    return Leg("1.1")


async def test_keys_pressed_before_they_are_asked_for_are_kept_in_order(leg: Leg) -> None:
    for key in "427":
        leg.press(key)
    assert [await leg.key(LONG) for _ in range(3)] == ["4", "2", "7"]
    assert await leg.key(SOON) is None


async def test_a_key_that_is_there_already_needs_no_wait(leg: Leg) -> None:
    leg.press("5")
    assert await leg.key(0) == "5"


async def test_a_key_pressed_while_waiting_ends_the_wait(leg: Leg) -> None:
    wanted = asyncio.create_task(leg.key(LONG))
    await asyncio.sleep(0)
    leg.press("#")
    assert await wanted == "#"


async def test_no_key_in_time_is_none_and_a_later_key_is_not_lost(leg: Leg) -> None:
    assert await leg.key(SOON) is None
    leg.press("1")
    assert await leg.key(LONG) == "1"


async def test_a_caller_who_hangs_up_while_a_key_is_wanted_ends_the_flow_with_the_cause(leg: Leg) -> None:
    wanted = asyncio.create_task(leg.key(LONG))
    await asyncio.sleep(0)
    leg.end(16)
    with pytest.raises(Hangup) as hung_up:
        await wanted
    assert hung_up.value.cause == 16


async def test_after_the_end_every_wait_is_a_hangup_even_for_a_key_pressed_before(leg: Leg) -> None:
    leg.press("1")
    leg.end(0)
    with pytest.raises(Hangup):
        await leg.key(LONG)
    with pytest.raises(Hangup):
        await leg.until(leg.outcome_of("playback"), None)


async def test_a_leg_ends_once_with_the_first_cause(leg: Leg) -> None:
    leg.end(17)
    leg.end(16)
    assert leg.ended.result() == 17


async def test_a_leg_begins_once(leg: Leg) -> None:
    leg.begin()
    leg.begin()
    assert leg.started.done()


async def test_what_is_waited_for_comes_back_when_it_is_told(leg: Leg) -> None:
    played = leg.outcome_of("playback")
    leg.finish("another", "done")
    assert not played.done()
    leg.finish("playback", "done")
    assert await leg.until(played, LONG) == "done"


async def test_an_end_told_twice_or_of_nothing_known_changes_nothing(leg: Leg) -> None:
    played = leg.outcome_of("playback")
    leg.finish("playback", "done")
    leg.finish("playback", "failed")
    leg.finish("never asked for", "done")
    assert played.result() == "done"


async def test_asked_for_twice_it_is_the_same_outcome(leg: Leg) -> None:
    assert leg.outcome_of("playback") is leg.outcome_of("playback")


async def test_a_wait_over_its_bound_is_none_and_stops_what_it_waited_for(leg: Leg) -> None:
    work = asyncio.create_task(asyncio.Event().wait())
    assert await leg.until(work, SOON) is None
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_what_goes_wrong_in_what_is_waited_for_comes_out(leg: Leg) -> None:
    async def broken() -> None:
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError, match="lost"):
        await leg.until(broken(), LONG)


async def test_a_flow_that_is_stopped_stops_what_it_waited_for(leg: Leg) -> None:
    work = asyncio.create_task(asyncio.Event().wait())
    flow = asyncio.create_task(leg.until(work, None))
    await asyncio.sleep(0)
    flow.cancel()
    await asyncio.wait([flow, work], timeout=5)
    assert flow.cancelled()
    assert work.cancelled()
