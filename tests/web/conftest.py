"""The web role on a port of its own, over a country with two operators a room, and somebody who asks it things."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from actions.books import Actor
from actions.seed import seed
from actions.vault import new_key
from burgernet.base import Base, opened
from burgernet.embedded import free_port
from burgernet.settings import Settings
from burgernet.web_role import web_role
from tests.web.asking import Asking, Site
from web.access.tokens import Scope, Tokens

START_BOUND_S = 10.0
MANY = 100_000


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    port = free_port()
    return Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        register_keys=f"1:{new_key()}",
        police_keys=f"1:{new_key()}",
        ari_password=secrets.token_hex(16),
        ami_password=secrets.token_hex(16),
        sip_secret=secrets.token_hex(16),
        spool_file=tmp_path / "spool",
        web_bind=f"127.0.0.1:{port}",
        public_url=f"http://127.0.0.1:{port}",
        twilio_auth_token=secrets.token_hex(16),
        requests_a_minute=MANY,
    )


@pytest.fixture
async def base(settings: Settings, redis: object, actor: Actor) -> AsyncIterator[Base]:
    """Everything opened, on an empty Redis and a country."""
    async with opened(settings) as base:
        await seed(base.store, actor, operators_a_room=2)
        yield base


@pytest.fixture
async def site(base: Base) -> AsyncIterator[Site]:
    """The web role, running."""
    async with serving(base) as site:
        yield site


class serving:  # noqa: N801 - used as a verb
    """The web role of a base, while the block lasts."""

    def __init__(self, base: Base) -> None:
        self._base = base

    async def __aenter__(self) -> Site:
        ready = asyncio.Event()
        self._role = asyncio.create_task(web_role(self._base, lambda _: None, ready))
        async with asyncio.timeout(START_BOUND_S):
            await ready.wait()
        self._client = ClientSession(connector=TCPConnector(limit=0))
        return Site(self._base, self._client, self._base.settings.public_url)

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
        self._role.cancel()
        await asyncio.gather(self._role, return_exceptions=True)


@pytest.fixture
def token(base: Base, actor: Actor) -> Callable[..., Awaitable[str]]:
    """Makes tokens: for all scopes, rooms and a day, unless said otherwise."""

    async def make(*scopes: str, room: str | None = None, life: timedelta = timedelta(days=1), who: str = "cad") -> str:
        secret, _ = await Tokens(base.store).issue(who, room, scopes or tuple(Scope), life, actor)
        return secret

    return make


@pytest.fixture
async def everywhere(site: Site, token: Callable[..., Awaitable[str]]) -> Asking:
    """Somebody who may do everything in all rooms."""
    return site.asking(await token())


@pytest.fixture
async def rotterdam(site: Site, token: Callable[..., Awaitable[str]]) -> Asking:
    """Somebody who may do everything in the room of Rotterdam."""
    return site.asking(await token(room="rotterdam", who="cad-rotterdam"))


@pytest.fixture
async def limburg(site: Site, token: Callable[..., Awaitable[str]]) -> Asking:
    """Somebody who may do everything in the room of Limburg."""
    return site.asking(await token(room="limburg", who="cad-limburg"))
