"""What a caller hears and presses in line: the triage, the place, a tip, another language, anonymous."""

from __future__ import annotations

import pytest

from actions.matching import OpenAction
from actions.spool import Spool
from ivr_flows.catalogue import said_in
from tests.conversations.exchange import FREE_NUMBER, ME, Exchange, until, whispered
from tests.conversations.phones import Music, Phone

KNOWN, OTHER, THIRD = "+31612345678", "+31687654321", "+31611111111"


async def engaged(exchange: Exchange) -> tuple[OpenAction, Phone, Phone]:
    """An action of Rotterdam; its only operator, who talks; with whom."""
    action = await exchange.action("rotterdam")
    for number in (KNOWN, OTHER, THIRD):
        await exchange.alerted(number, action)
    operator, first = await exchange.operator("rotterdam-1"), await exchange.caller(OTHER)
    await first.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(first)
    return action, operator, first


async def triaged(exchange: Exchange, as_what: str) -> None:
    async def so() -> bool:
        return as_what in [call.triage for call in await exchange.calls()]

    await until(so, f"a call triaged as {as_what}")


@pytest.mark.parametrize(
    ("key", "triage", "said"),
    [("1", "now", "sees-now"), ("2", "earlier", "saw-earlier"), ("3", "question", "has-question")],
)
async def test_what_the_caller_says_while_it_rings_is_told_to_the_operator_and_written(
    exchange: Exchange, key: str, triage: str, said: str
) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await operator.rings()
    await caller.hears("triage")
    await caller.presses(key)
    await triaged(exchange, triage)
    await operator.picks_up()
    await operator.hears(whispered(action))
    await operator.hears(said_in("nl", said))
    await operator.talks_with(caller)


async def test_nobody_waits_for_an_answer_to_the_triage(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)
    await caller.hangs_up()
    assert (await exchange.ended("caller hung up: talking")).triage is None


async def test_who_sees_it_now_goes_before_who_came_first(exchange: Exchange) -> None:
    _, operator, first = await engaged(exchange)
    second, third = await exchange.caller(KNOWN), await exchange.caller(THIRD)
    for place, (caller, key) in enumerate(((second, "3"), (third, "1")), start=1):
        await caller.dials(FREE_NUMBER)
        await exchange.waiting(place)
        await caller.hears("triage")
        await caller.presses(key)
        await triaged(exchange, {"3": "question", "1": "now"}[key])

    await first.hangs_up()
    await operator.answers()
    await operator.talks_with(third)
    await third.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(second)


async def test_after_the_triage_come_music_the_place_and_what_else_can_be_done(exchange: Exchange) -> None:
    await engaged(exchange)
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("triage")
    await caller.hears(Music())
    await caller.hears(said_in("nl", "place", place=1))
    await caller.hears("line-menu")
    await caller.hears(Music())
    await caller.hears(said_in("nl", "place", place=1))


async def test_a_late_answer_to_the_triage_counts_until_the_menu_is_told(exchange: Exchange) -> None:
    await engaged(exchange)
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears(said_in("nl", "place", place=1))
    await caller.presses("2")
    await triaged(exchange, "earlier")


async def test_a_caller_in_line_leaves_a_tip_instead(exchange: Exchange) -> None:
    action, operator, first = await engaged(exchange)
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("line-menu")
    await caller.presses("2")
    await caller.hears("tip-after-alert")
    await exchange.wiring.passes(4)
    await caller.presses("#")
    await caller.hears("tip-thanks")
    await caller.is_hung_up()
    ((tip, _),) = await exchange.tips()
    assert tip.action_id == action.id
    await operator.talks_with(first)


async def test_star_in_line_changes_the_language_of_what_follows(exchange: Exchange) -> None:
    await engaged(exchange)
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("triage")
    await caller.presses("*")
    await caller.hears("triage", "en")
    await caller.hears("line-menu", "en")


