"""Ringing one more telephone for a call: a phone of ours, or a number outside; and whispering to whoever answers."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from telephony.ari import AriError
from telephony.legs import Hangup, Leg, first_of
from telephony.listener import PLAY_BOUND_S, Listener
from telephony.speech import Prompt

if TYPE_CHECKING:
    from telephony.controller import Controller

log = logging.getLogger(__name__)

CHECKPOINT = "BN_CHECKPOINT"
# Q.850: the way is the matter, not who was called. No route, out of order, no channel, failure, congestion, no reply.
OF_THE_WAY = {3, 27, 34, 38, 41, 42, 44, 102}
GONE_S = 1.0


class NotReached(Exception):
    """A phone that was rung did not become part of the call. `why`: busy, refused, no_answer, not_in_use, unreachable,
    gone; stopped when it was not wanted any more."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Ringing:
    """For the call `call_id` of `caller`: when the caller hangs up, the verbs raise Hangup, and nothing rings on."""

    def __init__(self, controller: Controller, call_id: str, caller: Leg) -> None:
        self._controller, self._call_id, self._caller = controller, call_id, caller

    async def answered(
        self,
        endpoint: str,
        shown: str,
        seconds: float,
        whisper: Callable[[], Sequence[Prompt]],
        language: str,
        unless: Sequence[asyncio.Future[object]] = (),
    ) -> Leg:
        """Rings, with the number `shown`, until one of `unless` is done; the leg that answered and heard the whisper,
        as it is by then. Raises NotReached."""
        leg = self._controller.new_leg()
        try:
            await self._ring(leg, endpoint, shown, seconds, unless)
            for prompt in whisper():
                await self._whisper(leg, prompt, language)
        except BaseException:
            await asyncio.shield(self._controller.hang_up(leg))
            raise
        return leg

    async def _ring(
        self, leg: Leg, endpoint: str, shown: str, seconds: float, unless: Sequence[asyncio.Future[object]]
    ) -> None:
        checkpoint = json.dumps({"role": "operator", "call": self._call_id})
        ari = self._controller.ari
        try:
            await ari.request(
                "POST",
                f"channels/{leg.id}",
                {"variables": {CHECKPOINT: checkpoint}},
                endpoint=endpoint,
                app=ari.app,
                appArgs="operator",
                callerId=shown,
                timeout=int(seconds) + 5,
            )
        except AriError as refused:
            log.info("call %s: leg %s cannot be rung: %s", self._call_id, leg.id, refused)
            raise NotReached("unreachable") from refused
        await first_of(leg.started, leg.ended, self._caller.ended, *unless, bound_s=seconds)
        if self._caller.ended.done():
            raise Hangup(self._caller.ended.result())
        if leg.ended.done():
            raise NotReached(why_not(leg.ended.result()))
        if not leg.started.done():
            raise NotReached("stopped" if any(future.done() for future in unless) else "no_answer")

    async def _whisper(self, leg: Leg, prompt: Prompt, language: str) -> None:
        try:
            whole = await self._caller.until(Listener(self._controller, leg).play(prompt, language), PLAY_BOUND_S)
            # A phone that is hung up ends the playback first, and the leg a moment later.
            await first_of(leg.ended, self._caller.ended, bound_s=0 if whole else GONE_S)
            if leg.ended.done():
                raise Hangup(leg.ended.result())
        except Hangup:
            if self._caller.ended.done():
                raise
            raise NotReached("gone") from None


def why_not(cause: int) -> str:
    """Why a phone that was rung did not answer, from the Q.850 cause of its leg's end."""
    match cause:
        case 17:
            return "busy"
        case 21:
            return "refused"
        case 0 | 16 | 18 | 19:
            return "no_answer"
        case 1:
            return "not_in_use"
        case _:
            return "unreachable"
