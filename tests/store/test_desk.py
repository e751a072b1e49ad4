"""The action desk: starting, updating, ending, and who is on duty."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from actions import desk as module
from actions.books import Actor
from actions.desk import LIFETIME, RESULT_LIFETIME, Desk, NewAction, Refused
from actions.models import Action, Audit, Kind, Message, MessageText, Outbox, now
from actions.store import Store
from tests.store.rows import all_of, audited, told

CIRCLE = {"type": "circle", "lat": 51.9225, "lon": 4.47917, "radius": 2000}
TEXTS = {"nl": ("de blauwe Golf", "Kijk uit naar een blauwe Golf."), "en": ("the blue Golf", "Look for a blue Golf.")}
UPDATE = {"nl": ("de blauwe Golf", "De auto rijdt nu op de A20.")}
RESULT = {"nl": ("de blauwe Golf", "De auto is gevonden. Dank u wel.")}
NEW = NewAction("look_out", "rotterdam", CIRCLE, TEXTS, started_by="rotterdam-1")
SEED = [("tester", "tests", "seed", "country", "to see that it works")]


@pytest.fixture
def desk(country: Store) -> Desk:
    return Desk(country)


def audit_of(*verbs: str) -> list[tuple[str, str, str, str, str]]:
    return SEED + [("tester", "tests", verb, "action", "to see that it works") for verb in verbs]


async def nothing_but_the_seed(store: Store) -> bool:
    """Whether the refused request left no trace."""
    left = [await all_of(store, model) for model in (Action, Message, MessageText, Outbox)]
    return left == [[], [], [], []] and await audited(store) == SEED


async def test_an_action_that_starts_is_open_with_its_alert_and_a_code(
    desk: Desk, country: Store, actor: Actor
) -> None:
    started = await desk.start_action(NEW, actor)
    assert len(started.code) == 3
    assert 100 <= int(started.code) < 900
    assert (started.kind, started.room_id, started.region_id) == ("look_out", "rotterdam", "rotterdam")
    assert started.titles == {"nl": "de blauwe Golf", "en": "the blue Golf"}
    assert started.bodies["en"] == "Look for a blue Golf."
    (row,) = await all_of(country, Action)
    assert (row.status, row.started_by, row.organisation_id, row.area) == ("open", "rotterdam-1", "politie", CIRCLE)
    (alert,) = await all_of(country, Message)
    assert (alert.kind, alert.stopped_at, alert.audience_written_at) == ("alert", None, None)
    assert await audited(country) == audit_of("start")
    assert await told(country) == ["action.started"]


async def test_an_alert_is_worth_sending_as_long_as_its_kind_says(desk: Desk, country: Store, actor: Actor) -> None:
    for kind in Kind:
        started = await desk.start_action(replace(NEW, kind=kind), actor)
        (alert,) = await all_of(country, Message, action_id=started.id)
        assert abs(alert.deadline - (now() + LIFETIME[kind])) < timedelta(minutes=1)


async def test_a_room_can_take_the_action_of_another_region(desk: Desk, actor: Actor) -> None:
    started = await desk.start_action(replace(NEW, room_id="den-haag"), actor)
    assert (started.room_id, started.region_id) == ("den-haag", "rotterdam")


BOW_TIE = {"type": "Polygon", "coordinates": [[[4.4, 51.9], [4.5, 52.0], [4.5, 51.9], [4.4, 52.0], [4.4, 51.9]]]}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "burglary"}, "kind 'burglary' is not known"),
    ({"region_id": "utrecht"}, "region 'utrecht' is not known"),
    ({"started_by": "nobody"}, "operator 'nobody' is not known"),
    ({"room_id": "nowhere"}, "control room 'nowhere' is not known"),
    ({"texts": {}}, "the Dutch text is missing"),
    ({"texts": {"en": TEXTS["en"]}}, "the Dutch text is missing"),
    ({"texts": {**TEXTS, "fr": ("la Golf", "Cherchez.")}}, "language 'fr' is not known"),
    ({"texts": {"nl": ("", "x")}}, "nl: the title is empty"),
    ({"texts": {"nl": ("x", "y" * 1001)}}, "nl: the text has 1001 characters"),
    ({"texts": {**TEXTS, "en": ("a\0b", "x")}}, "en: the title holds a control character"),
    ({"area": BOW_TIE}, "crosses or touches itself"),
    ({"area": None}, "an area is a circle or"),
]


async def test_an_action_that_cannot_start_is_refused_and_nothing_changed(
    desk: Desk, country: Store, actor: Actor
) -> None:
    for change, said in WRONG:
        with pytest.raises(Refused, match=said) as refused:
            await desk.start_action(replace(NEW, **change), actor)
        assert len(refused.value.faults) == 1
    assert await nothing_but_the_seed(country)


async def test_every_fault_is_named_at_once(desk: Desk, country: Store, actor: Actor) -> None:
    wrong = NewAction("burglary", "utrecht", {"type": "Polygon"}, {"en": ("", "\0")}, "nobody", "nowhere")
    with pytest.raises(Refused) as refused:
        await desk.start_action(wrong, actor)
    for said in ("kind", "region", "operator", "control room", "area", "title", "control character", "Dutch"):
        assert said in str(refused.value)
    assert await nothing_but_the_seed(country)


async def test_codes_of_open_actions_are_never_the_same_even_when_all_start_at_once(
    desk: Desk, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = iter(range(10**6))
    monkeypatch.setattr(module, "_new_code", lambda: str(100 + next(few) % 40 // 3))
    started = await asyncio.gather(*(desk.start_action(NEW, actor) for _ in range(10)))
    assert len({one.code for one in started}) == 10
    assert {one.code for one in await desk.open_actions()} == {one.code for one in started}


async def test_a_code_that_is_taken_for_good_ends_in_a_clear_refusal(
    desk: Desk, country: Store, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_new_code", lambda: "427")
    await desk.start_action(NEW, actor)
    with pytest.raises(Refused, match="no free code was found"):
        await desk.start_action(NEW, actor)
    assert await audited(country) == audit_of("start")


async def test_a_code_is_free_again_when_its_action_is_over(
    desk: Desk, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_new_code", lambda: "427")
    first = await desk.start_action(NEW, actor)
    await desk.end_action("427", "none", RESULT, actor)
    second = await desk.start_action(NEW, actor)
    await desk.update_action("427", UPDATE, actor)
    assert first.id != second.id
    assert [action.id for action in await desk.open_actions()] == [second.id]


async def test_codes_are_spread_over_all_three_digit_numbers_that_begin_with_1_to_8() -> None:
    codes = {module._new_code() for _ in range(5000)}
    assert {code[0] for code in codes} == set("12345678")
    assert all(len(code) == 3 for code in codes)


async def test_an_update_stops_what_was_sent_before_and_adds_its_own_message(
    desk: Desk, country: Store, actor: Actor
) -> None:
    started = await desk.start_action(NEW, actor)
    await desk.update_action(started.code, UPDATE, actor)
    alert, update = await all_of(country, Message)
    assert alert.stopped_at is not None
    assert (update.kind, update.stopped_at) == ("update", None)
    assert [row.body for row in await all_of(country, MessageText, message_id=update.id)] == [UPDATE["nl"][1]]
    assert await audited(country) == audit_of("start", "update")
    assert await told(country) == ["action.started", "action.updated"]


async def test_an_update_leaves_the_alert_as_callers_heard_it(desk: Desk, actor: Actor) -> None:
    started = await desk.start_action(NEW, actor)
    await desk.update_action(started.code, UPDATE, actor)
    assert await desk.open_actions() == [started]


async def test_an_end_stops_every_message_and_adds_the_result(desk: Desk, country: Store, actor: Actor) -> None:
    started = await desk.start_action(NEW, actor)
    await desk.update_action(started.code, UPDATE, actor)
    await desk.end_action(started.code, "direct", RESULT, actor)
    alert, update, result = await all_of(country, Message)
    assert alert.stopped_at
    assert update.stopped_at
    assert (result.kind, result.stopped_at) == ("result", None)
    assert abs(result.deadline - (now() + RESULT_LIFETIME)) < timedelta(minutes=1)
    (row,) = await all_of(country, Action)
    assert (row.status, row.outcome) == ("ended", "direct")
    assert row.ended_at is not None
    assert await desk.open_actions() == []
    assert await audited(country) == audit_of("start", "update", "end")
    assert await told(country) == ["action.started", "action.updated", "action.ended"]


Step = Callable[[Desk, str, Actor], Any]
STEPS: dict[str, Step] = {
    "update": lambda desk, code, actor: desk.update_action(code, UPDATE, actor),
    "end": lambda desk, code, actor: desk.end_action(code, "none", RESULT, actor),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_code_that_is_nobodys_is_refused(desk: Desk, country: Store, actor: Actor, step: str) -> None:
    for code in ("427", "", "x" * 1000, "'--"):
        with pytest.raises(Refused, match="no action has code"):
            await STEPS[step](desk, code, actor)
    assert await nothing_but_the_seed(country)


@pytest.mark.parametrize("step", STEPS)
async def test_an_action_that_is_over_takes_no_more_steps(desk: Desk, country: Store, actor: Actor, step: str) -> None:
    started = await desk.start_action(NEW, actor)
    await desk.end_action(started.code, "none", RESULT, actor)
    with pytest.raises(Refused, match="the action is ended"):
        await STEPS[step](desk, started.code, actor)
    assert await audited(country) == audit_of("start", "end")


async def test_an_end_without_a_known_outcome_changes_nothing(desk: Desk, country: Store, actor: Actor) -> None:
    started = await desk.start_action(NEW, actor)
    for outcome in ("", "arrest"):
        with pytest.raises(Refused, match="say how it ended: direct, indirect, none"):
            await desk.end_action(started.code, outcome, RESULT, actor)
    assert await desk.open_actions() == [started]
    assert [row.stopped_at for row in await all_of(country, Message)] == [None]


async def test_bad_texts_change_nothing_in_an_open_action(desk: Desk, country: Store, actor: Actor) -> None:
    started = await desk.start_action(NEW, actor)
    for texts in ({}, {"nl": ("", "")}, {"nl": ("x", "\0")}):
        with pytest.raises(Refused):
            await desk.update_action(started.code, texts, actor)
        with pytest.raises(Refused):
            await desk.end_action(started.code, "none", texts, actor)
    assert len(await all_of(country, Message)) == 1
    assert await audited(country) == audit_of("start")


async def test_of_many_who_end_an_action_at_once_one_does_and_one_result_goes_out(
    desk: Desk, country: Store, actor: Actor
) -> None:
    started = await desk.start_action(NEW, actor)
    ends = [desk.end_action(started.code, "direct", RESULT, actor) for _ in range(8)]
    found = await asyncio.gather(*ends, return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["NoneType"] + ["OutOfStep"] * 7
    assert [row.kind for row in await all_of(country, Message)] == ["alert", "result"]


async def test_an_update_that_meets_the_end_is_refused_or_stopped(desk: Desk, country: Store, actor: Actor) -> None:
    for _ in range(5):
        started = await desk.start_action(NEW, actor)
        await asyncio.gather(
            desk.end_action(started.code, "direct", RESULT, actor),
            *(desk.update_action(started.code, UPDATE, actor) for _ in range(4)),
            return_exceptions=True,
        )
    left = await all_of(country, Message, stopped_at=None)
    assert [row.kind for row in left] == ["result"] * 5


async def test_open_actions_come_newest_first_and_a_list_can_be_of_one_status(desk: Desk, actor: Actor) -> None:
    first, second, third = [await desk.start_action(NEW, actor) for _ in range(3)]
    await desk.end_action(second.code, "none", RESULT, actor)
    assert await desk.open_actions() == [third, first]
    assert [action.id for action in await desk.list_actions()] == [third.id, second.id, first.id]
    assert [action.id for action in await desk.list_actions("ended")] == [second.id]
    assert await desk.list_actions("nonsense") == []


async def test_an_operator_signs_on_and_off(desk: Desk, country: Store, actor: Actor) -> None:
    on = await desk.sign_on("rotterdam-1", actor)
    assert (on.operator_id, on.room_id, on.language) == ("rotterdam-1", "rotterdam", "nl")
    assert on.since is not None
    assert [duty.operator_id for duty in await desk.operators() if duty.since] == ["rotterdam-1"]
    off = await desk.sign_off("rotterdam-1", actor)
    assert off.since is None
    assert [duty for duty in await desk.operators() if duty.since] == []
    assert [row.verb for row in await all_of(country, Audit)] == ["seed", "sign on", "sign off"]
    assert [row.data for row in await all_of(country, Outbox)] == [{"on": True}, {"on": False}]


async def test_a_stranger_cannot_sign_on_or_off(desk: Desk, country: Store, actor: Actor) -> None:
    for stranger in ("", "nobody", "ROTTERDAM-1", "rotterdam-1 ", "x" * 1000):
        for step in (desk.sign_on, desk.sign_off):
            with pytest.raises(Refused, match="is not known"):
                await step(stranger, actor)
    assert await nothing_but_the_seed(country)


async def test_the_desk_knows_rooms_regions_and_what_an_area_code_reaches(desk: Desk) -> None:
    rooms, regions, codes = await desk.rooms(), await desk.regions(), await desk.area_codes()
    assert rooms.keys() == {region.room_id for region in regions.values()} | {"landelijk"}
    assert rooms["landelijk"].overflow == ()
    assert codes["010"] == ("rotterdam",)
    assert all(reached in regions for row in codes.values() for reached in row)


async def test_no_text_of_a_message_stands_in_the_audit_or_the_outbox(desk: Desk, country: Store, actor: Actor) -> None:
    started = await desk.start_action(NEW, actor)
    await desk.end_action(started.code, "direct", RESULT, actor)
    written = repr(await all_of(country, Audit)) + repr(await all_of(country, Outbox))
    assert "Golf" not in written
    assert "gevonden" not in written
