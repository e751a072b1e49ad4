"""Taking in a text: its row, its effect and its answer to be sent, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record
from actions.links import About, Purpose, issue
from actions.matching import Choose, Finding, Match, NothingOpen, OpenAction, Sure, in_sight
from actions.models import ContactPoint, DeliveryState, InboundText, Tip, now
from actions.numbers import Number, read_number
from actions.reachability import believe_again
from actions.register import PURPOSE as CONTACT_POINT
from actions.store import Store
from actions.tips import SENDER, keep_words, text_tip_id
from actions.vault import Vaults
from alerting.inbound.guard import WITHIN, may_answer
from alerting.inbound.lookup import alerted_in, current_actions, language_of, takes_part_in_exercises
from alerting.inbound.meaning import Keyword, Meaning, about, keyword, named_by_code, only_code, says_something
from alerting.inbound.wording import TIP_WITH_LINK, Answer

# How long a text waits for the code that tells which action it is about.
WAITS_FOR_CODE = timedelta(hours=1)
LONGEST_SENDER = 64
TEXTED = Actor("the public", "inbound text", "a text came from it")
CITIZEN = Actor("the public", "inbound text", "a text came in")


@dataclass(frozen=True)
class Incoming:
    """A text as the provider brings it: its id there, from which number to which, and what it says."""

    id: str
    sender: str
    to: str
    said: str


@dataclass(frozen=True)
class Understood:
    meaning: Meaning
    answer: Answer
    action_id: int | None = None
    room_id: str | None = None  # of a tip whose answer invites to send more


class Reception:
    """`own`: our numbers (E.164): what comes from them is never answered. `invites`: for what the answer to a tip
    holds a one-time link, if for anything."""

    def __init__(self, store: Store, vaults: Vaults, own: Collection[str], invites: Purpose | None = None) -> None:
        self._store, self._vaults, self._own, self._invites = store, vaults, frozenset(own), invites

    async def take(self, incoming: Incoming) -> bool:
        """Takes in a text; False when it was there already. Raises what the database raises."""
        number = read_number(incoming.sender)
        who = number.e164 or incoming.sender[:LONGEST_SENDER]
        async with self._store.writing() as session:
            # Two texts of one number at once: the second sees what the first one did, and the answers it got.
            await self._store.one_at_a_time(session, self._vaults.police.digest(who, SENDER))
            if await session.get(InboundText, incoming.id):
                return False
            await self._take(session, incoming, number, who)
        return True

    async def _take(self, session: AsyncSession, incoming: Incoming, number: Number, who: str) -> None:
        contact = await self._contact(session, number)
        word = keyword(incoming.said)
        if contact:
            await believe_again(session, col(ContactPoint.id) == contact.id, TEXTED)
        spoken = await language_of(session, contact) or (word.language if word else None) or "nl"
        if word and word.weak and not (contact and contact.opted_out_at):
            word = None
        if word:
            understood = _obeyed(session, word, contact)
        else:
            understood = self._inviting(await self._reported(session, incoming, number, who, contact))
        moment = now()
        answered = self._reachable(number, incoming) and may_answer(
            understood.answer, await self._answers_before(session, who, moment), moment
        )
        if answered and understood.room_id and self._invites:
            what = About(understood.action_id, None, understood.room_id)
            issue(session, self._vaults.police, incoming.id, self._invites, what, spoken, CITIZEN)
        sealed = self._vaults.police.seal(who.encode(), SENDER)
        session.add(
            InboundText(
                id=incoming.id,
                sealed=sealed.blob,
                digest=self._vaults.police.digest(who, SENDER),
                key_version=sealed.version,
                meaning=understood.meaning,
                action_id=understood.action_id,
                language=spoken,
                received_at=moment,
                answer=understood.answer if answered else None,
                answer_state=DeliveryState.PENDING if answered else DeliveryState.CANCELLED,
                answer_due_at=moment,
            )
        )

    def _inviting(self, understood: Understood) -> Understood:
        """With the answer that holds a link, where there is to be one."""
        if self._invites and understood.room_id:
            return replace(understood, answer=TIP_WITH_LINK[self._invites])
        return replace(understood, room_id=None)

    async def _reported(
        self, session: AsyncSession, incoming: Incoming, number: Number, who: str, contact: ContactPoint | None
    ) -> Understood:
        """What a text without a keyword does: a tip for one action, a question back, or nothing."""
        alerted = await alerted_in(session, self._digests(number))
        current = await current_actions(session)
        practises = any(known.action.exercise for known in alerted) or await takes_part_in_exercises(session, contact)
        offered = current if practises else in_sight(current, practising=False)
        finding = about(incoming.said, number, alerted, offered)
        if not practises and not isinstance(finding, Sure) and _names_exercise(incoming.said, current):
            if says_something(incoming.said) and not only_code(incoming.said):
                await keep_words(session, self._vaults.police, _tip(incoming, None), incoming.said, CITIZEN)
                return Understood(Meaning.TIP, Answer.EXERCISE)
            return Understood(Meaning.UNCLEAR, Answer.EXERCISE)
        return await self._found(session, incoming, finding, who)

    async def _found(self, session: AsyncSession, incoming: Incoming, finding: Finding, who: str) -> Understood:
        match finding:
            case Sure(match):
                return await self._about(session, incoming, match, who)
            case NothingOpen():
                return Understood(Meaning.UNCLEAR, Answer.NOTHING_OPEN)
            case Choose() if says_something(incoming.said):
                await keep_words(session, self._vaults.police, _tip(incoming, None), incoming.said, CITIZEN)
                return Understood(Meaning.TIP, Answer.WHICH)
            case Choose():
                return Understood(Meaning.UNCLEAR, Answer.WHICH)
        return Understood(Meaning.UNCLEAR, Answer.UNCLEAR)

    async def _about(self, session: AsyncSession, incoming: Incoming, match: Match, who: str) -> Understood:
        """A text about one action. With the code come the tips that waited for it."""
        waited = match.how == "code" and await self._claim_waiting(session, match, who)
        if says_something(incoming.said) and not only_code(incoming.said):
            await keep_words(session, self._vaults.police, _tip(incoming, match), incoming.said, CITIZEN)
        elif not waited:
            answer = Answer.SAY_WHAT if match.how == "code" else Answer.UNCLEAR
            return Understood(Meaning.UNCLEAR, answer, match.action.id)
        return Understood(Meaning.TIP, Answer.TIP, match.action.id, match.action.room_id)

    async def _claim_waiting(self, session: AsyncSession, match: Match, who: str) -> bool:
        """Gives the sender's tips without an action to this one; whether there were any."""
        waiting = (
            select(InboundText)
            .where(col(InboundText.digest).in_(self._vaults.police.digests(who, SENDER)))
            .where(InboundText.meaning == Meaning.TIP, col(InboundText.action_id).is_(None))
            .where(col(InboundText.received_at) > now() - WAITS_FOR_CODE)
        )
        texts = {text_tip_id(text.id): text for text in await session.exec(waiting)}
        for tip in await session.exec(select(Tip).where(col(Tip.id).in_(texts))):
            texts[tip.id].action_id = match.action.id
            _attach(tip, match)
            record(session, CITIZEN, "attach", "tip", tip.id)
        return bool(texts)

    async def _contact(self, session: AsyncSession, number: Number) -> ContactPoint | None:
        found = await session.exec(select(ContactPoint).where(col(ContactPoint.digest).in_(self._digests(number))))
        return found.first()

    async def _answers_before(self, session: AsyncSession, who: str, moment: datetime) -> list[tuple[str, datetime]]:
        query = (
            select(InboundText.answer, InboundText.received_at)
            .where(col(InboundText.digest).in_(self._vaults.police.digests(who, SENDER)))
            .where(col(InboundText.answer).is_not(None), col(InboundText.received_at) > moment - WITHIN)
        )
        return [(answer, at) for answer, at in await session.exec(query) if answer]

    def _reachable(self, number: Number, incoming: Incoming) -> bool:
        """Whether this sender can be answered at all: a telephone number, and not one of ours."""
        return number.e164 is not None and number.e164 not in {*self._own, read_number(incoming.to).e164}

    def _digests(self, number: Number) -> list[bytes]:
        return self._vaults.register.digests(number.e164, CONTACT_POINT) if number.e164 else []


def _obeyed(session: AsyncSession, word: Keyword, contact: ContactPoint | None) -> Understood:
    """Signs off or on, at once."""
    stop = word.meaning is Meaning.STOP
    if contact and stop != bool(contact.opted_out_at):
        contact.opted_out_at = now() if stop else None
        record(session, CITIZEN, "opt out" if stop else "opt in", "contact point", contact.id)
    if contact is None and not stop:
        return Understood(word.meaning, Answer.STRANGER)
    return Understood(word.meaning, Answer.STOPPED if stop else Answer.STARTED)


def _names_exercise(said: str, current: Sequence[OpenAction]) -> bool:
    return named_by_code(said, in_sight(current, practising=True)) is not None


def _tip(incoming: Incoming, match: Match | None) -> Tip:
    tip = Tip(id=text_tip_id(incoming.id), source="text")
    if match:
        _attach(tip, match)
    return tip


def _attach(tip: Tip, match: Match) -> None:
    tip.action_id, tip.room_id = match.action.id, match.action.room_id
    tip.confidence, tip.match_how = match.confidence, match.how
