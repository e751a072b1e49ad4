"""Our answers to texts: the answer's columns of `inbound_text` are a queue, worked off with at most three tries each.

A try is counted before the provider is called. When nobody knows what became of it the provider is asked, so that no
answer is sent twice and none is lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from redis.asyncio import Redis
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.links import link_id_of, secret_of
from actions.models import Action, DeliveryState, InboundText, OneTimeLink, now
from actions.store import Away, Store
from actions.tips import SENDER
from actions.vault import NoSuchKey, NotOurs, Sealed, Vault
from alerting.bell import work
from alerting.crew import Crew
from alerting.errors import SendError, Unanswered
from alerting.inbound.wording import WITH_LINK, words

log = logging.getLogger(__name__)

BELL = "burgernet:answers"
SIDE_BY_SIDE = 20
FINISH_S = 10.0
# How long one try may be under way before the provider is asked what became of it.
TRY = timedelta(seconds=30)
# The waits after the first and the second try; after the third there is none.
WAITS = (timedelta(seconds=5), timedelta(seconds=40))
# An answer that could not be sent by then helps nobody any more.
USEFUL = timedelta(minutes=15)


class Provider(Protocol):
    async def reply(self, e164: str, body: str) -> str:
        """Sends a text; returns the provider's id of it. Raises SendError (refused for certain) or Unanswered."""

    async def replied(self, e164: str, body: str, since: datetime, others: frozenset[str]) -> str | None:
        """The provider's id of a text that it may or may not have taken; None when it never did. `others`: ids of
        other texts of ours. Raises Unanswered."""


@dataclass(frozen=True)
class Claimed:
    """One try, counted and not yet made; `e164` None when the number does not open, `body` None when its link does
    not."""

    text_id: str
    e164: str | None
    body: str | None
    received_at: datetime
    tries: int
    others: frozenset[str]


