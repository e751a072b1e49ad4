"""A worker in a process of its own, to be killed: python -m tests.alerting.worker, with one line of JSON on stdin: the
addresses of the database, of Redis, of Twilio and of our callbacks, and the register's key in hexadecimal. Prints "at
work"; ends only when it is killed."""

from __future__ import annotations

import asyncio
import json
import sys

from redis.asyncio import Redis

from actions.desk import Desk
from actions.register import Register
from actions.store import Store
from actions.vault import Vault
from stand_ins.twilio import Twilio
from tests.alerting.town import Town
from tests.alerting.works import ACCOUNT, TOKEN, Works


async def work(database: str, redis: str, twilio: str, public: str, key: str) -> None:
    store = Store.open(database)
    town = Town(store, Register(store, Vault({1: bytes.fromhex(key)})), Desk(store))
    elsewhere = Twilio(ACCOUNT, TOKEN)
    elsewhere.url = twilio
    works = Works(town, Redis.from_url(redis, decode_responses=True), elsewhere, public)
    async with works.working(side_by_side=10):
        print("at work", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(**json.loads(sys.stdin.readline())))
