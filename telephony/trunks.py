"""The ways to the public network: a call is placed by the first trunk that lives and takes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from telephony.ari import Ari, AriError
from telephony.bridges import quietly
from telephony.legs import Leg, first_of
from telephony.outbound import Outgoing
from telephony.ringing import OF_THE_WAY, why_not

log = logging.getLogger(__name__)

# A trunk is asked every 10 s whether it lives, and has 2 s to answer.
NO_SIGN_S = 13.0
GONE_S = 2.0


class _TrunkFailed(Exception):
    """A trunk did not take a call: another may."""


class Trunks:
    def __init__(self, ari: Ari) -> None:
        self._ari = ari

    async def ring_out(self, leg: Leg, outgoing: Outgoing, unless: asyncio.Future[Any]) -> str:
        """By the first trunk that takes the call. "answered", else why not, as `Controller.place` tells it. Raises
        AriAway."""
        over = asyncio.get_running_loop().time() + outgoing.ring_s
        for trunk in await self.ways(outgoing):
            try:
                return await self._ring_by(trunk, leg, outgoing, over, unless)
            except _TrunkFailed as failed:
                log.info("leg %s: the trunk %s does not take it: %s", leg.id, trunk, failed)
                leg.ring_anew()
        return "unreachable"

    async def ways(self, outgoing: Outgoing) -> Sequence[str]:
        """Its trunks without those that do not answer when they are asked; a single one is tried in any case."""
        if len(outgoing.trunks) == 1:
            return outgoing.trunks
        return [trunk for trunk in outgoing.trunks if not await self._is_away(trunk)]

    async def _ring_by(self, trunk: str, leg: Leg, outgoing: Outgoing, over: float, unless: asyncio.Future[Any]) -> str:
        try:
            await self._ari.request(
                "POST",
                f"channels/{leg.id}",
                endpoint=f"PJSIP/{outgoing.number}@{trunk}",
                app=self._ari.app,
                appArgs="placed",
                callerId=outgoing.caller_id,
                timeout=int(outgoing.ring_s) + 5,
            )
        except AriError as refused:
            raise _TrunkFailed(str(refused)) from refused
        left_s = max(over - asyncio.get_running_loop().time(), 0)
        await first_of(leg.started, leg.ended, unless, bound_s=min(left_s, NO_SIGN_S))
        if left_s > NO_SIGN_S and not (leg.started.done() or leg.ended.done() or unless.done()):
            await self._give_up_the_dead(trunk, leg, outgoing)
            await first_of(leg.started, leg.ended, unless, bound_s=left_s - NO_SIGN_S)
        if leg.started.done():
            return "answered"
        if leg.ended.done():
            cause = leg.ended.result()
            if cause in OF_THE_WAY:
                raise _TrunkFailed(f"cause {cause}")
            return why_not(cause)
        return "stopped" if unless.done() else "no_answer"

    async def _is_away(self, trunk: str) -> bool:
        try:
            return bool((await self._ari.endpoint(f"PJSIP/{trunk}"))["state"] == "offline")
        except AriError:
            return True  # Asterisk runs on an older configuration, without it

    async def _give_up_the_dead(self, trunk: str, leg: Leg, outgoing: Outgoing) -> None:
        """A trunk that died a moment ago is found out while it is waited for. Raises _TrunkFailed."""
        if len(outgoing.trunks) == 1 or not await self._is_away(trunk):
            return
        await quietly(self._ari, "DELETE", f"channels/{leg.id}")
        await first_of(leg.ended, bound_s=GONE_S)  # its name is needed again
        raise _TrunkFailed("away")
