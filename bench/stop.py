"""Bench `stop`: an action is ended while thousands are on their way; how late the last text of it comes."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from random import Random

from bench.results import Figure, Goal, percentile
from bench.texting import Texting, running, texting

NAME = "stop"
LATENCY_S = 0.04
SIDE_BY_SIDE = 100
WORKERS = 2
# After the end the stand-in is listened to for so long.
AFTERWARDS_S = 6.0
LATEST_S = Goal(at_most=2.0)


def run(stops: int, alerted: int) -> list[Figure]:
    """`stops`: so many actions of `alerted` people each are ended, half of them with Redis away."""
    with texting() as ground:
        return asyncio.run(_run(ground, stops, alerted))


async def _run(ground: Texting, stops: int, alerted: int) -> list[Figure]:
    chance, there, away, begun = Random(1), list[float](), list[float](), list[int]()  # noqa: S311 - the same each time
    for place in range(stops):
        without_redis = place % 2 == 1
        late, sent = await _stopped(ground, alerted, chance.uniform(0.5, 4.0), without_redis=without_redis)
        (away if without_redis else there).extend(late)
        begun.append(sent)
    everything = there + away
    told = f"of {stops} ends among {alerted:,}"
    return [
        Figure(
            NAME,
            f"last text of an ended action after the commit, {told}",
            max(everything, default=0.0),
            "s",
            goal=LATEST_S,
        ),
        Figure(NAME, "the same, Redis away", max(away, default=0.0), "s", goal=LATEST_S),
        Figure(NAME, "texts that came after the commit, p99", percentile(everything, 0.99), "s"),
        Figure(NAME, "texts that came after the commit, an end", len(everything) / max(stops, 1), "texts"),
        Figure(NAME, "texts sent before the end, fewest", min(begun, default=0), "texts", goal=Goal(at_least=1)),
    ]


async def _stopped(ground: Texting, alerted: int, after_s: float, *, without_redis: bool) -> tuple[list[float], int]:
    """How long after the commit each late text came, in seconds, and how many came before. The end is committed in
    another process, with nobody ringing the bell."""
    await ground.forgets_all()
    action = await ground.alerts(alerted)
    redis = "redis://127.0.0.1:1/0" if without_redis else ground.redis
    async with running("bench.stand_in", answer_after_s=LATENCY_S) as twilio, AsyncExitStack() as workers:
        for _ in range(WORKERS):
            await workers.enter_async_context(ground.worker(twilio.ready, SIDE_BY_SIDE, redis))
        while not json.loads(await twilio.asked(""))["count"]:  # noqa: ASYNC110 - it comes in another process
            await asyncio.sleep(0.02)
        await asyncio.sleep(after_s)
        await ground.ends(action)
        committed = time.time()
        await asyncio.sleep(AFTERWARDS_S)
        came = json.loads(await twilio.asked("latest"))["latest"]
    alerts = [at for at, kind in came if kind == "alert"]
    return [at - committed for at in alerts if at > committed], sum(at <= committed for at in alerts)
