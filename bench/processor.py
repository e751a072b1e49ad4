"""Processor time and memory of processes, from /proc: what a call costs on every side of it."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """Seconds of processor that a process, its living descendants and its ended children used so far."""
    children = _children()
    seconds, todo = _used(pid), list(children[pid])
    while todo:
        child = todo.pop()
        seconds += _used(child)
        todo += children[child]
    return seconds


def resident_mb(pid: int) -> float:
    """Memory of one process that is really there, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").glob("[0-9]*"):
        if fields := _stat(int(entry.name)):
            found[int(fields[1])].append(int(entry.name))
    return found


def _used(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
