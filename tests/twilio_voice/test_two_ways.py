"""Our own exchange is preferred; Twilio carries what it cannot, and no longer than that."""

from __future__ import annotations

import pytest

from actions.models import DeliveryState
from alerting.channels.ringing import NOT_ANSWERED
from alerting.channels.standing import IN_A_ROW
from alerting.channels.voice import TRUNK_FULL
from alerting.errors import Fault, SendError, Unanswered, Whose
from stand_ins.twilio import TOO_BUSY, Behaviour
from tests.texts.wave import number
from tests.twilio_voice.round import Round

FULL = SendError(TRUNK_FULL, 0.05)
UNREACHABLE = NOT_ANSWERED["unreachable"]


async def test_as_long_as_our_exchange_takes_calls_twilio_is_not_asked(calls: Round) -> None:
    await calls.alerts(3)
    await calls.sends(calls.worker(calls.two_ways()))
    assert (len(calls.own.called), calls.lines.call_requests) == (3, [])
    assert set((await calls.providers()).values()) == {"asterisk"}


async def test_when_the_trunk_is_full_the_call_goes_by_twilio_and_its_attempt_says_so(calls: Round) -> None:
    calls.own.outcomes = [FULL]
    await calls.alerts(2)
    await calls.sends(calls.worker(calls.two_ways(), side_by_side=1))
    ways = await calls.providers()
    assert ways == {number(0): "twilio", number(1): "asterisk"}
    assert [call.row["to"] for call in calls.lines.calls] == [number(0)]
    assert len(await calls.attempts()) == 2


async def test_when_our_exchange_is_not_there_every_call_goes_by_twilio_until_it_is_back(calls: Round) -> None:
    channel = calls.two_ways()
    calls.own.there = False
    await calls.alerts(2)
    await calls.sends(calls.worker(channel))
    assert (calls.own.called, len(calls.lines.calls)) == ([], 2)
    calls.own.there = True
    await calls.lives(number(2), metres=5)
    await calls.starts()
    await calls.sends(calls.worker(channel))
    assert len(calls.own.called) == 3


async def test_several_unreachable_in_a_row_are_the_trunk_and_the_others_go_by_twilio(calls: Round) -> None:
    calls.own.outcomes = [UNREACHABLE] * IN_A_ROW
    await calls.alerts(IN_A_ROW + 2)
    await calls.sends(calls.worker(calls.two_ways(), side_by_side=1))
    assert len(calls.own.called) == IN_A_ROW
    assert len(calls.lines.calls) == 2


async def test_who_was_unreachable_by_the_broken_trunk_is_called_by_twilio_at_the_next_try(calls: Round) -> None:
    calls.own.outcomes = [UNREACHABLE] * IN_A_ROW
    await calls.alerts(IN_A_ROW)
    channel = calls.two_ways()
    await calls.sends(calls.worker(channel, side_by_side=1))
    await calls.time_passes()
    await calls.sends(calls.worker(channel))
    assert set((await calls.states()).values()) == {DeliveryState.ANSWERED}
    assert set((await calls.providers()).values()) == {"twilio"}


async def test_telephones_out_of_reach_between_others_say_nothing_about_the_trunk(calls: Round) -> None:
    calls.own.outcomes = [UNREACHABLE, NOT_ANSWERED["busy"]] * IN_A_ROW
    await calls.alerts(2 * IN_A_ROW)
    await calls.sends(calls.worker(calls.two_ways(), side_by_side=1))
    assert (len(calls.own.called), calls.lines.calls) == (2 * IN_A_ROW, [])


async def test_one_call_finds_out_whether_the_trunk_is_back_and_then_all_go_by_it_again(calls: Round) -> None:
    calls.own.outcomes = [UNREACHABLE] * (IN_A_ROW + 1)
    await calls.alerts(IN_A_ROW + 4)
    await calls.sends(calls.worker(calls.two_ways(try_again_s=0.0), side_by_side=1))
    # With no time to wait every call is a trial: the sixth fails as well, the seventh is answered.
    assert (len(calls.own.called), calls.lines.calls) == (IN_A_ROW + 4, [])


async def test_of_what_our_exchange_left_unanswered_twilio_is_not_asked(calls: Round) -> None:
    calls.own.outcomes = [Unanswered("our telephone exchange is away")]
    await calls.alerts(1)
    channel = calls.two_ways()
    await calls.sends(calls.worker(channel))
    assert calls.lines.call_requests == []
    await calls.time_passes()
    await calls.sends(calls.worker(channel))
    assert await calls.state() == DeliveryState.ANSWERED
    assert (len(calls.own.asked), calls.lines.call_requests) == (1, [])


async def test_a_lost_answer_of_twilio_is_asked_of_twilio(calls: Round) -> None:
    calls.own.there = False
    calls.lines.next(Behaviour(lose_answer=True))
    await calls.alerts(1)
    channel = calls.two_ways()
    await calls.sends(calls.worker(channel))
    await calls.answer_is_lost()
    await calls.time_passes()
    await calls.sends(calls.worker(channel))
    assert (calls.own.asked, len(calls.lines.calls)) == ([], 1)
    assert await calls.state() == DeliveryState.ANSWERED


async def test_a_refusal_for_good_by_our_exchange_is_not_tried_by_twilio(calls: Round) -> None:
    calls.own.outcomes = [SendError(Fault(False, Whose.US, "not an E.164 number"))]
    await calls.alerts(1)
    await calls.sends(calls.worker(calls.two_ways()))
    assert (await calls.state(), calls.lines.call_requests) == (DeliveryState.FAILED, [])


async def test_while_both_are_full_the_call_waits_for_whichever_comes_free_first(calls: Round) -> None:
    calls.own.outcomes = [FULL, FULL]
    calls.lines.next(Behaviour(refuse=20429, retry_after_s=30))
    await calls.alerts(1)
    await calls.sends(calls.worker(calls.two_ways()))
    assert (len(calls.own.called), len(calls.lines.call_requests)) == (3, 1)
    assert await calls.providers() == {number(0): "asterisk"}
    assert len(await calls.attempts()) == 1


async def test_with_our_exchange_gone_a_pause_that_twilio_asks_for_is_kept(calls: Round) -> None:
    calls.own.there = False
    calls.lines.next(TOO_BUSY)
    await calls.alerts(1)
    await calls.sends(calls.worker(calls.two_ways()))
    assert (len(calls.lines.call_requests), len(calls.lines.calls)) == (2, 1)
    assert await calls.providers() == {number(0): "twilio"}


@pytest.mark.parametrize("code", [21211, 21214])
async def test_a_number_that_twilio_refuses_for_good_ends_there(calls: Round, code: int) -> None:
    calls.own.there = False
    calls.lines.usual = Behaviour(refuse=code)
    await calls.alerts(1)
    await calls.sends(calls.worker(calls.two_ways()))
    assert await calls.state() == DeliveryState.FAILED
    assert await calls.providers() == {number(0): "twilio"}
