"""Sending somebody a one-time link: the link and the text that carries it are written together, and leave by the queue
of our answers to texts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from redis.asyncio import Redis
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor
from actions.call_book import CALLER
from actions.desk import Refused, held
from actions.links import About, Purpose, issue
from actions.live import wake
from actions.models import Call, DeliveryState, InboundText, now
from actions.numbers import CallerKind, read_number
from actions.store import Store
from actions.tips import SENDER
from actions.vault import NoSuchKey, NotOurs, Sealed, Vault
from alerting.inbound.answers import BELL
from alerting.inbound.guard import WITHIN, may_answer
from alerting.inbound.wording import LINK_TEXT

MEANING = "link"
REACHABLE = (CallerKind.MOBILE, CallerKind.FOREIGN)


class LinkTexts:
    """`vault`: of the police data. `allowed(number)`: whether a number may be reached at all. `able`: whether texts
    leave from here."""

    def __init__(self, store: Store, redis: Redis, vault: Vault, allowed: Callable[[str], bool], *, able: bool) -> None:
        self._store, self._redis, self._vault = store, redis, vault
        self._allowed, self._able = allowed, able

    async def for_action(self, code: str, number: str, purpose: Purpose, language: str, actor: Actor) -> datetime:
        """Sends a link that belongs to the action with this spoken code; returns when it expires. Raises Refused and
        what the database raises."""
        e164 = self._checked(number)
        async with self._store.writing() as session:
            action = await held(session, code)
            expires = await self._write(session, e164, purpose, About(action.id, None, action.room_id), language, actor)
        await wake(self._redis, BELL)
        return expires

    async def for_call(
        self, call_id: str, purpose: Purpose, actor: Actor, number: str | None = None, language: str | None = None
    ) -> datetime:
        """Sends a link that belongs to a call and its action, to `number` or else to the caller. Raises Refused and
        what the database raises."""
        async with self._store.writing() as session:
            call = await session.get(Call, call_id)
            if call is None:
                raise Refused([f"call {call_id!r} is not known"])
            e164 = self._checked(number or self._number_of(call))
            about = About(call.action_id, call.id, call.room_id)
            expires = await self._write(session, e164, purpose, about, language or call.language, actor)
        await wake(self._redis, BELL)
        return expires

    async def in_talk(self, e164: str, purpose: Purpose, about: About, language: str, actor: Actor) -> datetime:
        """Sends a link to somebody who is on the line. Raises Refused and what the database raises."""
        number = self._checked(e164)
        async with self._store.writing() as session:
            expires = await self._write(session, number, purpose, about, language, actor)
        await wake(self._redis, BELL)
        return expires

    def _checked(self, number: str) -> str:
        """The number in E.164. Raises Refused, without the number."""
        if not self._able:
            raise Refused(["no texts are sent from here: BURGERNET_TWILIO_ACCOUNT_SID is empty"])
        read = read_number(number)
        if read.e164 is None or read.kind not in REACHABLE:
            raise Refused(["a link goes to a mobile telephone: give its number, such as 0612345678"])
        if not self._allowed(read.e164):
            raise Refused(["this number lies outside the ranges that may be reached (BURGERNET_ALLOWED_PREFIXES)"])
        return read.e164

    def _number_of(self, call: Call) -> str:
        if call.sealed is None or call.key_version is None:
            raise Refused(["this caller's number is not known: ask for a mobile number, and give it"])
        try:
            return self._vault.open(Sealed(call.sealed, call.key_version), CALLER).decode()
        except (NoSuchKey, NotOurs) as fault:
            raise Refused([f"this caller's number: {fault}"]) from None

    async def _write(
        self, session: AsyncSession, e164: str, purpose: Purpose, about: About, language: str, actor: Actor
    ) -> datetime:
        await self._store.one_at_a_time(session, self._vault.digest(e164, SENDER))
        answer, moment = LINK_TEXT[purpose], now()
        if not may_answer(answer, await self._texts_before(session, e164, moment), moment):
            raise Refused(["this number got several texts of us, or this one, a moment ago: wait a few minutes"])
        text_id, sealed = f"link-{uuid.uuid4().hex}", self._vault.seal(e164.encode(), SENDER)
        link = issue(session, self._vault, text_id, purpose, about, language, actor)
        session.add(
            InboundText(
                id=text_id,
                sealed=sealed.blob,
                digest=self._vault.digest(e164, SENDER),
                key_version=sealed.version,
                meaning=MEANING,
                action_id=about.action_id,
                language=language,
                received_at=moment,
                answer=answer,
                answer_state=DeliveryState.PENDING,
                answer_due_at=moment,
            )
        )
        return link.expires_at

    async def _texts_before(self, session: AsyncSession, e164: str, moment: datetime) -> list[tuple[str, datetime]]:
        query = (
            select(InboundText.answer, InboundText.received_at)
            .where(col(InboundText.digest).in_(self._vault.digests(e164, SENDER)))
            .where(col(InboundText.answer).is_not(None), col(InboundText.received_at) > moment - WITHIN)
        )
        return [(answer, at) for answer, at in await session.exec(query) if answer]
