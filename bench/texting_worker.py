"""A worker of the benches: python -m bench.texting_worker, told on stdin what bench.texting tells it. Works until it is
told to end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from functools import partial

import uvloop
from redis.asyncio import Redis

from actions.numbers import allowed
from actions.register import Register
from actions.store import Store
from actions.vault import Vault
from alerting.channels.sms import TwilioSms
from alerting.channels.twilio_client import TwilioClient
from alerting.dispatcher import Dispatcher
from alerting.queue import Queue
from bench.stand_in import ACCOUNT, TOKEN
from bench.texting import KEY

ATTEMPT_S = 30.0


async def work(database: str, redis: str, twilio: str, side_by_side: int) -> None:
    store = Store.open(database)
    client = TwilioClient(ACCOUNT, TOKEN, twilio)
    channel = TwilioSms(client, "Burgernet", "http://127.0.0.1:9/status", "0800-0011")
    may_reach = partial(allowed, prefixes=["+316"], refused=[])
    news = Redis.from_url(redis, decode_responses=True)
    register = Register(store, Vault({1: KEY}))
    queue = Queue(store, "sms", channel.provider, ATTEMPT_S)
    dispatcher = Dispatcher(store, news, register, queue, channel, may_reach, side_by_side)
    running = asyncio.create_task(dispatcher.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    print("at work", flush=True)
    try:
        await asyncio.gather(running, return_exceptions=True)
    finally:
        await client.close()
        await news.aclose()
        await store.close()


if __name__ == "__main__":
    uvloop.run(work(**json.loads(sys.stdin.readline())))
