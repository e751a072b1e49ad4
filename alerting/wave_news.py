"""How a wave of voice alerts goes at this moment, for whoever watches: kept in Redis for some seconds, and no loss when
it is lost. Keys: `burgernet:wave:MESSAGE`, JSON as `told` reads it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from alerting.wave import Answers, Holds
from alerting.wave_books import Wave

log = logging.getLogger(__name__)

KEY = "burgernet:wave:{}"
KEPT_S = 15
ANSWER_S = 2.0


@dataclass(frozen=True)
class News:
    """`a_second`: calls that began, a second, on the node that told it last. `holds`: why not more."""

    wave: Wave
    answers: Answers
    a_second: float
    holds: Holds


@dataclass(frozen=True)
class Told:
    """`ring` of `rings`: up to which a wave came. `under_way`: calls that ring or listen."""

    ring: int
    rings: int
    under_way: int
    tried: int
    answered: int
    pressed: int
    a_second: float
    holds: Holds


async def tell(redis: Redis, news: Collection[News]) -> None:
    try:
        async with asyncio.timeout(ANSWER_S), redis.pipeline(transaction=False) as said:
            for one in news:
                said.set(KEY.format(one.wave.message_id), _text(one), ex=KEPT_S)
            await said.execute()
    except (RedisError, OSError, TimeoutError) as fault:
        log.info("the pace of waves is not told: %s", type(fault).__name__)


async def told(redis: Redis, message_ids: Collection[int]) -> dict[int, Told]:
    """What is known of these waves; nothing of those that are over, and nothing while Redis is away."""
    if not message_ids:
        return {}
    try:
        async with asyncio.timeout(ANSWER_S):
            texts = await redis.mget([KEY.format(message_id) for message_id in message_ids])
    except (RedisError, OSError, TimeoutError):
        return {}
    found = zip(message_ids, texts, strict=True)
    return {message_id: _read(text) for message_id, text in found if text}


def _text(news: News) -> str:
    return json.dumps(
        {
            "ring": news.wave.ring,
            "rings": news.wave.rings,
            "under_way": news.answers.under_way,
            "tried": news.answers.tried,
            "answered": news.answers.answered,
            "pressed": news.answers.pressed,
            "a_second": news.a_second,
            "holds": news.holds,
        }
    )


def _read(text: str | bytes) -> Told:
    fields = json.loads(text)
    return Told(**(fields | {"holds": Holds(fields["holds"])}))
