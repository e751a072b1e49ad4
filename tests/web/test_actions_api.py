"""Actions over the API: from a draft to the result."""

import asyncio
import re
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from actions.models import Action, Audit, Boundary, Delivery, DeliveryState, Message, MessageText
from burgernet.base import Base
from tests.web.asking import ACTION, CIRCLE, FOUND, INCIDENT, WORDS, Asking

UTC_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


async def made(asking: Asking, **changes: object) -> Any:
    answer = await asking.post("/v1/actions", ACTION | changes)
    assert answer.status == 201, answer.body
    return answer.body


async def audit(base: Base) -> list[tuple[str, str, str, str, str]]:
    async with base.store.reading() as session:
        rows = await session.exec(select(Audit).where(Audit.object_kind != "country", Audit.object_kind != "token"))
        return [(row.actor, row.origin, row.verb, row.object_id, row.reason) for row in rows]


async def test_an_action_goes_from_draft_to_result_over_the_api(rotterdam: Asking, base: Base) -> None:
    drafted = await rotterdam.post("/v1/actions", ACTION | {"why": "112 call"})
    assert drafted.status == 201
    action = drafted.body["id"]
    assert drafted.headers["Location"] == f"/v1/actions/{action}"
    assert (drafted.body["status"], drafted.body["code"], drafted.body["words"]) == ("draft", None, WORDS)
    assert drafted.body["area"] == CIRCLE
    assert UTC_MOMENT.fullmatch(drafted.body["createdAt"])

    started = await rotterdam.post(f"/v1/actions/{action}/alerts", {"operator": "rotterdam-1"})
    assert (started.status, started.body["status"], started.body["operator"]) == (200, "open", "rotterdam-1")
    assert re.fullmatch(r"[1-8]\d\d", started.body["code"])

    news = {"nl": {"title": "de blauwe Golf", "text": "De auto rijdt nu op de A20."}}
    updated = await rotterdam.post(f"/v1/actions/{action}/updates", {"words": news})
    assert (updated.status, updated.body["status"], updated.body["words"]) == (200, "open", WORDS)

    ended = await rotterdam.post(f"/v1/actions/{action}/results", {"outcome": "direct", "words": FOUND, "why": "found"})
    assert (ended.status, ended.body["status"], ended.body["outcome"]) == (200, "ended", "direct")
    assert (await rotterdam.get(f"/v1/actions/{action}")).body == ended.body

    async with base.store.reading() as session:
        messages = list(await session.exec(select(Message).order_by(Message.id)))  # type: ignore[arg-type]
    assert [(message.kind, message.stopped_at is None) for message in messages] == [
        ("alert", False),
        ("update", False),
        ("result", True),
    ]
    me = ("cad-rotterdam", "api 127.0.0.1")
    assert await audit(base) == [
        (*me, "draft", str(action), "112 call"),
        (*me, "start", str(action), "asked through the API"),
        (*me, "update", str(action), "asked through the API"),
        (*me, "end", str(action), "found"),
    ]


async def test_an_area_known_by_name_is_looked_up_and_shown_as_it_was_given(rotterdam: Asking, base: Base) -> None:
    area = {"type": "municipalities", "codes": ["GM0599"]}
    refused = await rotterdam.post("/v1/actions", ACTION | {"area": area})
    assert refused.status == 400
    assert "burgernet places import" in str(refused.body)
    async with base.store.writing() as session:
        shape = shapely.to_wkb(shapely.box(90_000, 430_000, 100_000, 440_000))
        session.add(Boundary(code="GM0599", kind="municipality", name="Rotterdam", shape=shape))
    action = await made(rotterdam, area=area)
    assert action["area"] == area
    assert (await made(rotterdam, area={"type": "nation"}))["area"] == {"type": "nation"}


async def test_an_action_can_start_at_once_in_two_languages(rotterdam: Asking, base: Base) -> None:
    words = WORDS | {"en": {"title": "the blue Golf", "text": "Look for a blue Golf. 🚗"}}
    action = await made(rotterdam, start=True, words=words)
    assert (action["status"], action["words"]) == ("open", words)
    async with base.store.reading() as session:
        assert {row.language: row.body for row in await session.exec(select(MessageText))} == {
            "nl": "Kijk uit naar een blauwe Golf.",
            "en": "Look for a blue Golf. 🚗",
        }


