"""Moving to new keys: in batches, broken off and begun again, and everybody found all the while."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from actions import rotation
from actions.books import Actor
from actions.call_book import CALLER, SOUND, CallBook
from actions.models import Call, ContactPoint, Recording, now
from actions.numbers import read_number
from actions.register import Register
from actions.rotation import rotate
from actions.store import Store
from actions.vault import NoSuchKey, Sealed, Vault, Vaults
from tests.store.people import entry
from tests.store.rows import all_of, audited

PEOPLE = [f"+3165{number:07d}" for number in range(12)]
WAV = b"RIFF what the caller saw"


def held(*versions: int) -> Vaults:
    """Keys of these versions for both groups."""
    return Vaults(
        Vault({version: bytes([version]) * 32 for version in versions}),
        Vault({version: bytes([100 + version]) * 32 for version in versions}),
    )


BEFORE, DURING, AFTER = held(1), held(1, 2), held(2)


@pytest.fixture
async def filled(store: Store, actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Twelve participants, twelve calls of theirs, one without a number, and two recordings, under key 1."""
    monkeypatch.setattr(rotation, "BATCH", 5)
    monkeypatch.setattr(rotation, "SOUNDS_A_BATCH", 1)
    await Register(store, BEFORE.register).add([entry(e164) for e164 in PEOPLE], actor)
    book = CallBook(store, BEFORE, tmp_path / "spool")
    for e164 in [*PEOPLE, None]:
        await book.arrived(f"call-{e164}", read_number(e164), "08000011", now())
    for e164 in PEOPLE[:2]:
        await book.keep_tip(f"call-{e164}", None, None, WAV, 3.0)
    return store


async def versions(store: Store) -> dict[str, set[int | None]]:
    return {
        "contacts": {row.key_version for row in await all_of(store, ContactPoint)},
        "calls": {row.key_version for row in await all_of(store, Call)},
        "recordings": {row.key_version for row in await all_of(store, Recording)},
    }


async def everybody_is_found(store: Store, vaults: Vaults, actor: Actor) -> bool:
    """Whether each number is found by its digest and opens, in the register and in the calls."""
    assert await Register(store, vaults.register).add([entry(e164) for e164 in PEOPLE], actor) == 0
    contacts = [row.id for row in await all_of(store, ContactPoint) if row.id]
    numbers = await Register(store, vaults.register).numbers_of(contacts)
    calls = await all_of(store, Call)
    callers = {digest for e164 in PEOPLE for digest in vaults.police.digests(e164, CALLER)}
    opened = {
        vaults.police.open(Sealed(call.sealed, call.key_version), CALLER).decode()
        for call in calls
        if call.sealed and call.key_version and call.digest in callers
    }
    return sorted(numbers.values()) == sorted(opened) == PEOPLE


def quiet(_: str) -> None:
    pass


def broken_off_after(batches: int) -> Callable[[str], None]:
    """A terminal that is closed in the middle of the work."""
    seen: list[str] = []

    def say(words: str) -> None:
        seen.append(words)
        if len(seen) == batches:
            raise KeyboardInterrupt

    return say


async def test_everything_sealed_moves_to_the_newest_key_and_the_old_one_can_go(filled: Store, actor: Actor) -> None:
    said: list[str] = []
    moved = await rotate(filled, DURING, actor, said.append)
    assert {table: rows for table, rows in moved.items() if rows} == {"contact_point": 12, "call": 12, "recording": 2}
    assert await versions(filled) == {"contacts": {2}, "calls": {2, None}, "recordings": {2}}
    assert await everybody_is_found(filled, AFTER, actor)
    for row in await all_of(filled, Recording):
        assert AFTER.police.open(Sealed(row.sealed, row.key_version), SOUND) == WAV
    assert "contact_point: 5 rows moved to key 2" in said
    assert not any(e164[3:] in words for e164 in PEOPLE for words in said)


async def test_no_table_with_something_sealed_is_left_out(store: Store, actor: Actor) -> None:
    sealed = {table.name for table in SQLModel.metadata.tables.values() if "sealed" in table.columns}
    assert (await rotate(store, DURING, actor, quiet)).keys() == sealed


async def test_each_batch_is_in_the_books(filled: Store, actor: Actor) -> None:
    await rotate(filled, DURING, actor, quiet)
    rotated = [row[3] for row in await audited(filled) if row[2] == "rotate"]
    assert [rotated.count(table) for table in ("contact_point", "call", "recording")] == [3, 3, 2]


async def test_a_second_time_moves_nothing(filled: Store, actor: Actor) -> None:
    await rotate(filled, DURING, actor, quiet)
    before = await audited(filled)
    assert set((await rotate(filled, DURING, actor, quiet)).values()) == {0}
    assert await audited(filled) == before


@pytest.mark.parametrize("batches", [1, 2, 4, 7])
async def test_broken_off_in_the_middle_everybody_is_found_and_it_can_begin_again(
    filled: Store, actor: Actor, batches: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        await rotate(filled, DURING, actor, broken_off_after(batches))
    assert await everybody_is_found(filled, DURING, actor)
    await rotate(filled, DURING, actor, quiet)
    assert await everybody_is_found(filled, AFTER, actor)


async def test_who_comes_in_during_the_rotation_is_sealed_under_the_new_key(filled: Store, actor: Actor) -> None:
    assert await Register(filled, DURING.register).add([entry("+31659999999")], actor) == 1
    assert (await versions(filled))["contacts"] == {1, 2}
    assert (await rotate(filled, DURING, actor, quiet))["contact_point"] == 12


async def test_before_a_rotation_nothing_needs_the_new_key(filled: Store, actor: Actor) -> None:
    assert await everybody_is_found(filled, BEFORE, actor)
    assert await everybody_is_found(filled, DURING, actor)


async def test_without_the_old_key_nothing_moves_and_the_message_says_what_to_do(filled: Store, actor: Actor) -> None:
    with pytest.raises(NoSuchKey, match="key version 1 is not in the settings; add it back, then rotate"):
        await rotate(filled, AFTER, actor, quiet)
    assert await everybody_is_found(filled, BEFORE, actor)


async def test_an_empty_database_has_nothing_to_move(store: Store, actor: Actor) -> None:
    assert set((await rotate(store, DURING, actor, quiet)).values()) == {0}
    assert await audited(store) == []
