"""`burgernet token`, as a deployer uses it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from burgernet.settings import PREFIX, Settings

BOUND_S = 60


def environment(settings: Settings) -> dict[str, str]:
    given = settings.model_dump(exclude_unset=True)
    shown = {name: getattr(value, "get_secret_value", lambda value=value: value)() for name, value in given.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {f"{PREFIX}{name.upper()}": str(value) for name, value in shown.items()} | {"COLUMNS": "200"}


def burgernet(settings: Settings, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("burgernet")
    return subprocess.run(
        [str(program), *words],
        env=environment(settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        check=False,
    )
