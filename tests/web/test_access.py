"""Who may ask what: tokens, scopes, rooms, and how often."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict
from redis.asyncio import Redis
from sqlmodel import select

from actions.books import Actor
from actions.desk import Refused
from actions.models import Audit, Token
from burgernet.base import Base
from burgernet.settings import Settings
from tests.web.asking import ACTION, FOUND, INCIDENT, WORDS, Asking, Site
from tests.web.conftest import serving
from watch import rate
from web.access.origin import address_of
from web.access.rate import Limits, Rate
from web.access.tokens import LONGEST_LIFE, Scope, Tokens

MakeToken = Callable[..., Awaitable[str]]
EVERY_ADDRESS = [
    ("GET", "/v1/actions", "actions:read"),
    ("POST", "/v1/actions", "actions:write"),
    ("GET", "/v1/actions/1", "actions:read"),
    ("POST", "/v1/actions/1/alerts", "actions:write"),
    ("POST", "/v1/actions/1/updates", "actions:write"),
    ("POST", "/v1/actions/1/results", "actions:write"),
    ("GET", "/v1/actions/1/reach", "actions:read"),
    ("GET", "/v1/actions/1/calls", "calls:read"),
    ("GET", "/v1/actions/1/tips", "tips:read"),
    ("GET", "/v1/calls", "calls:read"),
    ("GET", "/v1/tips", "tips:read"),
    ("POST", "/v1/calls/call-1/notes", "tips:write"),
    ("GET", "/v1/rooms", "rooms:read"),
    ("GET", "/v1/rooms/rotterdam", "rooms:read"),
    ("POST", "/v1/rooms/rotterdam/changes", "rooms:write"),
    ("POST", "/v1/regions/rotterdam/takeovers", "rooms:write"),
    ("POST", "/v1/operators/rotterdam-1/changes", "rooms:write"),
    ("POST", "/v1/actions/1/handovers", "actions:write"),
    ("GET", "/v1/alarms", "alarms:read"),
    ("GET", "/v1/spending", "spending:read"),
    ("POST", "/v1/incidents", "incidents:write"),
]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def age(base: Base, by: timedelta) -> None:
    """Moves the end of every token back."""
    async with base.store.writing() as session:
        for token in await session.exec(select(Token)):
            token.expires_at -= by


async def test_without_a_valid_token_nothing_is_told(site: Site, token: MakeToken) -> None:
    good = await token()
    forged = [
        None,
        "",
        "x",
        good[:-1],
        good + "x",
        good.upper(),
        good.replace("burgernet_", ""),
        "burgernet_" + "a" * 43,
    ]
    for secret in forged:
        for method, path, _ in EVERY_ADDRESS:
            answer = await site.asking(secret).ask(method, path)
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), (secret, path)
    assert (await site.asking(good).get("/v1/actions")).status == 200


@pytest.mark.parametrize("header", ["Basic {0}", "{0}", "Bearer", "Bearer {0} {0}", "bearer{0}", "Bearer \u00e9{0}"])
async def test_a_token_in_another_form_is_none(site: Site, token: MakeToken, header: str) -> None:
    given = {"Authorization": header.format(await token())}
    assert (await site.asking(None).ask("GET", "/v1/actions", given)).status == 401


async def test_a_token_opens_what_its_scopes_say_and_nothing_else(site: Site, token: MakeToken) -> None:
    for scope in Scope:
        asking = site.asking(await token(scope))
        for method, path, needed in EVERY_ADDRESS:
            refused = (await asking.ask(method, path)).status == 403
            assert refused == (scope != needed), (scope, path)


async def test_an_expired_token_opens_nothing(site: Site, base: Base, token: MakeToken) -> None:
    asking = site.asking(await token(life=timedelta(hours=1)))
    assert (await asking.get("/v1/rooms")).status == 200
    await age(base, timedelta(hours=1))
    assert (await asking.get("/v1/rooms")).status == 401


async def test_a_revoked_token_opens_nothing_from_that_moment(site: Site, base: Base, actor: Actor) -> None:
    tokens = Tokens(base.store)
    secret, token = await tokens.issue("cad", None, [Scope.ROOMS_READ], timedelta(days=1), actor)
    assert (await site.asking(secret).get("/v1/rooms")).status == 200
    await tokens.revoke(token.id, actor)
    await tokens.revoke(token.id, actor)
    assert (await site.asking(secret).get("/v1/rooms")).status == 401


async def test_only_the_hash_of_a_token_is_kept_and_who_made_it_is_written_down(base: Base, actor: Actor) -> None:
    secret, token = await Tokens(base.store).issue("cad", "rotterdam", [Scope.ROOMS_READ], timedelta(days=1), actor)
    async with base.store.reading() as session:
        (kept,) = await session.exec(select(Token))
        (written,) = await session.exec(select(Audit).where(Audit.object_kind == "token"))
    assert secret not in repr(kept)
    assert secret.removeprefix("burgernet_").encode() not in kept.digest
    assert (written.actor, written.verb, written.object_id) == ("tester", "issue", token.id)


@pytest.mark.parametrize(
    ("actor_name", "room", "scopes", "life", "fault"),
    [
        ("", None, ["rooms:read"], timedelta(days=1), "the actor must be a name"),
        ("a\u0000b", None, ["rooms:read"], timedelta(days=1), "the actor must be a name"),
        ("x" * 81, None, ["rooms:read"], timedelta(days=1), "the actor must be a name"),
        ("cad", "utrecht", ["rooms:read"], timedelta(days=1), "control room 'utrecht' is not known"),
        ("cad", None, [], timedelta(days=1), "give at least one scope"),
        ("cad", None, ["rooms:delete"], timedelta(days=1), "scope 'rooms:delete' is not known"),
        ("cad", None, ["rooms:read"], timedelta(0), "a token lives at least a moment"),
        ("cad", None, ["rooms:read"], LONGEST_LIFE + timedelta(seconds=1), "at most 731 days"),
    ],
)
async def test_a_token_that_makes_no_sense_is_refused(
    base: Base, actor: Actor, actor_name: str, room: str | None, scopes: list[str], life: timedelta, fault: str
) -> None:
    with pytest.raises(Refused, match=fault):
        await Tokens(base.store).issue(actor_name, room, scopes, life, actor)
    assert await Tokens(base.store).all() == []


async def test_somebody_elses_action_is_as_if_it_did_not_exist(rotterdam: Asking, limburg: Asking) -> None:
    action = (await rotterdam.post("/v1/actions", ACTION)).body["id"]
    for path in ("", "/reach", "/calls", "/tips"):
        theirs = await limburg.get(f"/v1/actions/{action}{path}")
        nobodys = await limburg.get(f"/v1/actions/{action + 1}{path}")
        assert theirs.status == nobodys.status == 404
        assert theirs.body["detail"].replace(str(action), "") == nobodys.body["detail"].replace(str(action + 1), "")
    steps = {"alerts": {}, "updates": {"words": WORDS}, "results": {"words": FOUND, "outcome": "none"}}
    for step, body in steps.items():
        assert (await limburg.post(f"/v1/actions/{action}/{step}", body)).status == 404
    assert (await rotterdam.get(f"/v1/actions/{action}")).body["status"] == "draft"


async def test_in_somebody_elses_room_nothing_is_made_and_nothing_listed(rotterdam: Asking, limburg: Asking) -> None:
    await rotterdam.post("/v1/actions", ACTION)
    assert (await limburg.post("/v1/actions", ACTION)).status == 403
    assert (await limburg.post("/v1/actions", ACTION | {"room": "rotterdam"})).status == 403
    assert (await limburg.post("/v1/incidents", INCIDENT | {"room": "rotterdam"})).status == 403
    for path in ("/v1/actions", "/v1/calls"):
        assert (await limburg.get(path, room="rotterdam")).status == 403
        assert (await limburg.get(path)).body["items"] == []
    assert (await limburg.get("/v1/rooms/rotterdam")).status == 403
    assert (await limburg.get("/v1/rooms/utrecht")).status == 403
    assert [room["id"] for room in (await limburg.get("/v1/rooms")).body["items"]] == ["limburg"]
    assert (await limburg.get("/v1/tips")).status == 403
    assert len((await rotterdam.get("/v1/actions")).body["items"]) == 1


async def test_a_thousand_requests_at_once_are_all_answered(everywhere: Asking) -> None:
    answers = await asyncio.gather(
        *(everywhere.post("/v1/incidents", INCIDENT | {"number": str(place % 10)}) for place in range(200)),
        *(everywhere.get("/v1/actions") for _ in range(400)),
        *(everywhere.get("/v1/rooms") for _ in range(400)),
    )
    assert Counter(answer.status for answer in answers) == {201: 10, 200: 990}


async def test_beyond_the_limit_a_thousand_at_once_are_refused_with_when_to_come_back(
    base: Base, settings: Settings, token: MakeToken
) -> None:
    most = 100
    limited = settings.model_copy(update={"requests_a_minute": most})
    async with serving(Base(**{**vars(base), "settings": limited})) as site:
        asking = site.asking(await token())
        answers = await asyncio.gather(*(asking.get("/v1/rooms") for _ in range(1000)))
        # Refused by the token's limit, and from twice that on by the address's.
        assert Counter(answer.status for answer in answers) == {200: most, 429: 1000 - most}
        assert all(1 <= int(one.headers["Retry-After"]) <= 60 for one in answers if one.status == 429)
        assert (await site.asking(None).get("/v1/openapi.json")).status == 429


async def test_a_limit_is_over_after_its_minute(redis: Redis) -> None:
    clock = Clock()
    counted = Rate(redis, Limits(token=2, address=5), clock)
    assert [await counted.of_token("a") for _ in range(3)] == [0, 0, rate.WINDOW_S]
    assert await counted.of_token("b") == 0
    assert 0 < await redis.ttl("burgernet:rate:token:a") <= rate.WINDOW_S
    clock.now += rate.WINDOW_S
    await redis.delete("burgernet:rate:token:a")  # as Redis does after its time
    assert await counted.of_token("a") == 0


async def test_a_limit_holds_for_all_processes_together(redis: Redis) -> None:
    one, other = Rate(redis, Limits(token=3)), Rate(redis, Limits(token=3))
    assert [await one.of_token("a"), await other.of_token("a"), await one.of_token("a")] == [0, 0, 0]
    assert await other.of_token("a") == rate.WINDOW_S


async def test_without_redis_requests_are_answered_and_each_process_counts_alone() -> None:
    clock, nobody = Clock(), Redis.from_url("redis://127.0.0.1:1/0")
    counted = Rate(nobody, Limits(token=2, address=3), clock)
    assert [await counted.of_token("a") for _ in range(3)] == [0, 0, rate.WINDOW_S]
    assert [await counted.of_address("127.0.0.1") for _ in range(4)] == [0, 0, 0, rate.WINDOW_S]
    clock.now += rate.WINDOW_S
    assert await counted.of_token("a") == 0
    await nobody.aclose()


async def test_a_flood_of_askers_does_not_fill_the_memory(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "MOST_ASKERS", 10)
    counted = Rate(redis, Limits())
    for place in range(25):
        await counted.of_address(f"2001:db8::{place}")
    assert len(counted._here) <= 10


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ([], [], "192.0.2.1"),
        (["203.0.113.9"], [], "192.0.2.1"),
        (["203.0.113.9"], ["192.0.2.1"], "203.0.113.9"),
        (["198.51.100.7, 203.0.113.9"], ["192.0.2.1"], "203.0.113.9"),
        (["198.51.100.7", "203.0.113.9"], ["192.0.2.1"], "203.0.113.9"),
        (["198.51.100.7, 192.0.2.2"], ["192.0.2.1", "192.0.2.2"], "198.51.100.7"),
        (["0612345678'; --"], ["192.0.2.1"], "unknown"),
        (["192.0.2.1"], ["192.0.2.1"], "192.0.2.1"),
    ],
)
def test_only_our_own_proxies_are_believed_about_where_a_request_comes_from(
    forwarded: list[str], proxies: list[str], address: str
) -> None:
    class Transport:
        def get_extra_info(self, name: str, default: object = None) -> object:
            return ("192.0.2.1", 5000) if name == "peername" else default

    headers = [("X-Forwarded-For", value) for value in forwarded]
    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers), transport=Transport())
    assert address_of(request, proxies) == address
