"""What most would write: a loop of Twilio's official client, with the SQL writes of a delivery; or, `bare`, a loop of
aiohttp alone. python -m bench.references.twilio_loop, told on stdin; works until it is told to end.

It knows all numbers, reads no queue, looks at no stop flag and asks nobody afterwards: only what is written is the
same, an attempt before the request and what became of it after."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress

import asyncpg
import uvloop
from aiohttp import ClientSession, TCPConnector, encode_basic_auth
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from bench.stand_in import ACCOUNT, TOKEN
from bench.texting import number_of

BODY = (
    "Burgernet: De blauwe Golf. Kijk uit naar een blauwe Golf. Hij reed het laatst op de Coolsingel naar het noorden. "
    "Gezien? Ga er niet zelf op af. Bel 0800-0011, code 427. Geen berichten meer? Antwoord STOP."
)
BEGUN = """INSERT INTO desk.attempt (id, delivery_id, number, provider, state, started_at, deadline)
           VALUES ($1, $2, 1, 'twilio', 'sending', now(), now() + interval '30 s')"""
CLAIMED = """UPDATE desk.delivery SET state = 'sending', changed_at = now(), claimed_until = now() + interval '30 s'
             WHERE id = $1"""
SENT = "UPDATE desk.attempt SET state = 'sent', provider_id = $2, provider_status = $3 WHERE id = $1"
DONE = "UPDATE desk.delivery SET state = 'sent', changed_at = now(), claimed_until = NULL WHERE id = $1"


class _Http(AsyncTwilioHttpClient):  # type: ignore[misc]
    """The library's own, at another address."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    async def request(self, method: str, uri: str, *args: object, **kwargs: object) -> object:
        return await super().request(method, uri.replace("https://api.twilio.com", self._base, 1), *args, **kwargs)


async def with_sql(database: str, twilio: str, side_by_side: int) -> None:
    pool = await asyncpg.create_pool(database.replace("+asyncpg", ""), min_size=10, max_size=30)
    deliveries = iter([row["id"] for row in await pool.fetch("SELECT id FROM desk.delivery ORDER BY distance, id")])
    numbers = (number_of(place) for place in range(10**8))
    async with _Http(twilio) as http:
        client = Client(ACCOUNT, TOKEN, http_client=http)
        await asyncio.gather(*(_send_all(pool, client, deliveries, numbers) for _ in range(side_by_side)))
    await pool.close()


async def _send_all(pool: asyncpg.Pool, client: Client, deliveries: Iterator[int], numbers: Iterator[str]) -> None:
    for delivery in deliveries:
        attempt = uuid.uuid4().hex
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(BEGUN, attempt, delivery)
            await connection.execute(CLAIMED, delivery)
        taken = await client.messages.create_async(
            to=next(numbers), from_="Burgernet", body=BODY, status_callback=f"http://127.0.0.1:9/status/{attempt}"
        )
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(SENT, attempt, taken.sid, str(taken.status))
            await connection.execute(DONE, delivery)


async def bare(twilio: str, side_by_side: int) -> None:
    numbers = (number_of(place) for place in range(10**8))
    url = f"{twilio}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    proof = {"Authorization": encode_basic_auth(ACCOUNT, TOKEN)}

    async def post(session: ClientSession) -> None:
        for number in numbers:
            form = {"To": number, "From": "Burgernet", "Body": BODY, "StatusCallback": "http://127.0.0.1:9/status/1"}
            async with session.post(url, data=form, headers=proof) as answer:
                await answer.json()

    async with ClientSession(connector=TCPConnector(limit=side_by_side)) as session:
        await asyncio.gather(*(post(session) for _ in range(side_by_side)))


async def main(way: str, database: str, twilio: str, side_by_side: int) -> None:
    work = bare(twilio, side_by_side) if way == "bare" else with_sql(database, twilio, side_by_side)
    running = asyncio.create_task(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    print("at work", flush=True)
    with suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    uvloop.run(main(**json.loads(sys.stdin.readline())))
