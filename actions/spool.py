"""Facts kept in a local file while the database is away: sealed, one a line, on disk before anybody goes on."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from actions.vault import NoSuchKey, NotOurs, Sealed, Vault

log = logging.getLogger(__name__)

PURPOSE = "spool"
Fact = dict[str, Any]


class Spool:
    """An append-only file of sealed facts. A second file, FILE.replaying, holds those being written to the database."""

    def __init__(self, file: Path, vault: Vault) -> None:
        self._file, self._replaying, self._vault = file, file.with_suffix(".replaying"), vault
        self._one_at_a_time, self._one_replay = asyncio.Lock(), asyncio.Lock()

    def empty(self) -> bool:
        return not self._file.exists() and not self._replaying.exists()

    async def keep(self, fact: Fact) -> None:
        """Returns when the fact is on disk."""
        sealed = self._vault.seal(json.dumps(fact).encode(), PURPOSE)
        line = f"{sealed.version}:{base64.b64encode(sealed.blob).decode()}\n".encode()
        async with self._one_at_a_time:
            await asyncio.to_thread(self._append, line)

    async def replay(self, write: Callable[[Fact], Awaitable[None]]) -> int:
        """Hands every kept fact to `write`, oldest first, and removes them when all are written. A fact may be handed
        over twice after a crash. Returns how many; what `write` raises leaves all of them kept."""
        count = 0
        # `keep` never waits for a database that is slow to take what is replayed.
        async with self._one_replay:
            for _ in range(2):  # what an earlier, broken-off replay left goes before what came since
                if not self._replaying.exists():
                    async with self._one_at_a_time:
                        if not self._file.exists():
                            return count
                        self._file.rename(self._replaying)
                for fact in self._read():
                    await write(fact)
                    count += 1
                self._replaying.unlink()
        return count

    def _append(self, line: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _read(self) -> Iterator[Fact]:
        for number, line in enumerate(self._replaying.read_bytes().splitlines(), start=1):
            version, _, blob = line.partition(b":")
            try:
                sealed = Sealed(base64.b64decode(blob, validate=True), int(version))
                yield json.loads(self._vault.open(sealed, PURPOSE))
            except (ValueError, NotOurs, NoSuchKey):
                # A process killed in the middle of a line leaves a torn one behind.
                log.exception("spool: line %d cannot be read and is left out", number)
