"""Facts kept in a local file while the database is away: sealed, one a line, on disk before anybody goes on."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from actions.vault import NoSuchKey, NotOurs, Sealed, Vault

log = logging.getLogger(__name__)

PURPOSE = "spool"
SOME = 100
Fact = dict[str, Any]


class Spool:
    """An append-only file of sealed facts. Beside it, with other endings: `.replaying` holds those being written to the
    database, `.unreadable` what did not open, or is refused
    by the database."""

    def __init__(self, file: Path, vault: Vault) -> None:
        self._file, self._replaying, self._vault = file, file.with_suffix(".replaying"), vault
        self._unreadable = file.with_suffix(".unreadable")
        self._one_at_a_time, self._one_replay = asyncio.Lock(), asyncio.Lock()

    def empty(self) -> bool:
        return not self._file.exists() and not self._replaying.exists()

    async def keep(self, *facts: Fact) -> None:
        """Returns when the facts are on disk. Raises OSError."""
        lines = b"\n".join(map(self._line, facts))
        async with self._one_at_a_time:
            await asyncio.to_thread(_append, self._file, lines)

    def set_aside(self, fact: Fact) -> None:
        """Keeps with the unreadable ones a fact that the database refuses: no other has to wait behind it. Raises
        OSError."""
        _append(self._unreadable, self._line(fact))

    async def change(self, how: Callable[[Fact], Fact]) -> None:
        """Keeps what `how` makes of each fact instead of it; of those that are being written to the database only when
        that has come to a halt. Raises OSError."""
        if not self._one_replay.locked():
            async with self._one_replay:
                await asyncio.to_thread(self._rewrite, self._replaying, how)
        async with self._one_at_a_time:
            await asyncio.to_thread(self._rewrite, self._file, how)

    async def replay(self, write: Callable[[Sequence[Fact]], Awaitable[None]]) -> int:
        """Hands every kept fact to `write`, oldest first, some at a time, and removes them when all are written. A fact
        may be handed over twice after a crash. Returns how many; what `write` raises leaves all of them kept."""
        count = 0
        # `keep` never waits for a database that is slow to take what is replayed.
        async with self._one_replay:
            for _ in range(2):  # what an earlier, broken-off replay left goes before what came since
                if not self._replaying.exists():
                    async with self._one_at_a_time:
                        if not self._file.exists():
                            return count
                        self._file.rename(self._replaying)
                kept = self._read(self._replaying)
                while facts := list(islice(kept, SOME)):
                    await write(facts)
                    count += len(facts)
                self._replaying.unlink()
        return count

    def _rewrite(self, file: Path, how: Callable[[Fact], Fact]) -> None:
        if not file.exists():
            return
        changed = file.with_suffix(".changed")
        changed.unlink(missing_ok=True)
        for fact in self._read(file):
            _append(changed, self._line(how(fact)))
        changed.replace(file)

    def _line(self, fact: Fact) -> bytes:
        sealed = self._vault.seal(json.dumps(fact).encode(), PURPOSE)
        return f"{sealed.version}:{base64.b64encode(sealed.blob).decode()}".encode()

    def _read(self, file: Path) -> Iterator[Fact]:
        for number, line in enumerate(file.read_bytes().split(), start=1):
            version, _, blob = line.partition(b":")
            try:
                sealed = Sealed(base64.b64decode(blob, validate=True), int(version))
                yield json.loads(self._vault.open(sealed, PURPOSE))
            except (ValueError, NotOurs, NoSuchKey) as fault:
                # A process killed in the middle of a line leaves a torn one behind; or a key is gone from the settings.
                log.error("spool: line %d goes to %s (%s)", number, self._unreadable.name, type(fault).__name__)
                _append(self._unreadable, line)


def _append(file: Path, line: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # A line end goes before it as well: what a torn line leaves must not spoil the next.
    whole = b"\n" + line + b"\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(descriptor, whole) < len(whole):
            raise OSError(errno.ENOSPC, "the disk took half a line", str(file))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
