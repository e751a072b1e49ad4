"""Facts on disk while the database is away: sealed, in order, and never spoiled by their neighbours."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from actions.call_book import CALLER, SOUND
from actions.spool import PURPOSE, Fact, Spool
from actions.vault import Vault
from tests.store.disk import names, others_may, read, write

VAULT = Vault({1: b"1" * 32})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "calls.spool"


@pytest.fixture
def spool(file: Path) -> Spool:
    return Spool(file, VAULT)


def fact(number: int) -> Fact:
    return {"kind": "call", "call_id": str(number), "columns": {"ended_how": "ë" * 50}}


class Written:
    """A database that takes `room` facts and then is away."""

    def __init__(self, room: int = 1000) -> None:
        self.ids: list[int] = []
        self._room = room

    async def __call__(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if len(self.ids) == self._room:
                raise ConnectionError("away")
            self.ids.append(int(fact["call_id"]))


async def keep(spool: Spool, *numbers: int) -> None:
    for number in numbers:
        await spool.keep(fact(number))


async def test_facts_come_back_whole_oldest_first_and_then_nothing_is_left(spool: Spool, file: Path) -> None:
    assert spool.empty()
    await keep(spool, 1, 2, 3)
    assert not spool.empty()
    back: list[Fact] = []

    async def take(kept: Sequence[Fact]) -> None:
        back.extend(kept)

    assert await spool.replay(take) == 3
    assert back == [fact(1), fact(2), fact(3)]
    assert spool.empty()
    assert names(file.parent) == []


async def test_an_empty_spool_has_nothing_to_replay(spool: Spool) -> None:
    assert await spool.replay(Written()) == 0


async def test_many_kept_at_once_are_all_there(spool: Spool) -> None:
    await asyncio.gather(*(keep(spool, number) for number in range(50)))
    written = Written()
    await spool.replay(written)
    assert sorted(written.ids) == list(range(50))


async def test_only_its_owner_may_read_the_file(spool: Spool, file: Path) -> None:
    await keep(spool, 1)
    assert others_may(file) == 0


async def test_a_replay_that_breaks_off_begins_again_before_what_came_since(spool: Spool) -> None:
    await keep(spool, 1, 2)
    with pytest.raises(ConnectionError):
        await spool.replay(Written(room=1))
    await keep(spool, 3)
    assert not spool.empty()
    written = Written()
    assert await spool.replay(written) == 3
    assert written.ids == [1, 2, 3]


async def test_two_replays_at_once_write_each_fact_once(spool: Spool) -> None:
    await keep(spool, 1, 2)
    written = Written()
    assert sorted(await asyncio.gather(spool.replay(written), spool.replay(written))) == [0, 2]
    assert written.ids == [1, 2]


async def test_what_comes_during_a_replay_that_hangs_is_kept_at_once_and_written_in_the_next(spool: Spool) -> None:
    await keep(spool, 1)
    let_go, written = asyncio.Event(), Written()

    async def slow(kept: Sequence[Fact]) -> None:
        await let_go.wait()
        await written(kept)

    replaying = asyncio.create_task(spool.replay(slow))
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await keep(spool, 2)
    let_go.set()
    await replaying
    await spool.replay(written)
    assert written.ids == [1, 2]


@pytest.mark.parametrize("cut", [1, 2, 40, 100])
async def test_a_torn_line_spoils_neither_the_line_before_nor_the_one_after(spool: Spool, file: Path, cut: int) -> None:
    await keep(spool, 1, 2)
    whole = read(file)
    write(file, whole[:-cut])  # as a process leaves it that is killed in mid-write
    await keep(spool, 3)
    written = Written()
    await spool.replay(written)
    assert [number for number in written.ids if number != 2] == [1, 3]
    assert (2 in written.ids) is (cut == 1)


@pytest.mark.parametrize(
    "junk", [b"", b"\n\n", b"junk", b":", b"1:", b"1:!!", b"x:AAAA", b"1:AAAA", b"\x00\xff", b"9" * 5000 + b":AAAA"]
)
async def test_what_cannot_be_read_is_put_aside_and_the_rest_is_written(spool: Spool, file: Path, junk: bytes) -> None:
    await keep(spool, 1)
    write(file, junk + b"\n" + read(file))
    written = Written()
    assert await spool.replay(written) == 1
    assert written.ids == [1]
    assert read(file.with_suffix(".unreadable")).split() == junk.split()


async def test_facts_sealed_under_a_key_that_is_gone_are_put_aside_and_not_destroyed(spool: Spool, file: Path) -> None:
    await keep(spool, 1)
    kept = read(file)
    assert await Spool(file, Vault({2: b"2" * 32})).replay(Written()) == 0
    assert read(file.with_suffix(".unreadable")) == kept
    write(file, kept)
    written = Written()
    await spool.replay(written)
    assert written.ids == [1]


async def test_a_disk_that_takes_nothing_is_an_error_and_no_silence() -> None:
    with pytest.raises(OSError, match="No space left"):
        await Spool(Path("/dev/full"), VAULT).keep(fact(1))


def test_what_is_sealed_for_the_spool_opens_as_nothing_else() -> None:
    assert len({PURPOSE, CALLER, SOUND}) == 3
