"""`burgernet asterisk` and `burgernet prompts`: the telephone exchange and what it says."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from actions.desk import Refused
from asterisk_conf.render import Folders, render
from burgernet import asterisk as exchange
from burgernet.base import Base
from burgernet.commands.terminal import out, say, with_base
from burgernet.node import instance, node
from burgernet.settings import read_settings
from burgernet.telephony_role import speech_of

app = typer.Typer(no_args_is_help=True, help="The Asterisk node: install, configure, start.")
prompts = typer.Typer(no_args_is_help=True, help="What callers and operators hear.")


@app.command()
def install() -> None:
    """Make sure that there is an Asterisk 22.10 or newer; installs one in a folder of its own when there is none."""
    exchange.install(say)


@app.command("render")
def render_configuration(
    folder: Annotated[Path | None, typer.Option(help="Write here, for another machine; else where it is used.")] = None,
    modules: Annotated[
        str, typer.Option(help="Where Asterisk's modules are on that machine.")
    ] = "/usr/lib/asterisk/modules",
    home: Annotated[str, typer.Option(help="Base of Asterisk's own folders on that machine.")] = "/srv/burgernet/main",
    user: Annotated[str, typer.Option(help="Account Asterisk runs under on that machine.")] = "asterisk",
) -> None:
    """Write the node's configuration: dialplan, phones, trunk, ports."""

    async def work(base: Base) -> str:
        planned = await node(base.settings, base.desk)
        if folder is None:
            here = instance(base.settings)
            exchange.write(here, planned)
            return str(here.folder)
        seen_as = base.settings.sounds_seen_as or f"{home}/sounds"
        _write(folder, render(planned, Folders(home, modules, seen_as), user))
        return str(folder)

    out.print(f"Configuration written below {with_base(work)}.")


@app.command()
def start() -> None:
    """Start the node of this machine in the foreground, with a fresh configuration; Ctrl-C ends it."""

    async def write(base: Base) -> None:
        exchange.write(instance(base.settings), await node(base.settings, base.desk))

    with_base(write)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with exchange.running(instance(read_settings())) as process:
        out.print("Asterisk is up.")
        if process.wait():
            raise exchange.NoAsterisk(f"Asterisk ended by itself, exit status {process.returncode}")


@prompts.command()
def build() -> None:
    """Render every prompt of the catalogue, in Dutch and English; those that are there already are kept."""

    async def work(base: Base) -> int:
        return await speech_of(base).build(say)

    out.print(f"{with_base(work)} sounds ready.")


def _write(folder: Path, texts: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            file = folder / name
            file.touch(mode=0o600)
            file.chmod(0o600)  # one that was there keeps its mode, and passwords go in
            file.write_text(text, "utf-8")
    except OSError as fault:
        raise Refused([f"{folder} cannot be written: {fault.strerror}"]) from None
