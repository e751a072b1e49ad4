"""The free number finds out which action a caller is calling about: by number, by code, by asking. Never a guess."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from ivr_flows.catalogue import said_in
from tests.conversations.exchange import FREE_NUMBER, Exchange, offered, whispered

KNOWN = "+31612345678"
STRANGER = "+31687654321"


async def test_a_caller_known_in_one_action_talks_with_its_room(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    operator = await exchange.operator("rotterdam-1")
    other_room = await exchange.operator("den-haag-1")
    caller = await exchange.caller(KNOWN)
    await exchange.alerted(KNOWN, action)

    await caller.dials(FREE_NUMBER)
    await caller.hears("welcome")
    await caller.hears("triage")
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.talks_with(caller)
    assert not other_room.rang
    await caller.hangs_up()
    await operator.is_hung_up()

    call = await exchange.ended("caller hung up: talking")
    assert (call.action_id, call.match_how, call.room_id, call.operator_id) == (
        action.id,
        "number",
        "rotterdam",
        "rotterdam-1",
    )
    assert call.sealed
    assert KNOWN.encode() not in call.sealed


@pytest.mark.parametrize("form", ["0612345678", "31612345678", "0031612345678"])
async def test_a_known_number_is_known_in_every_form_that_carriers_use(exchange: Exchange, form: str) -> None:
    action = await exchange.action("rotterdam")
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(form)
    await exchange.alerted(KNOWN, action)

    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)


@pytest.mark.parametrize("dialled", ["08000011", "318000011", "+318000011", "00318000011"])
async def test_the_free_number_answers_in_every_form_that_carriers_use(exchange: Exchange, dialled: str) -> None:
    caller = await exchange.caller()
    await caller.dials(dialled)
    await caller.hears("welcome")


@pytest.mark.parametrize("dialled", ["112", "0612345678", "08000012", "+4930123456"])
async def test_any_other_number_is_refused(exchange: Exchange, dialled: str) -> None:
    caller = await exchange.caller()
    await caller.dials(dialled)
    await caller.is_hung_up()
    assert await exchange.calls() == []


async def test_a_withheld_caller_keys_the_code(exchange: Exchange) -> None:
    action = await exchange.action("den-haag")
    await exchange.action("rotterdam", "een rode fiets")
    await exchange.alerted(KNOWN, action)
    operator = await exchange.operator("den-haag-1")
    caller = await exchange.caller(KNOWN, withheld=True)

    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses(action.code)
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.talks_with(caller)
    await caller.hangs_up()

    call = await exchange.ended("caller hung up: talking")
    assert (call.caller_kind, call.sealed, call.digest, call.match_how) == ("withheld", None, None, "code")


async def test_a_line_withholds_its_number_with_star_31(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted("0612345678", action)
    line = await exchange.line("line-1")

    await line.dials(f"*31*{FREE_NUMBER}")
    await line.hears("ask-code")
    await line.hangs_up()
    assert (await exchange.ended("caller hung up: finding")).caller_kind == "withheld"


async def test_a_line_is_known_by_its_own_number(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted("0612345678", action)
    operator = await exchange.operator("rotterdam-1")
    line = await exchange.line("line-1")

    await line.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(line)


@pytest.mark.parametrize(
    ("caller_id", "kind_of_caller"),
    [
        ("12", "malformed"),
        ("4" * 40, "malformed"),
        ("+31612", "malformed"),
        ("anonymous", "withheld"),
        ("+4915112345678", "foreign"),
        ("112", "service"),
    ],
)
async def test_whatever_the_caller_id_holds_the_caller_is_asked(
    exchange: Exchange, caller_id: str, kind_of_caller: str
) -> None:
    action = await exchange.action("rotterdam")
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(caller_id)

    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses(action.code)
    await operator.answers()
    await operator.talks_with(caller)
    await caller.hangs_up()
    assert (await exchange.ended("caller hung up: talking")).caller_kind == kind_of_caller


async def test_a_code_keyed_during_the_welcome_counts(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(STRANGER)

    await caller.dials(FREE_NUMBER)
    await caller.is_answered()
    await caller.presses(action.code)
    await operator.answers()
    await operator.talks_with(caller)


async def test_a_wrong_code_during_the_welcome_is_said_and_asked_again(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(STRANGER)

    await caller.dials(FREE_NUMBER)
    await caller.is_answered()
    await caller.presses("999")
    await caller.hears("code-unknown")
    await caller.hears("ask-code")
    await caller.presses(action.code)
    await operator.answers()


async def test_after_two_wrong_codes_the_caller_chooses_from_the_open_actions(exchange: Exchange) -> None:
    await exchange.action("rotterdam", "de blauwe Golf")
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(STRANGER)

    await caller.dials(FREE_NUMBER)
    for _ in range(2):
        await caller.hears("ask-code")
        await caller.presses("999")
        await caller.hears("code-unknown")
    await caller.hears("choose-action")
    await caller.hears(offered("de blauwe Golf", 1))
    await caller.presses("1")
    await operator.answers()
    await operator.talks_with(caller)
    await caller.hangs_up()
    assert (await exchange.ended("caller hung up: talking")).match_how == "menu"


@pytest.mark.parametrize("keys", ["#", ""])
async def test_a_caller_without_a_code_hears_which_actions_are_open(exchange: Exchange, keys: str) -> None:
    await exchange.action("rotterdam", "de blauwe Golf")
    await exchange.action("limburg", "een rode fiets")
    caller = await exchange.caller(STRANGER)

    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses(keys)
    await caller.hears("choose-action")
    await caller.hears(offered("een rode fiets", 1))
    await caller.hears(offered("de blauwe Golf", 2))
    await caller.hears("none-of-these")
    await caller.presses("9")
    await caller.hears("no-action")
    await caller.is_hung_up()
    await exchange.ended("no action")


async def test_star_switches_the_welcome_to_english_and_all_that_follows(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam", "de blauwe Golf")
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(STRANGER)

    await caller.dials(FREE_NUMBER)
    await caller.is_answered()
    await caller.presses("*")
    await caller.hears("welcome", "en")
    await caller.hears("ask-code", "en")
    await caller.presses("#")
    await caller.hears("choose-action", "en")
    await caller.hears(offered("de blauwe Golf EN", 1, "en"), "en")
    await caller.presses("1")
    await caller.hears("triage", "en")
    await operator.answers()
    await operator.hears(whispered(action, "nl"))
    await operator.talks_with(caller)
    await caller.hangs_up()
    assert (await exchange.ended("caller hung up: talking")).language == "en"


async def test_star_in_a_question_asks_it_again_in_the_other_language(exchange: Exchange) -> None:
    await exchange.action("rotterdam")
    caller = await exchange.caller(STRANGER)

    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses("*")
    await caller.hears("ask-code", "en")
    await caller.presses("*")
    await caller.hears("ask-code", "nl")


async def test_somebody_alerted_in_two_actions_chooses_nearest_first(exchange: Exchange) -> None:
    near = await exchange.action("rotterdam", "de blauwe Golf")
    far = await exchange.action("den-haag", "een rode fiets")
    await exchange.alerted(KNOWN, far, metres=4000)
    await exchange.alerted(KNOWN, near, metres=100)
    operator = await exchange.operator("den-haag-1")
    other_room = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("choose-action")
    await caller.hears(offered("de blauwe Golf", 1))
    await caller.hears(offered("een rode fiets", 2))
    await caller.presses("2")
    await operator.answers()
    await operator.hears(whispered(far))
    await operator.talks_with(caller)
    assert not other_room.rang


async def test_of_actions_equally_near_the_newest_comes_first(exchange: Exchange) -> None:
    older = await exchange.action("rotterdam", "de blauwe Golf")
    newer = await exchange.action("rotterdam", "een rode fiets")
    for action in (older, newer):
        await exchange.alerted(KNOWN, action, metres=300)
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears(offered("een rode fiets", 1))
    await caller.hears(offered("de blauwe Golf", 2))


async def test_a_key_in_the_middle_of_the_menu_is_taken_at_once(exchange: Exchange) -> None:
    first = await exchange.action("rotterdam", "de blauwe Golf")
    second = await exchange.action("den-haag", "een rode fiets")
    await exchange.alerted(KNOWN, first, metres=100)
    await exchange.alerted(KNOWN, second, metres=4000)
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("choose-action")
    await caller.presses("1")
    await operator.answers()
    await operator.hears(whispered(first))


async def test_a_key_outside_the_menu_is_said_and_the_menu_comes_again(exchange: Exchange) -> None:
    for region in ("rotterdam", "den-haag"):
        await exchange.alerted(KNOWN, await exchange.action(region))
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    for _ in range(2):
        await caller.hears("choose-action")
        await caller.presses("7")
        await caller.hears("wrong-key")
    await caller.hears("ask-code")


async def test_without_any_key_the_caller_hears_everything_and_then_goodbye(exchange: Exchange) -> None:
    for region in ("rotterdam", "den-haag"):
        await exchange.alerted(KNOWN, await exchange.action(region))
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    for prompt in ("choose-action", "choose-action", "ask-code", "no-action"):
        await caller.hears(prompt)
    await caller.is_hung_up()
    await exchange.ended("no action")


async def test_a_land_line_is_asked_about_the_action_in_its_own_region(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam", "de blauwe Golf")
    await exchange.action("limburg", "een rode fiets")
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller("+31104123456")

    await caller.dials(FREE_NUMBER)
    await caller.hears("confirm-area")
    await caller.hears(offered("de blauwe Golf", 1))
    await caller.hears("none-of-these")
    assert not operator.rang
    await caller.presses("1")
    await operator.answers()
    await operator.hears(whispered(action))


async def test_an_area_code_across_a_border_offers_both_regions_its_own_first(exchange: Exchange) -> None:
    await exchange.action("den-haag", "een rode fiets")
    await exchange.action("rotterdam", "de blauwe Golf")
    caller = await exchange.caller("+31174512345")

    await caller.dials(FREE_NUMBER)
    await caller.hears("confirm-area")
    await caller.hears(offered("een rode fiets", 1))
    await caller.hears(offered("de blauwe Golf", 2))


async def test_a_land_line_that_calls_about_something_else_keys_the_code(exchange: Exchange) -> None:
    await exchange.action("rotterdam", "de blauwe Golf")
    elsewhere = await exchange.action("limburg", "een rode fiets")
    operator = await exchange.operator("limburg-1")
    caller = await exchange.caller("+31104123456")

    await caller.dials(FREE_NUMBER)
    await caller.hears("confirm-area")
    await caller.presses("9")
    await caller.hears("ask-code")
    await caller.presses(elsewhere.code)
    await operator.answers()


async def test_everybody_in_a_household_is_known_by_its_one_number(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    for _ in ("the mother", "the son"):
        await exchange.lives_here(KNOWN, action)
    await exchange.alerted(KNOWN, action)
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)


async def test_a_participant_with_a_foreign_number_is_known(exchange: Exchange) -> None:
    action = await exchange.action("limburg")
    await exchange.alerted("+4915112345678", action)
    operator = await exchange.operator("limburg-1")
    caller = await exchange.caller("+4915112345678")

    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)


@pytest.mark.parametrize("dialled", ["0850001234", "+31850001234", "0031850001234"])
async def test_calling_back_the_number_that_rang_ends_in_the_same_matcher(exchange: Exchange, dialled: str) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(KNOWN)

    await caller.dials(dialled)
    await operator.answers()
    await operator.talks_with(caller)


async def many_actions(exchange: Exchange) -> None:
    for region, title in (
        ("limburg", "een rode fiets"),
        ("amsterdam", "de witte bus"),
        ("den-haag", "de groene jas"),
        ("rotterdam", "de blauwe Golf"),
        ("limburg", "de zwarte hond"),
    ):
        await exchange.action(region, title)


async def test_with_many_actions_open_a_postcode_finds_those_of_its_region(exchange: Exchange) -> None:
    await many_actions(exchange)
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(STRANGER)

    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses("#")
    await caller.hears("ask-postcode")
    await caller.presses("3011")
    await caller.hears("confirm-area")
    await caller.hears(offered("de blauwe Golf", 1))
    await caller.hears("none-of-these")
    await caller.presses("1")
    await operator.answers()
    await operator.talks_with(caller)


async def test_a_postcode_on_a_border_offers_both_regions_its_own_first(exchange: Exchange) -> None:
    await many_actions(exchange)
    caller = await exchange.caller(STRANGER, withheld=True)

    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses("#")
    await caller.hears("ask-postcode")
    await caller.presses("2912")
    await caller.hears(offered("de groene jas", 1))
    await caller.hears(offered("de blauwe Golf", 2))


@pytest.mark.parametrize(("keys", "says"), [("#", None), ("9711", "not-there")])
async def test_without_a_postcode_that_helps_the_newest_actions_are_offered(
    exchange: Exchange, keys: str, says: str | None
) -> None:
    await many_actions(exchange)
    caller = await exchange.caller(STRANGER)

    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses("#")
    await caller.hears("ask-postcode")
    await caller.presses(keys)
    if says:
        await caller.hears(says)
    await caller.hears("choose-action")
    await caller.hears(offered("de zwarte hond", 1))


async def test_somebody_whose_action_just_ended_hears_so_and_speaks_with_the_room_all_the_same(
    exchange: Exchange,
) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    await exchange.ends(action)
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears(said_in("nl", "over", title="de blauwe Golf"))
    await caller.hears("over-or-room")
    await caller.presses("1")
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.talks_with(caller)
    await caller.hangs_up()
    call = await exchange.ended("caller hung up: talking")
    assert (call.action_id, call.match_how, call.match_confidence) == (action.id, "number", 0.9)


async def test_somebody_whose_action_just_ended_may_call_about_another(exchange: Exchange) -> None:
    ended = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, ended)
    await exchange.ends(ended)
    await exchange.action("limburg", "een rode fiets")
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("over-or-room")
    await caller.hears("ask-code")


async def test_long_after_its_end_an_action_is_not_spoken_about_any_more(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    await exchange.ends(action)
    await exchange.ended_long_ago(action)
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("nothing-open")


async def test_with_nothing_open_the_caller_hears_so(exchange: Exchange) -> None:
    await exchange.ends(await exchange.action("rotterdam"))
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears("welcome")
    await caller.hears("nothing-open")
    await caller.is_hung_up()
    assert not operator.rang
    await exchange.ended("no action")


@pytest.mark.parametrize("how", ["away", "stuck"])
async def test_without_the_database_a_known_caller_is_asked_and_the_call_is_written_later(
    exchange: Exchange, how: str
) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller(KNOWN)

    with exchange.database(how):
        await caller.dials(FREE_NUMBER)
        await caller.hears("ask-code")
        await caller.presses(action.code)
        await operator.answers()
        await operator.talks_with(caller)
        await caller.hangs_up()
        await exchange.is_quiet()
    call = await exchange.ended("caller hung up: talking")
    assert (call.match_how, call.operator_id) == ("code", "rotterdam-1")


async def test_a_fault_in_the_conversation_gives_the_caller_a_room_all_the_same(exchange: Exchange) -> None:
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller("+31104123456")

    with patch.object(exchange.board.book, "arrived", side_effect=RuntimeError("a fault")):
        await caller.dials(FREE_NUMBER)
        await caller.hears("fallback-warning")
    await operator.answers()
    await operator.talks_with(caller)
    await caller.hangs_up()
    await exchange.ended("handed to the dialplan")
