"""Commands of `burgernet` as somebody types them: the settings they find, and the terminal they print to."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from burgernet.command_line import app
from burgernet.commands import terminal

KEY = b"k" * 32
Types = Callable[..., Result]


def settle(folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on commands find these settings, and this folder as their own."""
    keys = f"1:{base64.b64encode(KEY).decode()}"
    for name, value in {
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "REGISTER_KEYS": keys,
        "POLICE_KEYS": keys,
        "ARI_PASSWORD": "a" * 16,
        "AMI_PASSWORD": "b" * 16,
        "SIP_SECRET": "c" * 16,
        "SPOOL_FILE": str(folder / "spool"),
    }.items():
        monkeypatch.setenv(f"BURGERNET_{name}", value)
    monkeypatch.chdir(folder)


def types_after(*first: str, monkeypatch: pytest.MonkeyPatch) -> Types:
    """Typing a command that begins with these words; raises what main() would say in red."""
    monkeypatch.setattr(terminal.out, "width", 300)

    def typed(*words: str, typed: str | None = None) -> Result:
        result = CliRunner().invoke(app, [*first, *words], input=typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return typed
