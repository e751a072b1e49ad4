"""Rooms and operators as a duty officer changes them: all or nothing, with an audit row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from actions.books import Actor
from actions.desk import Desk, NewAction, Refused
from actions.models import Audit
from actions.rooms import Rooms
from actions.store import Store
from tests.store.rows import all_of

CIRCLE = {"type": "circle", "lat": 51.92, "lon": 4.48, "radius": 2000}
NEW = NewAction("look_out", "rotterdam", CIRCLE, {"nl": ("de blauwe Golf", "Kijk uit naar een blauwe Golf.")})


@pytest.fixture
def rooms(country: Store) -> Rooms:
    return Rooms(country)


@pytest.fixture
def desk(country: Store) -> Desk:
    return Desk(country)


async def verbs(store: Store) -> list[str]:
    return [row.verb for row in await all_of(store, Audit)][1:]


async def test_a_room_closes_and_opens(rooms: Rooms, desk: Desk, country: Store, actor: Actor) -> None:
    assert (await rooms.close("rotterdam", actor)).closed_at
    assert (await desk.rooms())["rotterdam"].closed_at
    assert (await rooms.open("rotterdam", actor)).closed_at is None
    assert await verbs(country) == ["close", "open"]


async def test_a_room_says_who_helps_it_out_in_which_order(rooms: Rooms, desk: Desk, actor: Actor) -> None:
    assert (await desk.rooms())["rotterdam"].overflow == ("den-haag",)
    await rooms.overflow("rotterdam", ["limburg", "den-haag"], 15, actor)
    room = (await desk.rooms())["rotterdam"]
    assert (room.overflow, room.overflow_after_s) == (("limburg", "den-haag"), 15)


@pytest.mark.parametrize("others", [["rotterdam"], ["limburg", "limburg"], ["utrecht"]])
async def test_an_order_of_help_that_makes_no_sense_is_refused(
    rooms: Rooms, country: Store, actor: Actor, others: list[str]
) -> None:
    with pytest.raises(Refused):
        await rooms.overflow("rotterdam", others, None, actor)
    assert await verbs(country) == []


async def test_a_room_takes_over_a_region_with_its_open_actions_and_gives_it_back(
    rooms: Rooms, desk: Desk, country: Store, actor: Actor
) -> None:
    await desk.start_action(NEW, actor)
    await rooms.take_over("rotterdam", "den-haag", actor)
    assert [action.room_id for action in await desk.open_actions()] == ["den-haag"]
    assert (await desk.start_action(NEW, actor)).room_id == "den-haag"
    assert await rooms.give_back("rotterdam", actor) == "rotterdam"
    assert {action.room_id for action in await desk.open_actions()} == {"rotterdam"}
    assert await verbs(country) == ["start", "take over", "hand over", "start", "give back", "hand over", "hand over"]


async def test_an_action_is_handed_over_by_its_code(rooms: Rooms, desk: Desk, actor: Actor) -> None:
    started = await desk.start_action(NEW, actor)
    await rooms.hand_over(started.code, "limburg", actor)
    assert [action.room_id for action in await desk.open_actions()] == ["limburg"]


async def test_an_operator_is_lent_and_returned(rooms: Rooms, actor: Actor) -> None:
    assert (await rooms.lend("rotterdam-1", "limburg", actor)).serves == "limburg"
    assert (await rooms.take_back("rotterdam-1", actor)).serves == "rotterdam"


async def test_an_operator_has_languages_and_skills(rooms: Rooms, desk: Desk, actor: Actor) -> None:
    await rooms.change_operator("rotterdam-1", ["en"], None, actor)
    duty = await rooms.change_operator("rotterdam-1", None, ["children"], actor)
    assert (duty.languages, duty.skills) == (("en",), ("children",))
    with pytest.raises(Refused, match="languages must be"):
        await rooms.change_operator("rotterdam-1", ["fr"], None, actor)


async def test_a_pause_ends_with_the_next_sign_on(rooms: Rooms, desk: Desk, actor: Actor) -> None:
    await desk.sign_on("rotterdam-1", actor)
    assert (await rooms.pause("rotterdam-1", actor)).paused
    assert not (await rooms.ready("rotterdam-1", actor)).paused
    await rooms.pause("rotterdam-1", actor)
    assert not (await desk.sign_on("rotterdam-1", actor)).paused


async def test_what_is_not_known_cannot_be_changed(rooms: Rooms, country: Store, actor: Actor) -> None:
    steps: list[Callable[[], Awaitable[object]]] = [
        lambda: rooms.close("utrecht", actor),
        lambda: rooms.take_over("utrecht", "limburg", actor),
        lambda: rooms.take_over("limburg", "utrecht", actor),
        lambda: rooms.give_back("utrecht", actor),
        lambda: rooms.lend("rotterdam-1", "utrecht", actor),
        lambda: rooms.lend("utrecht-1", "limburg", actor),
        lambda: rooms.pause("utrecht-1", actor),
        lambda: rooms.hand_over("427", "limburg", actor),
    ]
    for step in steps:
        with pytest.raises(Refused, match=r"known|no action"):
            await step()
    assert await verbs(country) == []


async def test_a_room_has_an_exchange_of_its_own_with_seats(rooms: Rooms, desk: Desk, actor: Actor) -> None:
    await rooms.switchboard("rotterdam", "sip:5000@192.0.2.7:5070", 3, actor)
    room = (await desk.rooms())["rotterdam"]
    assert (room.switchboard, room.seats) == ("sip:5000@192.0.2.7:5070", 3)
    assert (await rooms.switchboard("rotterdam", "", 0, actor)).seats == 0


@pytest.mark.parametrize(
    ("address", "seats"),
    [("sip:5000@192.0.2.7", 0), ("", 3), ("5000", 3), ("sip:5000@a b", 3), ("sip:5000@a\n[evil]", 3), ("tel:112", 1)],
)
async def test_an_exchange_that_cannot_be_rung_is_refused(rooms: Rooms, actor: Actor, address: str, seats: int) -> None:
    with pytest.raises(Refused, match="an exchange has an address"):
        await rooms.switchboard("rotterdam", address, seats, actor)
