"""Standing in the line: what the caller hears and may press, while beside it an operator is looked for.

Nobody waits longer because of it: the phone of an operator already rings while the caller is asked. First comes the
triage, then music, and now and then the place in line with what else can be done: be called back, or leave a tip.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from actions.matching import Match, OpenAction
from actions.urgency import Triage, urgency
from ivr_flows.anonymous import ANONYMOUS, become_anonymous
from ivr_flows.asking import SWITCH_LANGUAGE
from ivr_flows.catalogue import LANGUAGES, other_language, said_in
from ivr_flows.keep_place import keep_place, may_keep
from ivr_flows.often import SERVED_LAST
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call, Cut
from telephony.place import Place
from telephony.speech import Prompt
from telephony.wait_estimate import Standing

TRIAGE = {"1": Triage.NOW, "2": Triage.EARLIER, "3": Triage.QUESTION}
KEEP, TIP = "1", "2"
CALL_BACK, NOBODY = "call back", "nobody"
LONGEST_TOLD_MIN = 15


@dataclass(frozen=True)
class Waiting:
    """A caller in line. `pairing`: done when an operator is found; `over`: when the action is over meanwhile."""

    call: Call
    board: Switchboard
    match: Match
    place: Place
    pairing: asyncio.Future[Any]
    over: asyncio.Future[None]

    async def until_found(self) -> str:
        """Returns "" when an operator is found, TIP when the caller chose to leave one, CALL_BACK when the place is
        kept, NOBODY when nobody is on duty any more or the longest wait is over."""
        over = asyncio.get_running_loop().time() + self.board.patience.in_line
        await self._triage()
        while not self.pairing.done():
            await self._told_if_over()
            if asyncio.get_running_loop().time() > over or not await self._helped():
                return NOBODY
            if chosen := await self._menu():
                return chosen
        return ""

    async def _told_if_over(self) -> None:
        """Once. The place stays: there may be something to tell all the same."""
        if self.over.done() and "over" not in self.call.facts:
            await self.call.note("waiting", over="told")
            await self._heard("over-in-line")

    async def _helped(self) -> bool:
        return await self.board.stands_where_staffed(self.place)

    async def _triage(self) -> None:
        """What the caller says of the call, asked for once; the first thing that is heard in line."""
        if "triage" in self.call.facts or "handed_to" in self.call.facts:
            await self._connecting()
            return
        for _ in range(2 * len(LANGUAGES)):
            key = await self._heard("triage", silence=self.board.patience.first_told)
            if not await self._obeyed(key):
                return

    async def _connecting(self) -> None:
        with suppress(Cut):
            async with self.call.unless(self.pairing):
                await self.call.play("connecting")
        await self._heard(silence=self.board.patience.first_told)

    async def _menu(self) -> str:
        """The place and what can be done now; what was chosen of it. A key during the first half may still answer the
        triage."""
        standing = await self.place.standing()
        key = await self._heard(*told(standing, self.call.language))
        if key in TRIAGE and "triage" not in self.call.facts:
            await self._is_now(TRIAGE[key])
            return ""
        can_keep = may_keep(self.call, self.board, self.match.action)
        key = key or await self._offered(can_keep=can_keep)
        if key == TIP:
            return TIP
        if key == KEEP and can_keep and not self.pairing.done():
            return await self._kept()
        await self._obeyed(key)
        return ""

    async def _offered(self, *, can_keep: bool) -> str:
        again = self.board.patience.told_again
        if can_keep:
            return await self._heard("line-menu-keep", "line-menu", silence=again)
        return await self._heard("line-menu", silence=again)

    async def _kept(self) -> str:
        if await keep_place(self.call, self.board, self.match):
            return CALL_BACK
        await self._heard("not-now")
        return ""

    async def _obeyed(self, key: str) -> bool:
        """Does what a key asks for. Whether the question it answered should be put again."""
        if key == SWITCH_LANGUAGE:
            self.call.language = other_language(self.call.language)
            await self.place.wants(await self.board.language_among(self.place.rooms, self.call.language))
            return True
        if key == ANONYMOUS:
            await become_anonymous(self.call, self.board)
            await self._heard("anonymous")
            return True
        if key in TRIAGE and "triage" not in self.call.facts:
            await self._is_now(TRIAGE[key])
        return False

    async def _is_now(self, triage: Triage) -> None:
        await self.call.note("waiting", triage=triage)
        await self.place.becomes(priority_of(self.call, self.match.action))
        await self.board.book.triaged(self.call.id, triage)

    async def _heard(self, *prompts: Prompt, silence: float = 0) -> str:
        """The key pressed during the prompts, or in the music after them; "" for none. An operator who is found cuts
        both short, and so does the end of the action."""
        try:
            async with self.call.unless(self.pairing, *self._news()):
                key = await self.call.ask(*prompts, silence=0, ends="") if prompts else ""
                return key or await self.call.ask(silence=silence, ends="")
        except Cut:
            return ""

    def _news(self) -> list[asyncio.Future[None]]:
        return [] if "over" in self.call.facts else [self.over]


def priority_of(call: Call, action: OpenAction) -> int:
    """By what the caller said; who calls very often, or about an exercise, comes after everybody else."""
    last = action.exercise or "often" in call.facts
    return SERVED_LAST if last else urgency(action.kind, call.facts.get("triage"))


def told(standing: Standing, language: str) -> list[Prompt]:
    """The place in line and the time it takes, as far as they are known."""
    if not standing.place:
        return []
    place = said_in(language, "place", place=standing.place)
    if standing.wait_s is None:
        return [place]
    minutes = max(1, math.ceil(standing.wait_s / 60))
    if minutes == 1:
        return [place, said_in(language, "a-minute")]
    if minutes > LONGEST_TOLD_MIN:
        return [place, said_in(language, "a-long-time")]
    return [place, said_in(language, "minutes", minutes=minutes)]
