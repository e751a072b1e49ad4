"""Standing in line for callers who kept their place, and calling them when it is their turn."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

from actions.call_backs import CLAIM_S, NOT_ALLOWED, OVER, SPOKE
from actions.matching import OpenAction
from actions.models import CallBack
from actions.numbers import read_number
from actions.store import Away
from actions.urgency import urgency
from actions.vault import NoSuchKey, NotOurs
from burgernet.base import Base
from ivr_flows.beside import beside
from ivr_flows.call_back import Turn, call_back, match_of
from ivr_flows.connect import ring, widen
from ivr_flows.often import SERVED_LAST
from ivr_flows.switchboard import Switchboard
from telephony.ari import AriAway
from telephony.calls import Call
from telephony.controller import Controller
from telephony.outbound import AllInUse, MayNotCall, Outgoing
from telephony.place import Taken
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 2.0
MOST = 500
RING_S = 25.0
TRUNK_FULL = timedelta(seconds=10)


class _NoMore(Exception):
    """It is of no use any more to stand in line."""


class _NoOperator(Exception):
    """The operator whose turn it was did not answer."""


class CallingBack:
    """`operator_first`: the operator waits on the line while the caller's telephone rings; else the caller is called
    while the operator is held free."""

    def __init__(self, base: Base, controller: Controller, board: Switchboard) -> None:
        self._base, self._controller, self._board = base, controller, board
        self._kept, self._app = board.call_backs, base.settings.app
        self._operator_first = base.settings.callback_first == "operator"
        self._caller_id = read_number(base.settings.free_number).e164 or base.settings.free_number
        self._standing: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        fresh = True
        try:
            while True:
                try:
                    if fresh:
                        await self._kept.let_go_all(self._app)
                        fresh = False
                    await self._look()
                except Away as fault:
                    log.warning("call-backs wait for the database: %s", type(fault).__name__)
                await asyncio.sleep(LOOK_AGAIN_S)
        finally:
            for task in self._standing.values():
                task.cancel()
            await asyncio.gather(*self._standing.values(), return_exceptions=True)

    async def _look(self) -> None:
        if self._base.stopping.is_set():
            return
        for kept in await self._kept.claim(self._app, MOST - len(self._standing)):
            if kept.id not in self._standing:
                task = self._standing[kept.id] = asyncio.create_task(self._serve(kept))
                task.add_done_callback(partial(self._served, kept.id))

    def _served(self, kept_id: str, task: asyncio.Task[None]) -> None:
        self._standing.pop(kept_id, None)
        if not task.cancelled() and (fault := task.exception()):
            log.error("call-back %s: %s", kept_id, type(fault).__name__, exc_info=fault)

    async def _serve(self, kept: CallBack) -> None:
        """One stand in line, and the call when it is the caller's turn. What goes wrong on the way leaves the row to be
        claimed again."""
        action = next((action for action in self._board.actions.now() if action.id == kept.action_id), None)
        name = f"{self._app}-{secrets.token_hex(6)}"
        try:
            if action is None:
                return await self._kept.end(kept.id, OVER)
            async with beside(self._no_more(kept, action)) as no_more:
                if taken := await self._turn(kept, action, name, no_more):
                    async with self._let_go(taken, name):
                        await self._call(kept, action, name, taken, no_more)
        except (LineAway, AriAway, *Away) as fault:
            log.warning("call-back %s is tried again later: %s", kept.id, type(fault).__name__)
        return None

    async def _no_more(self, kept: CallBack, action: OpenAction) -> None:
        """Holds the row; returns when it is of no use any more to stand in line for it."""
        over = self._board.actions.over(action.code)
        while True:
            await asyncio.wait([over], timeout=CLAIM_S / 5)
            if over.done():
                return await self._kept.end(kept.id, OVER)
            with suppress(*Away):
                if not await self._kept.holds(kept.id, self._app):
                    return None

    async def _turn(self, kept: CallBack, action: OpenAction, name: str, no_more: asyncio.Task[None]) -> Taken | None:
        """The operator claimed for the caller, at the place that was kept; None when there is no use any more."""
        rooms = list(self._board.rooms_from(action.room_id))
        language = await self._board.language_among(rooms, kept.language)
        try:
            async with (
                self._board.line.waiting_for(
                    action.room_id,
                    name,
                    SERVED_LAST if action.exercise else urgency(action.kind, kept.triage),
                    kept.arrived_at,
                    language=language,
                    preferred=action.started_by,
                ) as place,
                beside(widen(self._board, place, rooms)),
                beside(place.operator()) as operator,
            ):
                await asyncio.wait({operator, no_more}, return_when=asyncio.FIRST_COMPLETED)
                if not no_more.done():
                    return operator.result()
                raise _NoMore
        except _NoMore:
            return None

    async def _call(
        self, kept: CallBack, action: OpenAction, name: str, taken: Taken, no_more: asyncio.Task[None]
    ) -> None:
        """The row counts the try before the telephone rings."""
        try:
            # A process that is told to end leaves the row to another.
            if not self._base.stopping.is_set() and await self._kept.try_begins(kept.id, self._app):
                await self._try(Turn(kept, self._kept.number(kept), action, taken), name, no_more)
        except AllInUse:
            await self._kept.later(kept.id, TRUNK_FULL)
        except _NoOperator:
            await self._kept.later(kept.id, timedelta(0))
        except (MayNotCall, NoSuchKey, NotOurs) as refused:
            log.warning("call-back %s: %s", kept.id, refused)
            await self._kept.end(kept.id, NOT_ALLOWED)

    @asynccontextmanager
    async def _let_go(self, taken: Taken, name: str) -> AsyncIterator[None]:
        """The operator is free after the block, also when the database is away."""
        # Not `finally`: when this process is stopped or Asterisk away, a talk goes on, and the operator stays taken.
        try:
            yield
        except AriAway:
            raise
        except Exception:
            await self._board.line.release(taken.operator, name)
            raise
        await self._board.line.release(taken.operator, name)

    async def _try(self, turn: Turn, name: str, no_more: asyncio.Task[None]) -> None:
        how = await self._placed(turn, name, no_more)
        if turn.reached:
            await self._kept.end(turn.kept.id, SPOKE)
        elif how != "stopped":
            await self._kept.not_answered(turn.kept.id, turn.kept.tries + 1)

    async def _placed(self, turn: Turn, name: str, no_more: asyncio.Task[None]) -> str:
        async def operator_rings(call: Call) -> None:
            facts = {"callback": turn.kept.id, "triage": turn.kept.triage or ""}
            turn.leg = await ring(call, self._board, match_of(turn.kept, turn.action), turn.taken, facts)
            if turn.leg is None:
                raise _NoOperator

        self._kept.in_talk.add(turn.kept.id)
        try:
            return await self._controller.place(
                Outgoing(
                    turn.e164, self._board.talks.ways(exercise=turn.action.exercise), self._caller_id, RING_S, name
                ),
                partial(call_back, turn=turn, board=self._board),
                no_more,
                before=operator_rings if self._operator_first else None,
            )
        finally:
            self._kept.in_talk.discard(turn.kept.id)
            if turn.leg:
                await self._controller.hang_up(turn.leg)
