"""The texting works: a town, a stand-in for Twilio, the address it calls back, and workers of our own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web
from redis.asyncio import Redis

from actions.matching import OpenAction
from actions.models import DeliveryState
from actions.numbers import allowed
from actions.register import Register
from actions.store import Store
from alerting.audience import write_next
from alerting.channels.sms import TwilioSms
from alerting.channels.twilio_client import TwilioClient
from alerting.dispatcher import Dispatcher
from alerting.queue import Queue
from burgernet.embedded import free_port
from stand_ins.twilio import Twilio
from tests.alerting.town import Town, number, somebody, until
from web.hooks import twilio as hooks
from web.server import application

ACCOUNT, TOKEN = f"AC{'7' * 32}", "the token of the account"


@dataclass(frozen=True)
class Works:
    town: Town
    redis: Redis
    twilio: Twilio
    public_url: str

    async def alerts(self, people: int) -> OpenAction:
        """An action starts among so many people, and its audience is written."""
        await self.town.has(*(somebody(name, name) for name in range(people)))
        action = await self.town.looks_out()
        while await write_next(self.town.store, self.redis):
            pass
        return action

    @asynccontextmanager
    async def working(
        self, store: Store | None = None, redis: Redis | None = None, attempt_s: float = 20.0, side_by_side: int = 20
    ) -> AsyncIterator[Dispatcher]:
        """A worker at its work while the block lasts; at the end it finishes what is under way."""
        store, town = store or self.town.store, self.town
        client = TwilioClient(ACCOUNT, TOKEN, self.twilio.url)
        channel = TwilioSms(client, "Burgernet", f"{self.public_url}{hooks.STATUS}", "0800-0011")
        may_reach = partial(allowed, prefixes=["+316"], refused=[])
        register = Register(store, town.register._vault)
        queue = Queue(store, "sms", channel.provider, attempt_s)
        worker = Dispatcher(store, redis or self.redis, register, queue, channel, may_reach, side_by_side)
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.close()

    async def come_to(self, action: OpenAction, state: str = DeliveryState.DELIVERED, kind: str = "alert") -> None:
        """Every delivery of the message reaches this state."""

        async def so() -> bool:
            return {row.state for row in await self.town.rows(action, kind)} == {state}

        await until(so, f"every {kind} is {state}", 45)

    def texted(self, kind: str = "") -> Counter[str]:
        """How many texts each number got; only those whose body holds `kind`."""
        return Counter(message["to"] for message in self.twilio.messages if kind in message["body"])


def once_each(people: int) -> Counter[str]:
    return Counter(number(name) for name in range(people))


@asynccontextmanager
async def called_back(store: Store) -> AsyncIterator[str]:
    """The address that providers call back, served."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    runner = web.AppRunner(application(hooks.routes(store, TOKEN, url)), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield url
    finally:
        await runner.cleanup()
