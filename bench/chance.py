"""Bench `chance`: what `make test` tries a few times, tried many times with other seeds."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.results import Figure, Goal

NAME = "chance"
TESTS = (
    "tests/alerting/test_killed_workers.py",
    "tests/voice/test_broken_off.py",
    "tests/web/test_schemathesis.py",
)


def run() -> list[Figure]:
    """About half an hour."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-n", "1", "--timeout", "3600", "--every-database", *TESTS]
    done = subprocess.run(command, env={**os.environ, "SEEDS": "25", "EXAMPLES": "200"}, check=False)
    return [
        Figure(NAME, "failed runs of seeded faults and hostile requests", done.returncode, "", goal=Goal(at_most=0)),
        Figure(NAME, "time", time.monotonic() - begun, "s"),
    ]
