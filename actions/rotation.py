"""Moving everything sealed to the newest keys, row by row. Can be broken off and started again at any moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlmodel import col, select

from actions.books import Actor, record
from actions.call_book import CALLER, SOUND
from actions.models import Call, CallBack, ContactPoint, InboundText, Photo, Recording, Tip
from actions.register import PURPOSE as CONTACT_POINT
from actions.store import Store
from actions.tips import PICTURE, SENDER, WORDS
from actions.vault import Sealed, Vault, Vaults

BATCH = 500
# Two minutes of sound are 2 MB, and a batch is in memory at once.
SOUNDS_A_BATCH = 20
PICTURES_A_BATCH = 20


async def rotate(store: Store, vaults: Vaults, actor: Actor, say: Callable[[str], None]) -> dict[str, int]:
    """Seals and hashes every row anew that is not under the newest key. Rows moved, by table. Raises NoSuchKey."""
    moved = {}
    for model, vault, purpose, size in (
        (ContactPoint, vaults.register, CONTACT_POINT, BATCH),
        (Call, vaults.police, CALLER, BATCH),
        (CallBack, vaults.police, CALLER, BATCH),
        (Recording, vaults.police, SOUND, SOUNDS_A_BATCH),
        (Photo, vaults.police, PICTURE, PICTURES_A_BATCH),
        (Tip, vaults.police, WORDS, BATCH),
        (InboundText, vaults.police, SENDER, BATCH),
    ):
        name = model.__tablename__
        moved[str(name)] = 0
        while count := await _batch(store, model, vault, purpose, size, actor):
            moved[str(name)] += count
            say(f"{name}: {moved[str(name)]} rows moved to key {vault.newest}")
    return moved


async def _batch(store: Store, model: Any, vault: Vault, purpose: str, size: int, actor: Actor) -> int:
    old = select(model).where(col(model.key_version) != vault.newest, col(model.sealed).is_not(None)).limit(size)
    async with store.writing() as session:
        rows = (await session.exec(old)).all()
        for row in rows:
            plain = vault.open(Sealed(row.sealed, row.key_version), purpose)
            sealed = vault.seal(plain, purpose)
            row.sealed, row.key_version = sealed.blob, sealed.version
            if hasattr(row, "digest"):
                row.digest = vault.digest(plain.decode(), purpose)
        if rows:
            record(session, actor, "rotate", model.__tablename__, len(rows))
    return len(rows)