@pytest.mark.parametrize(
    ("steps", "then", "said"),
    [
        (["alerts"], "alerts", "the action is open: it cannot become open"),
        ([], "updates", "the action is draft: only an open action can be updated"),
        (["alerts", "results"], "updates", "the action is ended: only an open action can be updated"),
        (["alerts", "results"], "results", "the action is ended: it cannot become ended"),
        (["alerts", "results"], "alerts", "the action is ended: it cannot become open"),
    ],
)
async def test_a_step_out_of_order_is_a_conflict(rotterdam: Asking, steps: list[str], then: str, said: str) -> None:
    bodies = {"alerts": {}, "updates": {"words": WORDS}, "results": {"words": FOUND, "outcome": "none"}}
    action = (await made(rotterdam))["id"]
    for step in steps:
        assert (await rotterdam.post(f"/v1/actions/{action}/{step}", bodies[step])).status == 200
    refused = await rotterdam.post(f"/v1/actions/{action}/{then}", bodies[then])
    assert (refused.status, refused.body["detail"]) == (409, said)


async def test_of_many_who_start_one_draft_at_once_one_does(rotterdam: Asking, base: Base) -> None:
    action = (await made(rotterdam))["id"]
    answers = await asyncio.gather(*(rotterdam.post(f"/v1/actions/{action}/alerts", {}) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 9
    async with base.store.reading() as session:
        assert len(list(await session.exec(select(Message)))) == 1


async def test_an_incident_becomes_a_draft_and_the_same_number_twice_is_the_same_draft(
    rotterdam: Asking, base: Base
) -> None:
    first = await rotterdam.post("/v1/incidents", INCIDENT)
    again = await rotterdam.post("/v1/incidents", INCIDENT | {"text": "Iets anders."})
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert (first.body["status"], first.body["incident"], first.body["kind"]) == ("draft", "2026-0815", "missing_child")
    assert first.body["words"]["nl"]["title"] == "een meisje van zes"
    assert first.headers["Location"] == again.headers["Location"] == f"/v1/actions/{first.body['id']}"
    assert [row[2] for row in await audit(base)] == ["draft"]


async def test_an_incident_reported_by_many_at_once_is_one_draft(rotterdam: Asking, base: Base) -> None:
    answers = await asyncio.gather(*(rotterdam.post("/v1/incidents", INCIDENT) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({answer.body["id"] for answer in answers}) == 1
    async with base.store.reading() as session:
        assert len(list(await session.exec(select(Action)))) == 1


async def test_the_same_incident_number_in_another_room_is_another_incident(rotterdam: Asking, limburg: Asking) -> None:
    here = await rotterdam.post("/v1/incidents", INCIDENT)
    there = await limburg.post("/v1/incidents", INCIDENT | {"region": "limburg"})
    assert (here.status, there.status) == (201, 201)
    assert here.body["id"] != there.body["id"]


async def test_an_incident_that_has_become_an_action_is_not_started_a_second_time(rotterdam: Asking) -> None:
    report = await rotterdam.post("/v1/incidents", INCIDENT)
    again = await rotterdam.post("/v1/actions", ACTION | {"incident": INCIDENT["number"], "start": True})
    assert (again.status, again.body) == (200, report.body)


async def test_an_incident_of_a_room_without_a_region_named_goes_to_the_room_of_the_token(limburg: Asking) -> None:
    """A room can take over the region of another: the token says whose system it is."""
    taken = await limburg.post("/v1/incidents", INCIDENT)
    assert (taken.status, taken.body["region"], taken.body["room"]) == (201, "rotterdam", "limburg")


async def test_actions_are_listed_page_by_page_newest_first(everywhere: Asking) -> None:
    ids = [(await made(everywhere))["id"] for _ in range(5)]
    first = (await everywhere.get("/v1/actions", limit=2)).body
    second = (await everywhere.get("/v1/actions", limit=2, before=first["next"])).body
    last = (await everywhere.get("/v1/actions", limit=2, before=second["next"])).body
    assert [item["id"] for page in (first, second, last) for item in page["items"]] == ids[::-1]
    assert last["next"] is None


async def test_a_last_page_that_is_full_says_that_it_is_the_last(everywhere: Asking) -> None:
    ids = [(await made(everywhere))["id"] for _ in range(2)]
    page = (await everywhere.get("/v1/actions", limit=2)).body
    assert ([item["id"] for item in page["items"]], page["next"]) == (ids[::-1], None)


async def test_actions_are_listed_by_status_and_room(everywhere: Asking) -> None:
    await made(everywhere)
    open_one = await made(everywhere, start=True)
    elsewhere = await made(everywhere, region="limburg", start=True)
    found = (await everywhere.get("/v1/actions", status="open")).body["items"]
    assert [item["id"] for item in found] == [elsewhere["id"], open_one["id"]]
    found = (await everywhere.get("/v1/actions", status="open", room="rotterdam")).body["items"]
    assert [item["id"] for item in found] == [open_one["id"]]
    assert (await everywhere.get("/v1/actions", status="ended")).body == {"items": [], "next": None}


async def test_the_reach_tells_humans_machines_texts_and_why_others_were_not_reached(
    rotterdam: Asking, base: Base
) -> None:
    action = await made(rotterdam, start=True)
    rows = [
        ("voice", DeliveryState.CONFIRMED, None),
        ("voice", DeliveryState.CONFIRMED, None),
        ("voice", DeliveryState.ANSWERED, None),
        ("voice", DeliveryState.MACHINE, None),
        ("voice", DeliveryState.BUSY, None),
        ("voice", DeliveryState.NO_ANSWER, None),
        ("voice", DeliveryState.CANCELLED, "the action was over before this could be sent"),
        ("sms", DeliveryState.DELIVERED, None),
        ("sms", DeliveryState.SENT, None),
        ("sms", DeliveryState.PENDING, None),
        ("sms", DeliveryState.SENDING, None),
        ("sms", DeliveryState.FAILED, "this number is not in use"),
    ]
    async with base.store.writing() as session:
        (message,) = await session.exec(select(Message))
        assert message.id is not None
        for place, (channel, state, reason) in enumerate(rows, start=1):
            session.add(
                Delivery(
                    message_id=message.id,
                    contact_point_id=place,
                    channel=channel,
                    language="nl",
                    state=state,
                    reason=reason,
                )
            )
    answer = await rotterdam.get(f"/v1/actions/{action['id']}/reach")
    (alert,) = answer.body["messages"]
    assert {name: count for name, count in alert.items() if isinstance(count, int)} == {
        "message": message.id,
        "total": 12,
        "human": 2,
        "answered": 1,
        "machine": 1,
        "text": 1,
        "push": 0,
        "mail": 0,
        "unknown": 1,
        "waiting": 2,
        "notReached": 3,
        "neverTried": 1,
    }
    assert alert["reasons"] == {
        "busy": 1,
        "no answer": 1,
        "this number is not in use": 1,
        "the action was over before this could be sent": 1,
    }
    assert alert["channels"]["voice"]["confirmed"] == 2
    assert alert["channels"]["sms"]["failed"] == 1
    assert alert["ways"]["voice"]["human"] == 2
    assert [(ring["ring"], ring["total"], ring["machine"]) for ring in alert["rings"]] == [(0, 12, 1)]
    assert (alert["people"]["total"], alert["people"]["human"], alert["people"]["notReached"]) == (12, 2, 3)


async def test_before_an_audience_is_written_nobody_is_reached(rotterdam: Asking) -> None:
    action = await made(rotterdam)
    assert (await rotterdam.get(f"/v1/actions/{action['id']}/reach")).body == {"messages": []}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(sorted(INCIDENT)), value=JSON)
async def test_no_value_of_any_field_leads_to_a_fault_of_ours(everywhere: Asking, field: str, value: object) -> None:
    answer = await everywhere.post("/v1/incidents", INCIDENT | {field: value})
    assert answer.status in (200, 201, 400), answer.body
