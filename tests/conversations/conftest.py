"""Every conversation is held on Asterisk in memory and, the same text, on the real one."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from telephony.handset import PhoneBox, phone_box
from tests.conversations.exchange import Exchange, settings_of
from tests.conversations.pretend import fake_exchange
from tests.conversations.real import RealNode, real_exchange, real_node

Opening = AbstractAsyncContextManager[Exchange]
HERE = Path(__file__).parent
FAKE, REAL, REAL_ON_POSTGRESQL = "fake", "real", "real on postgresql"
# Questions of the flow alone, to which the real Asterisk adds nothing but minutes.
ONLY_ON_THE_FAKE = {
    "test_the_caller_gets_a_link_by_text_bound_to_call_and_action",
    "test_a_land_line_or_a_withheld_number_gets_no_link_and_the_operator_hears_why",
    "test_who_was_alerted_in_an_exercise_hears_so_and_the_operator_too",
    "test_a_caller_who_knows_nothing_of_an_exercise_is_not_offered_it",
    "test_the_code_of_an_exercise_is_asked_about_and_then_leads_to_it",
    "test_who_really_saw_something_goes_on_from_the_code_of_an_exercise",
    "test_the_trunk_of_exercises_leads_to_exercises_alone",
    "test_a_code_of_what_is_for_real_is_unknown_by_the_trunk_of_exercises",
    "test_a_caller_in_english_is_given_somebody_who_speaks_it",
    "test_callers_in_line_go_along_when_their_action_is_handed_over",
    "test_the_seats_of_a_rooms_own_exchange_are_rung",
    "test_an_operator_who_pauses_gets_no_callers_until_ready",
    "test_callers_of_a_closed_room_go_to_its_neighbour_at_once",
    "test_a_lent_operator_takes_the_callers_of_the_other_room",
    "test_who_calls_often_is_served_after_somebody_who_came_later",
    "test_a_phone_that_stays_silent_for_a_minute_ends_the_talk",
    "test_after_two_wrong_codes_the_caller_chooses_from_the_open_actions",
    "test_a_caller_without_a_code_hears_which_actions_are_open",
    "test_star_in_a_question_asks_it_again_in_the_other_language",
    "test_of_actions_equally_near_the_newest_comes_first",
    "test_a_key_outside_the_menu_is_said_and_the_menu_comes_again",
    "test_without_any_key_the_caller_hears_everything_and_then_goodbye",
    "test_a_land_line_that_calls_about_something_else_keys_the_code",
    "test_an_area_code_across_a_border_offers_both_regions_its_own_first",
    "test_everybody_in_a_household_is_known_by_its_one_number",
    "test_a_participant_with_a_foreign_number_is_known",
    "test_a_postcode_on_a_border_offers_both_regions_its_own_first",
    "test_without_a_postcode_that_helps_the_newest_actions_are_offered",
    "test_somebody_whose_action_just_ended_may_call_about_another",
    "test_long_after_its_end_an_action_is_not_spoken_about_any_more",
    "test_nobody_waits_for_an_answer_to_the_triage",
    "test_a_late_answer_to_the_triage_counts_until_the_menu_is_told",
    "test_a_caller_in_line_leaves_a_tip_instead",
    "test_star_in_line_changes_the_language_of_what_follows",
    "test_when_the_last_operator_leaves_the_caller_in_line_is_asked_for_a_tip",
    "test_when_the_last_operator_leaves_the_next_room_helps_at_once",
    "test_an_anonymous_caller_may_still_have_a_tip_recorded_without_the_number",
    "test_also_what_waits_in_the_spool_of_an_anonymous_caller_is_erased",
    "test_without_the_database_a_known_caller_is_asked_and_the_call_is_written_later",
    "test_a_tip_left_while_the_database_is_away_is_kept_once_it_is_back",
    "test_a_caller_whose_action_ended_during_the_takeover_hears_so",
    "test_a_key_that_means_nothing_is_said",
    "test_a_number_of_nobody_is_said",
    "test_a_colleague_who_is_busy_cannot_be_asked_in",
    "test_a_colleague_who_does_not_answer_leaves_everything_as_it_was",
    "test_a_key_stops_the_ringing_at_a_colleague",
    "test_a_caller_is_not_handed_to_a_room_where_nobody_is",
    "test_when_the_disk_is_full_the_talk_goes_on_and_the_operator_hears_that_it_is_not_recorded",
    "test_what_the_law_does_not_allow_is_not_recorded",
    "test_a_withheld_caller_is_never_recorded",
    "test_a_recording_ends_with_the_call_and_is_kept",
    "test_a_note_is_kept_when_the_caller_hangs_up_meanwhile",
    "test_the_key_for_leaving_ends_the_call_with_a_word",
    "test_a_colleague_who_hangs_up_leaves_the_two_together",
    "test_operator_and_colleague_speak_in_private_while_the_caller_is_on_hold",
    "test_when_the_operator_leaves_three_the_colleague_goes_on_with_the_caller",
    "test_a_colleague_goes_on_when_the_operator_left_while_no_controller_was_there",
    "test_whoever_hangs_up_whenever_leaves_nothing",
    "test_whatever_is_pressed_and_whoever_hangs_up_nothing_is_left",
    "test_a_caller_on_hold_hears_music_and_is_taken_back",
    "test_a_note_broken_off_by_a_takeover_is_kept",
    "test_a_caller_who_comes_while_a_dead_controllers_name_is_given_up_is_not_forgotten",
    "test_an_operator_who_answered_while_the_connection_went_away_is_rung_again_and_holds_no_dead_phone",
    "test_an_operator_whose_caller_left_before_the_talk_while_the_connection_was_away_is_free_again",
}
# The main job, on the database of production.
ALSO_ON_POSTGRESQL = {
    "test_a_caller_known_in_one_action_talks_with_its_room",
    "test_a_withheld_caller_keys_the_code",
    "test_a_caller_whom_nobody_can_take_leaves_a_tip_that_is_kept_sealed",
    "test_operators_sign_on_and_off_from_their_own_phone",
    "test_a_talk_goes_on_while_the_controller_is_away_and_ends_well_under_the_next",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for the whole suite: phones and Asterisk outlive a test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = metafunc.function.__name__
    if "exchange" in metafunc.fixturenames:
        kinds = [FAKE] + [REAL] * (name not in ONLY_ON_THE_FAKE) + [REAL_ON_POSTGRESQL] * (name in ALSO_ON_POSTGRESQL)
        metafunc.parametrize("kind", kinds)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealNode]:
    file = shutil.copyfile(sqlite_template, tmp_path_factory.mktemp("node") / "country.db")
    async with real_node(f"sqlite+aiosqlite:///{file}") as node:
        yield node


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def box() -> AsyncIterator[PhoneBox]:
    async with phone_box() as phones:
        yield phones


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sounds")


@pytest.fixture
def opening(kind: str, request: pytest.FixtureRequest, redis_url: str, tmp_path: Path, sounds: Path) -> Opening:
    url = request.getfixturevalue("postgres_url" if kind == REAL_ON_POSTGRESQL else "sqlite_url")
    spool = tmp_path / "spool"
    if kind == FAKE:
        return fake_exchange(settings_of(url, redis_url, spool_file=spool), sounds)
    return real_exchange(request.getfixturevalue("real"), request.getfixturevalue("box"), url, redis_url, spool)


@pytest_asyncio.fixture(loop_scope="session")
async def exchange(opening: Opening) -> AsyncIterator[Exchange]:
    async with opening as exchange:
        yield exchange
