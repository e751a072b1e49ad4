"""The stand-in for Twilio in a process of its own: python -m bench.stand_in, told on stdin how long an answer takes.
Prints its address; then, for each line it reads, JSON: how many texts it took, how many to the same number twice, and
when the last ones came."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections import deque
from typing import Any

import uvloop

from stand_ins.twilio import Behaviour, Twilio

ACCOUNT, TOKEN = f"AC{'7' * 32}", "the token of the account"
# When the latest came, wall clock: enough for a bench that asks how late.
LATEST = 20_000


async def serve(answer_after_s: float) -> None:
    twilio = Twilio(ACCOUNT, TOKEN, usual=Behaviour(answer_after_s=answer_after_s, statuses=()))
    count, latest, numbers = 0, deque[float](maxlen=LATEST), set[str]()
    kinds: deque[str] = deque(maxlen=LATEST)

    def received(form: dict[str, str]) -> None:
        nonlocal count
        count += 1
        latest.append(time.time())
        kinds.append("result" if "is voorbij" in form["Body"] else "alert")
        numbers.add(form["To"])
        # A million texts are not kept.
        twilio.requests.clear()
        if len(twilio.messages) > 2 * LATEST:
            del twilio.messages[:LATEST]

    twilio.on_request = received
    async with twilio:
        print(twilio.url, flush=True)
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        loop.add_signal_handler(signal.SIGTERM, over.cancel)
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while not over.done():
            asked = asyncio.ensure_future(reader.readline())
            await asyncio.wait({asked, over}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done() or not asked.result():
                asked.cancel()
                break
            told: dict[str, Any] = {"count": count, "twice": count - len(numbers)}
            if asked.result().strip() == b"latest":
                told["latest"] = [[at, kind] for at, kind in zip(latest, kinds, strict=True)]
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(**json.loads(sys.stdin.readline())))