async def test_an_operator_of_another_room_hears_whom_it_is_for(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    neighbour, caller = await exchange.operator("den-haag-1"), await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await neighbour.answers()
    await neighbour.hears(whispered(action))
    await neighbour.hears(said_in("nl", "whisper-room", room="Meldkamer Rotterdam"))
    await neighbour.talks_with(caller)


async def test_what_the_caller_said_is_not_asked_again_after_a_takeover(exchange: Exchange) -> None:
    action, operator, first = await engaged(exchange)
    caller = await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await caller.hears("triage")
    await caller.presses("1")
    await triaged(exchange, "now")

    await exchange.stops()
    await exchange.starts()
    await caller.hears("connecting")
    await first.hangs_up()
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.hears(said_in("nl", "sees-now"))
    await operator.talks_with(caller)


async def test_when_the_last_operator_leaves_the_next_room_helps_at_once(exchange: Exchange) -> None:
    await engaged(exchange)
    neighbour, caller = await exchange.operator("den-haag-1"), await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await caller.hears("triage")
    await exchange.signs_off("rotterdam-1")
    await neighbour.answers()
    await neighbour.talks_with(caller)


async def test_when_the_last_operator_leaves_the_caller_in_line_is_asked_for_a_tip(exchange: Exchange) -> None:
    await engaged(exchange)
    caller = await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await caller.hears("triage")
    await exchange.signs_off("rotterdam-1")
    await caller.hears("leave-tip")


async def test_an_anonymous_caller_leaves_no_number_behind(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses("0")
    await caller.hears("anonymous")
    await caller.hears("ask-code")
    await caller.presses(action.code)
    await operator.answers()
    await operator.talks_with(caller)
    await caller.hangs_up()
    call = await exchange.ended("caller hung up: talking")
    assert (call.caller_kind, call.sealed, call.digest, call.key_version) == ("anonymous", None, None, None)


async def test_a_caller_becomes_anonymous_in_line_and_stays_so_under_the_next_controller(exchange: Exchange) -> None:
    await engaged(exchange)
    caller = await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await caller.hears("triage")
    await caller.presses("0")
    await caller.hears("anonymous")

    await exchange.stops()
    await exchange.starts()
    await caller.hears("line-menu")
    await caller.presses("2")
    await caller.hears("anonymous-tip")
    await caller.hears("no-tip")
    await caller.is_hung_up()
    assert await exchange.tips() == []
    assert [call.caller_kind for call in await exchange.calls()] == ["mobile", "anonymous"]


async def test_an_anonymous_caller_may_still_have_a_tip_recorded_without_the_number(exchange: Exchange) -> None:
    await exchange.action("rotterdam")
    action = (await exchange.base.desk.open_actions())[0]
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses(f"0{action.code}")
    await caller.hears("anonymous-tip")
    await caller.presses("1")
    await caller.hears("leave-tip")
    await exchange.wiring.passes(4)
    await caller.presses("#")
    await caller.hears("tip-thanks")
    assert len(await exchange.tips()) == 1
    assert [call.sealed for call in await exchange.calls()] == [None]


@pytest.mark.parametrize("how", ["away", "stuck"])
async def test_also_what_waits_in_the_spool_of_an_anonymous_caller_is_erased(exchange: Exchange, how: str) -> None:
    action = await exchange.action("rotterdam")
    caller = await exchange.caller(KNOWN)

    with exchange.database(how):
        await caller.dials(FREE_NUMBER)
        await caller.hears("ask-code")
        await caller.presses("0")
        await caller.hears("anonymous")
        spool = exchange.base.settings.spool_file
        files = [file for file in (spool, spool.with_suffix(".replaying")) if file.exists()]
        kept = [fact["columns"] for file in files for fact in Spool(spool, exchange.base.vaults.police)._read(file)]
        assert kept
        # What is on its way to a database that does not answer is erased when it has arrived.
        assert how == "stuck" or all(fact.get("sealed") is None for fact in kept)
        await caller.presses(action.code)
        await caller.hears("anonymous-tip")
        await caller.hangs_up()
        await exchange.is_quiet()

    call = await exchange.ended("caller hung up: tip")
    assert (call.caller_kind, call.sealed, call.digest) == ("anonymous", None, None)


async def test_a_caller_in_english_is_given_somebody_who_speaks_it(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    await exchange.board.duties.change_operator("rotterdam-1", ["nl"], None, ME)
    dutch, both = await exchange.operator("rotterdam-1"), await exchange.operator("rotterdam-2")
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("welcome")
    await caller.presses("*")
    await both.answers()
    await both.talks_with(caller)
    assert not dutch.rang
