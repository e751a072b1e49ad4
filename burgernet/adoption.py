"""A controller that died is replaced within seconds by another of the same Asterisk node, which serves its name too."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from redis.exceptions import RedisError

from actions.store import Away
from burgernet.base import Base
from burgernet.served_name import ServedName, Shared, served_name
from telephony.ari import Ari, AriAway, AriError, Replaced
from telephony.lease import Lease, LeaseLost
from telephony.reconcile import is_ours
from telephony.siblings import LOOK_S, Siblings

log = logging.getLogger(__name__)

# So long after its last call an adopted name is kept: what came in late has come by then.
EMPTY_S = 5.0


class Adoption:
    """`own`: the connection with Asterisk of this process's own name."""

    def __init__(self, base: Base, shared: Shared, siblings: Siblings, own: Ari) -> None:
        self._base, self._shared, self._siblings, self._own = base, shared, siblings, own
        self.adopted: dict[str, ServedName] = {}
        self._seen: set[str] = set()
        self._begun: set[str] = set()
        self._nothing_left: set[str] = set()

    @property
    def others_live(self) -> bool:
        """Whether another controller of the node runs now."""
        return bool(self._siblings.alive)

    async def run(self) -> None:
        """Looks every half second, until cancelled; the calls of adopted names then go on in Asterisk."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(LOOK_S)
                dead = set(await self._siblings.dead())
                self._seen |= self._siblings.alive
                self._nothing_left &= dead
                for app in dead - self._begun - self._nothing_left:
                    self._begun.add(app)
                    group.create_task(self._adopt(app), name=f"in place of {app}")

    async def _adopt(self, app: str) -> None:
        """Whatever goes wrong, the own name is served on; this one is tried again."""
        try:
            if app in self._seen or await self._has_calls(app):
                await self._under_lease(Lease(self._base.redis, app, ours=False))
            else:
                self._nothing_left.add(app)
        except (RedisError, OSError, TimeoutError, AriAway, AriError, *Away) as fault:
            log.info("controller %s could not be replaced yet: %s", app, type(fault).__name__)
        except Exception as fault:
            if _given_up(fault):
                log.warning("controller %s is served by another", app)
            else:
                log.exception("controller %s: a fault while it was served here; tried again", app)
        finally:
            self._begun.discard(app)

    async def _under_lease(self, lease: Lease) -> None:
        if not await lease.take_now():
            return
        try:
            log.warning("controller %s is gone: its calls are led from here", lease.app)
            await self._serve(lease)
        finally:
            self.adopted.pop(lease.app, None)
            await asyncio.shield(lease.give_back())
        log.warning("controller %s: nothing of it is led from here any more", lease.app)
        # The next look still asks Asterisk: somebody may have come in while the name was given up.
        self._seen.discard(lease.app)

    async def _serve(self, lease: Lease) -> None:
        """Serves a name until its own controller is back, or nothing of it is left."""
        name = self.adopted[lease.app] = served_name(self._base, self._shared, lease)
        serving = asyncio.create_task(name.run(self._base, log.info, asyncio.Event()))
        over = asyncio.create_task(_over(name))
        try:
            await asyncio.wait({serving, over}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
        finally:
            for task in (serving, over):
                task.cancel()
            await asyncio.gather(serving, over, return_exceptions=True)

    async def _has_calls(self, app: str) -> bool:
        return any(is_ours(app, channel) for channel in await self._own.listing("channels"))


def _given_up(fault: Exception) -> bool:
    return isinstance(fault, ExceptionGroup) and not fault.split((LeaseLost, Replaced))[1]


async def _over(name: ServedName) -> None:
    """Returns when the name is wanted back or has been without a call for a while."""
    await name.controller.reconciled.wait()
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(EMPTY_S):
                await name.lease.wanted.wait()
                return
        if not name.controller.calls:
            return
