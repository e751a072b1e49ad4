"""The live stream: CloudEvents as they happen, each room its own, and nothing lost by whoever comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from actions.books import Actor, tell
from actions.models import Delivery, DeliveryState, Message, Outbox
from burgernet.base import Base
from tests.web.asking import ACTION, FOUND, Asking, Site
from tests.web.conftest import serving
from tests.web.listening import Listener, listening
from web.access.tokens import Holder, Tokens
from web.stream import hub as hub_module
from web.stream import serving as stream_module
from web.stream.form import Form
from web.stream.hub import Hub, Watcher

Token = Callable[..., Awaitable[str]]
HOLDER = Holder("one", "cad", None, frozenset())


async def started(asking: Asking, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await asking.post("/v1/actions", ACTION | {"start": True} | more)).body
    return body


async def heard_of(listener: Listener, *kinds: str) -> list[str]:
    """The types of the journal's next events, without those of progress."""
    found: list[str] = []
    while len(found) < len(kinds):
        if (event := await listener.next())["type"] != "nl.burgernet.action.progress":
            found.append(event["type"].removeprefix("nl.burgernet."))
    return found


async def test_what_happens_comes_as_a_cloudevent(site: Site, everywhere: Asking, token: Token) -> None:
    async with listening(site, await token()) as listener:
        action = await started(everywhere)
        event = await listener.until("action.started")
        assert event["specversion"] == "1.0"
        assert event["source"] == "urn:nld:burgernet"
        assert event["subject"] == str(action["id"])
        assert event["dataref"] == f"{site.url}/v1/actions/{action['id']}"
        assert event["datacontenttype"] == "application/json"
        assert event["time"].endswith("Z")
        assert datetime.now(UTC) - datetime.fromisoformat(event["time"]) < timedelta(minutes=1)
        assert event["data"]["code"] == action["code"]
        assert event["data"]["room"] == "rotterdam"
        assert int(event["id"]) == int(listener.last or 0) > 0
        await everywhere.post(f"/v1/actions/{action['id']}/results", {"outcome": "none", "words": FOUND})
        assert (await listener.until("action.ended"))["data"]["outcome"] == "none"


async def test_a_token_for_one_room_hears_of_that_room_alone(site: Site, everywhere: Asking, token: Token) -> None:
    async with (
        listening(site, await token(room="limburg")) as limburg,
        listening(site, await token()) as all_rooms,
    ):
        await started(everywhere)
        await started(everywhere, region="limburg")
        await started(everywhere)
        assert await heard_of(all_rooms, *"abc") == ["action.started"] * 3
        assert (await limburg.until("action.started"))["data"]["room"] == "limburg"
        await everywhere.post("/v1/actions", ACTION | {"region": "limburg"})
        assert await heard_of(limburg, "a") == ["action.drafted"]
    assert {event["data"]["room"] for event in limburg.heard} == {"limburg"}


async def test_whoever_wants_one_action_hears_of_that_alone(site: Site, everywhere: Asking, token: Token) -> None:
    one, other = await started(everywhere), await started(everywhere)
    async with listening(site, await token(), action=one["id"]) as listener:
        for action in (other, one):
            await everywhere.post(f"/v1/actions/{action['id']}/results", {"outcome": "none", "words": FOUND})
        assert await heard_of(listener, "a") == ["action.ended"]
    assert {event["subject"] for event in listener.heard} == {str(one["id"])}


async def test_nobody_loses_anything_when_the_web_role_is_started_again(base: Base, token: Token, actor: Actor) -> None:
    secret = await token()
    async with serving(base) as site:
        asking = site.asking(secret)
        async with listening(site, secret) as listener:
            known = [(await started(asking))["id"] for _ in range(2)]
            assert await heard_of(listener, *"ab") == ["action.started"] * 2
            last = listener.last
            known.append((await started(asking))["id"])  # told, or not, when the role ends
    await happens(base, 3)
    async with serving(base) as site:
        async with listening(site, secret, last) as listener:
            known.append((await started(site.asking(secret)))["id"])
            again = [await listener.next() for _ in range(5)]
            while again[-1]["type"] != "nl.burgernet.action.started" or again[-1]["subject"] != str(known[-1]):
                again.append(await listener.next())
        journal = [event for event in again if not event["id"].startswith("progress")]
        assert [event["subject"] for event in journal] == [
            str(known[2]),
            "limburg",
            "limburg",
            "limburg",
            str(known[3]),
        ]


async def happens(base: Base, times: int, subject: str = "limburg") -> None:
    async with base.store.writing() as session:
        for _ in range(times):
            tell(session, "room.changed", subject, what="close")


async def test_a_stream_that_is_open_does_not_hold_up_the_end_of_the_web_role(base: Base, token: Token) -> None:
    secret = await token()
    role = serving(base)
    async with role as site, listening(site, secret) as listener:
        role._role.cancel()
        await listener.ends()


