"""Calls and tips over the API: what citizens said, never who they are, and who looked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlmodel import select

from actions.books import Actor
from actions.desk import NewAction
from actions.models import Audit, Call
from actions.numbers import read_number
from actions.tips import Tips
from burgernet.base import Base
from tests.web.asking import CIRCLE, Answer, Asking

ARRIVED = datetime(2026, 11, 24, 20, 0, 0, 123456, UTC)
NUMBER = "0612345678"


async def action_in(base: Base, region: str, actor: Actor, *, exercise: bool = False) -> int:
    texts = {"nl": ("de Golf", "Kijk uit naar een blauwe Golf.")}
    new = NewAction("look_out", region, CIRCLE, texts, exercise=exercise)
    return (await base.desk.start_action(new, actor)).id


async def called(base: Base, name: str, room: str | None, action: int | None, seconds: int = 0) -> None:
    """A call that arrived so many seconds after the first, and what is known of it."""
    await base.book.arrived(name, read_number(NUMBER), "08000011", ARRIVED + timedelta(seconds=seconds))
    async with base.store.writing() as session:
        call = await session.get_one(Call, name)
        call.room_id, call.action_id, call.match_how, call.match_confidence = room, action, "alerted", 0.9


async def looked(base: Base) -> list[tuple[str, str, str, str]]:
    async with base.store.reading() as session:
        rows = await session.exec(select(Audit).where(Audit.verb == "consult"))
        return [(row.actor, row.origin, row.object_kind, row.object_id) for row in rows]


def ids(answer: Answer) -> list[str]:
    return [item["id"] for item in answer.body["items"]]


async def test_a_room_sees_its_own_calls_without_numbers(rotterdam: Asking, base: Base, actor: Actor) -> None:
    action = await action_in(base, "rotterdam", actor)
    await called(base, "call-1", "rotterdam", action)
    await called(base, "call-2", "limburg", None)
    await called(base, "call-3", None, None)
    answer = await rotterdam.get("/v1/calls")
    (call,) = answer.body["items"]
    assert (call["id"], call["room"], call["action"], call["callerKind"]) == ("call-1", "rotterdam", action, "mobile")
    assert (call["matchHow"], call["matchConfidence"]) == ("alerted", 0.9)
    assert call["arrivedAt"] == "2026-11-24T20:00:00.123456Z"
    assert "12345678" not in str(answer.body)
    assert {"sealed", "digest", "dialled"}.isdisjoint(call)


async def test_a_call_says_whether_it_is_about_an_exercise(everywhere: Asking, base: Base, actor: Actor) -> None:
    await called(base, "real", "rotterdam", await action_in(base, "rotterdam", actor), 2)
    await called(base, "exercise", "rotterdam", await action_in(base, "rotterdam", actor, exercise=True), 1)
    await called(base, "none", "rotterdam", None)
    answer = await everywhere.get("/v1/calls")
    assert [(call["id"], call["exercise"]) for call in answer.body["items"]] == [
        ("real", False),
        ("exercise", True),
        ("none", False),
    ]


async def test_a_token_for_all_rooms_sees_all_calls_page_by_page(everywhere: Asking, base: Base) -> None:
    # Two arrived in the same microsecond: neither is shown twice or left out.
    for name, seconds in (("c", 2), ("a", 1), ("b", 1), ("z", 0), ("y", 0)):
        await called(base, name, "rotterdam", None, seconds)
    pages: list[list[str]] = []
    after: dict[str, str] = {}
    while True:
        answer = await everywhere.get("/v1/calls", limit=2, **after)
        pages.append(ids(answer))
        if answer.body["next"] is None:
            break
        after = {"after": answer.body["next"]}
    assert pages == [["c", "a"], ["b", "y"], ["z"]]


async def test_the_calls_about_an_action_include_those_that_another_room_took(
    rotterdam: Asking, base: Base, actor: Actor
) -> None:
    action = await action_in(base, "rotterdam", actor)
    await called(base, "here", "rotterdam", action)
    await called(base, "next-door", "den-haag", action, 1)
    await called(base, "other", "rotterdam", None, 2)
    assert ids(await rotterdam.get(f"/v1/actions/{action}/calls")) == ["next-door", "here"]


async def test_the_tips_of_an_action_are_read_by_its_room_alone(
    rotterdam: Asking, limburg: Asking, base: Base, actor: Actor
) -> None:
    action = await action_in(base, "rotterdam", actor)
    code = next(one.code for one in await base.desk.open_actions())
    await Tips(base.store, base.vaults.police).note(
        code, "Gezien bij de brug, 3 minuten geleden. 👀", actor, "rotterdam-1"
    )
    answer = await rotterdam.get(f"/v1/actions/{action}/tips")
    (tip,) = answer.body["items"]
    assert (tip["said"], tip["source"]) == ("Gezien bij de brug, 3 minuten geleden. 👀", "note")
    assert (tip["operator"], tip["room"], tip["hasSound"]) == ("rotterdam-1", "rotterdam", False)
    assert (await limburg.get(f"/v1/actions/{action}/tips")).status == 404
    assert (await limburg.get("/v1/tips")).status == 403


async def test_tips_of_an_ended_action_are_found_though_its_code_is_in_use_again(
    rotterdam: Asking, base: Base, actor: Actor
) -> None:
    first = await base.desk.start_action(
        NewAction("look_out", "rotterdam", CIRCLE, {"nl": ("eerste", "De eerste.")}), actor
    )
    await Tips(base.store, base.vaults.police).note(first.code, "over de eerste", actor)
    await base.desk.end_action(first.id, "none", {"nl": ("eerste", "Voorbij.")}, actor)
    await base.desk.start_action(NewAction("look_out", "rotterdam", CIRCLE, {"nl": ("tweede", "De tweede.")}), actor)
    answer = await rotterdam.get(f"/v1/actions/{first.id}/tips")
    assert [tip["said"] for tip in answer.body["items"]] == ["over de eerste"]


async def test_tips_of_no_action_yet_are_for_those_who_see_all_rooms(
    everywhere: Asking, base: Base, actor: Actor
) -> None:
    await called(base, "call-1", None, None)
    await Tips(base.store, base.vaults.police).note_on_call("call-1", "weet niet welke actie", actor)
    assert [tip["said"] for tip in (await everywhere.get("/v1/tips")).body["items"]] == ["weet niet welke actie"]


async def test_every_look_at_calls_and_tips_is_written_down(
    rotterdam: Asking, everywhere: Asking, base: Base, actor: Actor
) -> None:
    action = await action_in(base, "rotterdam", actor)
    for asking, path in (
        (rotterdam, "/v1/calls"),
        (everywhere, "/v1/calls"),
        (rotterdam, f"/v1/actions/{action}/calls"),
        (rotterdam, f"/v1/actions/{action}/tips"),
        (everywhere, "/v1/tips"),
    ):
        assert (await asking.get(path)).status == 200
    room, all_of_them = ("cad-rotterdam", "api 127.0.0.1"), ("cad", "api 127.0.0.1")
    assert await looked(base) == [
        (*room, "calls", "rotterdam"),
        (*all_of_them, "calls", "all"),
        (*room, "calls of action", str(action)),
        (*room, "tips of action", str(action)),
        (*all_of_them, "tips of action", "none"),
    ]


async def test_a_refused_look_is_not_written_down_as_a_look(limburg: Asking, base: Base, actor: Actor) -> None:
    action = await action_in(base, "rotterdam", actor)
    for path in (f"/v1/actions/{action}/calls", f"/v1/actions/{action}/tips", "/v1/tips"):
        assert (await limburg.get(path)).status in (403, 404)
    assert await looked(base) == []


async def test_a_note_on_a_call_is_kept_with_its_action(rotterdam: Asking, base: Base, actor: Actor) -> None:
    action = await action_in(base, "rotterdam", actor)
    await called(base, "call-1", "rotterdam", action)
    answer = await rotterdam.post("/v1/calls/call-1/notes", {"text": "Beller klonk zeker", "operator": "rotterdam-1"})
    assert (answer.status, answer.body["call"]) == (201, "call-1")
    (tip,) = (await rotterdam.get(f"/v1/actions/{action}/tips")).body["items"]
    assert (tip["id"], tip["source"], tip["said"]) == (answer.body["id"], "note", "Beller klonk zeker")
    assert tip["operator"] == "rotterdam-1"


async def test_no_note_is_taken_on_a_call_of_another_room(rotterdam: Asking, base: Base) -> None:
    await called(base, "call-1", "limburg", None)
    for call in ("call-1", "call-2"):
        assert (await rotterdam.post(f"/v1/calls/{call}/notes", {"text": "Gezien"})).status == 404


async def test_an_empty_note_or_one_of_a_stranger_is_refused(everywhere: Asking, base: Base) -> None:
    await called(base, "call-1", "rotterdam", None)
    for note in ({"text": " "}, {"text": "Gezien", "operator": "nobody"}):
        assert (await everywhere.post("/v1/calls/call-1/notes", note)).status == 400
