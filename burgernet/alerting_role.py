"""The alerting role."""

from __future__ import annotations

import asyncio

from burgernet.base import Base, Say


async def alerting_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    ready.set()
    await asyncio.Event().wait()