class Answers:
    """`vault`: of the police data. `allowed(number)`: whether a number may be reached at all. `free_number` as people
    read it. `links_url`: the public address of one-time links, up to their secret."""

    def __init__(
        self,
        store: Store,
        redis: Redis,
        vault: Vault,
        provider: Provider,
        allowed: Callable[[str], bool],
        free_number: str,
        links_url: str = "",
    ) -> None:
        self._links_url = links_url
        self._store, self._redis, self._vault = store, redis, vault
        self._provider, self._allowed, self._free_number = provider, allowed, free_number
        self._crew = Crew(SIDE_BY_SIDE)

    async def run(self) -> None:
        """Works until cancelled; then finishes what is under way, within 10 s."""
        try:
            await work(self._redis, BELL, "answers to texts", self.step)
        finally:
            await self._crew.finish(FINISH_S)

    async def step(self) -> bool:
        """One round of the queue; whether there may be more to do at once."""
        await self._crew.until_free(1)
        for claimed in await self._claim(DeliveryState.SENDING):
            self._crew.start(self._ask_afterwards(claimed))
        fresh = await self._claim(DeliveryState.PENDING) if self._crew.free else []
        for claimed in fresh:
            self._crew.start(self._try(claimed))
        return bool(fresh)

    async def finished(self, bound_s: float) -> None:
        """Returns when nothing is under way."""
        await self._crew.finish(bound_s)

    async def _claim(self, state: DeliveryState) -> list[Claimed]:
        """Takes answers that are due: pending ones for a new try, counted; or those whose try nobody knows the end
        of. No two workers take the same."""
        moment = now()
        query = (
            select(InboundText)
            .where(col(InboundText.answer).is_not(None), InboundText.answer_state == state)
            .where(col(InboundText.answer_due_at) <= moment)
            .order_by(col(InboundText.answer_due_at))
            .limit(self._crew.free)
            .with_for_update(skip_locked=True)
        )
        async with self._store.writing() as session:
            texts = list(await session.exec(query))
            for text in texts:
                text.answer_tries += state == DeliveryState.PENDING
                text.answer_state, text.answer_due_at = DeliveryState.SENDING, moment + TRY
            about = await _about(session, texts)
            links = await self._links(session, texts)
            return [
                self._claimed(text, about.get(text.action_id), links.get(text.id), await _others(session, text))
                for text in texts
            ]

    async def _links(self, session: AsyncSession, texts: Sequence[InboundText]) -> dict[str, str]:
        """The addresses of the links in these texts, by the ids of the texts."""
        ids = {link_id_of(text.id): text.id for text in texts if text.answer in WITH_LINK}
        if not ids:
            return {}
        found = await session.exec(select(OneTimeLink).where(col(OneTimeLink.id).in_(ids)))
        return {
            ids[link.id]: f"{self._links_url}/{secret}" for link in found if (secret := secret_of(link, self._vault))
        }

    def _claimed(
        self, text: InboundText, about: tuple[str, bool] | None, link: str | None, others: frozenset[str]
    ) -> Claimed:
        (code, exercise), answer = about or ("", False), text.answer or ""
        body = words(answer, text.language, code, self._free_number, link or "", exercise=exercise)
        if answer in WITH_LINK and link is None:
            log.error("text %s: its link was made under a key that is missing; it is not sent", text.id)
            return Claimed(text.id, None, None, text.received_at, text.answer_tries, others)
        return Claimed(text.id, self._number(text), body, text.received_at, text.answer_tries, others)

    def _number(self, text: InboundText) -> str | None:
        try:
            return self._vault.open(Sealed(text.sealed, text.key_version), SENDER).decode()
        except (NoSuchKey, NotOurs) as fault:
            log.error("text %s: %s; it is not answered", text.id, fault)
            return None

    async def _try(self, claimed: Claimed) -> None:
        if claimed.e164 is None or claimed.body is None or not self._allowed(claimed.e164):
            log.warning("text %s: its sender cannot be reached, or may not (see the allowed ranges)", claimed.text_id)
            await self._close(claimed, None)
            return
        try:
            sid = await self._provider.reply(claimed.e164, claimed.body)
        except SendError as refused:
            log.warning("text %s: the answer was refused: %s", claimed.text_id, refused)
            await self._refused(claimed, refused)
        except Unanswered as lost:
            log.warning("text %s: %s; the provider is asked later", claimed.text_id, lost)
        else:
            await self._close(claimed, sid)

    async def _ask_afterwards(self, claimed: Claimed) -> None:
        sid = None
        try:
            if claimed.e164 and claimed.body:
                sid = await self._provider.replied(claimed.e164, claimed.body, claimed.received_at, claimed.others)
        except Unanswered as lost:
            if now() < claimed.received_at + USEFUL:
                log.warning("text %s: %s; asked again later", claimed.text_id, lost)
                return
        if sid or claimed.e164 is None:
            await self._close(claimed, sid)
        else:
            await self._again(claimed, timedelta(0))

    async def _refused(self, claimed: Claimed, refused: SendError) -> None:
        if refused.fault.retryable:
            await self._again(claimed, timedelta(seconds=refused.pause_s))
        else:
            await self._close(claimed, None)

    async def _again(self, claimed: Claimed, pause: timedelta) -> None:
        """Another try, later, if there is one left."""
        due = now() + max(pause, *WAITS[claimed.tries - 1 : claimed.tries], timedelta(0))
        if claimed.tries > len(WAITS) or due > claimed.received_at + USEFUL:
            await self._close(claimed, None)
        else:
            await self._write(claimed, answer_state=DeliveryState.PENDING, answer_due_at=due)

    async def _close(self, claimed: Claimed, sid: str | None) -> None:
        state = DeliveryState.SENT if sid else DeliveryState.FAILED
        await self._write(claimed, answer_state=state, answer_provider_id=sid)

    async def _write(self, claimed: Claimed, **columns: Any) -> None:
        """Writes what became of this try, unless another worker already knows."""
        this = (
            col(InboundText.id) == claimed.text_id,
            col(InboundText.answer_state) == DeliveryState.SENDING,
            col(InboundText.answer_tries) == claimed.tries,
        )
        try:
            async with self._store.writing() as session:
                await session.exec(update(InboundText).where(*this).values(**columns))
        except Away as fault:
            log.warning("text %s: not recorded (%s); asked for later", claimed.text_id, type(fault).__name__)


async def _about(session: AsyncSession, texts: Sequence[InboundText]) -> dict[int | None, tuple[str, bool]]:
    """Of the actions these texts are about their spoken codes, and whether they are exercises."""
    ids = {text.action_id for text in texts if text.action_id is not None}
    found = await session.exec(select(Action.id, Action.code, Action.exercise).where(col(Action.id).in_(ids)))
    return {action_id: (code, exercise) for action_id, code, exercise in found}


async def _others(session: AsyncSession, text: InboundText) -> frozenset[str]:
    """The provider's ids of our other answers to the same number."""
    query = select(InboundText.answer_provider_id).where(InboundText.digest == text.digest, InboundText.id != text.id)
    return frozenset(sid for sid in await session.exec(query) if sid)