async def test_whoever_was_away_for_too_long_is_told_so(
    site: Site, base: Base, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    await happens(base, 6)
    monkeypatch.setattr(hub_module, "MOST_BACKLOG", 3)
    secret = await token()
    async with base.store.reading() as session:
        newest = max(row or 0 for row in await session.exec(select(Outbox.id)))
    for last, skipped in ((newest - 3, False), (newest - 4, True), (newest + 5, True), (0, True)):
        async with listening(site, secret, str(last)) as listener:
            assert ((await listener.next())["type"] == "nl.burgernet.events.skipped") == skipped


async def test_events_that_were_removed_are_told_as_skipped(site: Site, base: Base, token: Token) -> None:
    await happens(base, 5)
    async with base.store.writing() as session:
        oldest = min(row.id or 0 for row in await session.exec(select(Outbox)))
        for row in await session.exec(select(Outbox).where(col(Outbox.id) < oldest + 3)):
            await session.delete(row)
    async with listening(site, await token(), after=oldest) as listener:
        assert (await listener.next())["data"] == {"after": str(oldest), "oldest": str(oldest + 3)}
    async with listening(site, await token(), after=oldest + 2) as listener:
        assert (await listener.next())["id"] == str(oldest + 3)


async def test_the_wave_is_told_while_it_moves_by_ring_and_channel(
    site: Site, base: Base, everywhere: Asking, token: Token
) -> None:
    action = await started(everywhere)
    async with listening(site, await token(), action=action["id"]) as listener:
        async with base.store.writing() as session:
            (message,) = await session.exec(select(Message))
            for place, channel in enumerate(("voice", "sms", "sms"), start=1):
                session.add(
                    Delivery(
                        message_id=message.id or 0,
                        contact_point_id=place,
                        channel=channel,
                        language="nl",
                        state=DeliveryState.SENDING,
                        ring=min(place, 2),
                    )
                )
        while (wave := await listener.until("action.progress"))["data"]["total"] < 3:
            pass
        (alert,) = wave["data"]["messages"]
        assert (alert["kind"], alert["waiting"]) == ("alert", 3)
        assert [(ring["ring"], ring["total"]) for ring in alert["rings"]] == [(1, 1), (2, 2)]
        async with base.store.writing() as session:
            sms = col(Delivery.channel) == "sms"
            await session.exec(update(Delivery).where(sms).values(state=DeliveryState.DELIVERED))
        while (wave := await listener.until("action.progress"))["data"]["decided"] < 2:
            pass
        assert wave["data"]["messages"][0]["ways"]["sms"]["text"] == 2
        assert wave["dataref"] == f"{site.url}/v1/actions/{action['id']}/reach"


async def test_a_stream_that_is_quiet_shows_that_it_lives(
    site: Site, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "HEARTBEAT_S", 0.05)
    async with listening(site, await token()) as listener:
        async with asyncio.timeout(10):
            assert await listener.response.content.readline() == b": still here\n"


async def test_a_token_that_is_revoked_hears_nothing_more(
    site: Site, base: Base, actor: Actor, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await token()
    monkeypatch.setattr(stream_module, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(stream_module, "CHECK_S", 0.05)
    async with listening(site, secret) as listener:
        for known in await Tokens(base.store).all():
            await Tokens(base.store).revoke(known.id, actor)
        await listener.ends()


async def test_without_the_scope_or_with_a_wrong_place_it_is_refused(site: Site, token: Token) -> None:
    assert (await site.asking(await token("actions:read")).get("/v1/events")).status == 403
    assert (await site.asking(None).get("/v1/events")).status == 401
    asking = site.asking(await token())
    for wrong in ("x", "-1", "1.5", "9" * 19, "١"):
        refused = await asking.ask("GET", "/v1/events", headers={"Last-Event-ID": wrong.encode().decode("latin-1")})
        assert (refused.status, refused.faults) == (
            400,
            ["header #/Last-Event-ID: must be the id of an event of this stream"],
        )
    assert (await asking.get("/v1/events", after="x")).status == 400
    assert (await asking.get("/v1/events", number="+31612345678")).status == 400


async def test_one_token_has_a_bounded_number_of_streams(
    site: Site, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MOST_OF_ONE", 2)
    one, other = await token(), await token()
    async with listening(site, one), listening(site, one):
        refused = await site.asking(one).get("/v1/events")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "30")
        async with listening(site, other):
            monkeypatch.setattr(hub_module, "MOST_STREAMS", 3)
            assert (await site.asking(await token()).get("/v1/events")).status == 503


async def test_who_does_not_read_is_cut_and_others_read_on(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LOOK_S", 0.01)
    hub = Hub(base.store, Form("urn:nld:burgernet", "https://burgernet.example/v1"))
    slow, quick = Watcher(HOLDER, waiting=asyncio.Queue(5)), Watcher(HOLDER)
    async with hub.watching(slow), hub.watching(quick):
        assert [sent async for sent in hub.missed(quick, None)] == []
        await happens(base, 10)
        async with asyncio.timeout(10):
            await slow.ended.wait()
            for _ in range(10):
                await quick.waiting.get()
        assert not quick.ended.is_set()


async def test_while_nobody_watches_nothing_is_read(base: Base) -> None:
    hub = Hub(base.store, Form("urn:nld:burgernet", "https://burgernet.example/v1"))
    assert not hub.watched
    async with hub.watching(Watcher(HOLDER)):
        assert hub.watched
    assert not hub.watched


async def test_the_stream_holds_no_number_and_no_words(site: Site, everywhere: Asking, token: Token) -> None:
    async with listening(site, await token()) as listener:
        await started(everywhere)
        await listener.until("action.started")
        await listener.until("action.progress")
    said = json.dumps(listener.heard)
    assert "+31" not in said
    assert "Golf" not in said
