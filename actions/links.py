"""One-time links: by one of them somebody sends one photo or one place, within a quarter of an hour.

A link's secret is the keyed hash of its id under the police keys. So nothing that opens it is stored, only a plain hash
by which it is known again; and a text that a crash kept from leaving can still be written, word for word the same.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record
from actions.models import Action, OneTimeLink, now
from actions.store import Store
from actions.vault import Vault

LIFE = timedelta(minutes=15)
SECRET = "one_time_link.secret"  # noqa: S105 - the purpose, no secret
# 168 bits, as 28 signs without padding.
SECRET_BYTES, SECRET_SIGNS = 21, 28


class Purpose(StrEnum):
    PHOTO = "photo"
    PLACE = "place"


@dataclass(frozen=True)
class About:
    """What is sent by a link belongs to this action, call and room, as far as they are known."""

    action_id: int | None
    call_id: str | None
    room_id: str | None


@dataclass(frozen=True)
class Usable:
    """A link that was not used yet and is not too old. `code`: of its action, if it has one."""

    id: str
    purpose: Purpose
    language: str
    about: About
    code: str
    exercise: bool


def link_id_of(text_id: str) -> str:
    """The id of the link in a text of ours, by the id of the row from which that text is sent."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"link:{text_id}").hex


def issue(
    session: AsyncSession, vault: Vault, text_id: str, purpose: Purpose, about: About, language: str, actor: Actor
) -> OneTimeLink:
    """Adds the link of a text to the transaction, with its audit row. `vault`: of the police data."""
    link_id, moment = link_id_of(text_id), now()
    link = OneTimeLink(
        id=link_id,
        digest=_digest(_secret(vault.digest(link_id, SECRET))),
        purpose=purpose,
        action_id=about.action_id,
        call_id=about.call_id,
        room_id=about.room_id,
        language=language,
        created_at=moment,
        expires_at=moment + LIFE,
    )
    session.add(link)
    record(session, actor, "issue", "one-time link", link_id)
    return link


def secret_of(link: OneTimeLink, vault: Vault) -> str | None:
    """What opens a link; None when it was made under a key that is not held any more."""
    secrets = (_secret(keyed) for keyed in vault.digests(link.id, SECRET))
    return next((secret for secret in secrets if _digest(secret) == link.digest), None)


async def usable(store: Store, secret: str) -> Usable | None:
    """The link that this secret opens; None for one that is unknown, used or too old: nobody learns which."""
    query = (
        select(OneTimeLink, Action)
        .outerjoin(Action, col(Action.id) == OneTimeLink.action_id)
        .where(OneTimeLink.digest == _digest(secret), *_open())
    )
    async with store.reading() as session:
        found = (await session.exec(query)).first()
    if found is None:
        return None
    link: OneTimeLink = found[0]
    action: Action | None = found[1]
    about = About(link.action_id, link.call_id, link.room_id)
    code, exercise = (action.code, action.exercise) if action else ("", False)
    return Usable(link.id, Purpose(link.purpose), link.language, about, code, exercise)


async def spend(session: AsyncSession, link: Usable) -> bool:
    """Uses a link, in the transaction that keeps what came by it. False when somebody did so a moment ago."""
    spent = update(OneTimeLink).where(col(OneTimeLink.id) == link.id, *_open()).values(used_at=now())
    return bool((await session.exec(spent)).rowcount)


def _open() -> tuple[ColumnElement[bool], ...]:
    return col(OneTimeLink.used_at).is_(None), col(OneTimeLink.expires_at) > now()


def _secret(keyed: bytes) -> str:
    return base64.urlsafe_b64encode(keyed[:SECRET_BYTES]).decode()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
