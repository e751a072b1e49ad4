"""Another Asterisk node that is gone with all its controllers: a survivor ends its calls in the book, keeps call-backs
for who waited there, and gives back the operators whom its calls held. Several survivors may do it at once."""

from __future__ import annotations

import asyncio
import logging

from actions.lost_calls import LostCalls
from actions.models import now
from actions.store import Away
from burgernet.base import Base
from burgernet.lost_calls import end_failed
from burgernet.roster import Roster
from telephony.contacts import Contacts
from telephony.line_redis import LineAway
from telephony.nodes import Nodes
from telephony.place import trunk_to
from telephony.waiting_line import WaitingLine
from watch.rules import Facts

log = logging.getLogger(__name__)

LOOK_S = 1.0
# Facts that a survivor did not see yet may still come.
AGAIN_S = 10.0


class LostNodes:
    """A node is gone when no controller of it says that it lives and our Asterisk cannot reach it, for
    BURGERNET_NODE_LOST_S on end. While we are not sure of ourselves nobody counts as gone."""

    def __init__(self, base: Base, nodes: Nodes, contacts: Contacts, roster: Roster) -> None:
        self._base, self._nodes, self._contacts, self._roster = base, nodes, contacts, roster
        self._bound_s = base.settings.node_lost_s
        self._gone_since: dict[str, float] = {}
        self._looked_at = 0.0
        self._cleared_at: dict[str, float] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while self._nodes.others:
            await asyncio.sleep(LOOK_S)
            for node in await self.lost():
                await self._clear(node)

    async def facts(self) -> Facts:
        return {
            **{("node_there", name): float(name not in self._gone_since) for name in self._nodes.others},
            ("callers_lost", ""): float(self._base.lost_callers.lately()),
        }

    async def lost(self) -> list[str]:
        """Looks once: the nodes that have been gone for so long."""
        before, self._looked_at = self._looked_at, _moment()
        try:
            gone = await self._gone()
        except LineAway as fault:
            log.info("the other nodes cannot be seen: %s", fault)
            gone = None
        if gone is None or self._looked_at - before > self._bound_s / 2:
            gone = frozenset()
        self._gone_since = {name: self._gone_since.get(name, self._looked_at) for name in gone}
        return [name for name, since in self._gone_since.items() if self._looked_at - since >= self._bound_s]

    async def _gone(self) -> frozenset[str] | None:
        """Who is gone at this moment; None when our own node's word is missing too, or phones are not observed."""
        await self._nodes.remember()
        sure = await self._nodes.says_so() and self._contacts.listed.is_set()
        silent = self._nodes.others - await self._nodes.living(self._nodes.others)
        return frozenset(name for name in silent if trunk_to(name) not in self._contacts.reachable) if sure else None

    async def _clear(self, node: str) -> None:
        if _moment() - self._cleared_at.get(node, -AGAIN_S) < AGAIN_S:
            return
        try:
            if apps := self._nodes.apps_of(node):
                await end_failed(self._base, await LostCalls(self._base.store).find(apps, now()))
            for app in apps:
                # A line under its name that has nobody waiting.
                await WaitingLine(self._base.redis, app, self._roster.on_duty, self._nodes.own).restore()
        except (LineAway, *Away) as fault:
            log.warning("what the lost node %s left is cleared later: %s", node, type(fault).__name__)
            return
        self._cleared_at[node] = _moment()


def _moment() -> float:
    return asyncio.get_running_loop().time()
