"""Tokens: keys to the API. A secret is shown once, when it is made; only its hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlmodel import col, select

from actions.books import Actor, record
from actions.desk import Refused
from actions.models import ControlRoom, Token, now
from actions.store import Store

LONGEST_LIFE = timedelta(days=731)
LONGEST_ACTOR = 80
# 256 random bits: nobody guesses one, so a plain hash is enough.
_SECRET = re.compile(r"burgernet_[A-Za-z0-9_-]{43}")
_ACTOR = re.compile(rf"[A-Za-z0-9][A-Za-z0-9 ._@-]{{0,{LONGEST_ACTOR - 1}}}")


class Scope(StrEnum):
    """What a token may do."""

    ACTIONS_READ = "actions:read"
    ACTIONS_WRITE = "actions:write"
    CALLS_READ = "calls:read"
    TIPS_READ = "tips:read"
    TIPS_WRITE = "tips:write"
    ROOMS_READ = "rooms:read"
    ROOMS_WRITE = "rooms:write"
    ALARMS_READ = "alarms:read"
    SPENDING_READ = "spending:read"
    EVENTS_READ = "events:read"
    STATISTICS_READ = "statistics:read"
    INCIDENTS_WRITE = "incidents:write"


@dataclass(frozen=True)
class Holder:
    """Whoever holds a token: acts as `actor`, in one room or (`room_id` None) in all."""

    token_id: str
    actor: str
    room_id: str | None
    scopes: frozenset[str]

    def sees(self, room_id: str | None) -> bool:
        """Whether what belongs to this room (None: to no room yet) may be seen and changed."""
        return self.room_id is None or self.room_id == room_id


class Tokens:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def issue(
        self, actor: str, room_id: str | None, scopes: Collection[str], life: timedelta, by: Actor
    ) -> tuple[str, Token]:
        """A new token and its secret, which cannot be had again. Raises Refused."""
        secret = f"burgernet_{secrets.token_urlsafe(32)}"
        async with self._store.writing() as session:
            faults = _faults(actor, scopes, life)
            if room_id and await session.get(ControlRoom, room_id) is None:
                faults.append(f"control room {room_id!r} is not known")
            if faults:
                raise Refused(faults)
            token = Token(
                digest=_digest(secret),
                actor=actor,
                room_id=room_id,
                scopes=sorted(set(scopes)),
                expires_at=now() + life,
            )
            session.add(token)
            record(session, by, "issue", "token", token.id)
        return secret, token

    async def all(self) -> Sequence[Token]:
        """Every token there ever was, newest first."""
        async with self._store.reading() as session:
            return list(await session.exec(select(Token).order_by(col(Token.created_at).desc())))

    async def revoke(self, token_id: str, by: Actor) -> None:
        """From now on this token opens nothing. A second time changes nothing. Raises Refused."""
        async with self._store.writing() as session:
            token = await session.get(Token, token_id)
            if token is None:
                raise Refused([f"token {token_id!r} is not known; `burgernet token list` shows them"])
            token.revoked_at = token.revoked_at or now()
            record(session, by, "revoke", "token", token_id)

    async def holder(self, secret: str) -> Holder | None:
        """Whose secret this is; None for one that is forged, revoked or past its time."""
        if not _SECRET.fullmatch(secret):
            return None
        digest = _digest(secret)
        async with self._store.reading() as session:
            token = (await session.exec(select(Token).where(Token.digest == digest))).first()
        if token is None or not hmac.compare_digest(token.digest, digest):
            return None
        if token.revoked_at or token.expires_at <= now():
            return None
        return Holder(token.id, token.actor, token.room_id, frozenset(token.scopes))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _faults(actor: str, scopes: Collection[str], life: timedelta) -> list[str]:
    faults = [f"scope {scope!r} is not known: use {', '.join(Scope)}" for scope in scopes if scope not in set(Scope)]
    if not scopes:
        faults.append("give at least one scope: a token without opens nothing")
    if not _ACTOR.fullmatch(actor):
        faults.append(f"the actor must be a name of letters, digits and . _ @ -, at most {LONGEST_ACTOR} signs")
    if not timedelta(0) < life <= LONGEST_LIFE:
        faults.append(f"a token lives at least a moment and at most {LONGEST_LIFE.days} days")
    return faults
