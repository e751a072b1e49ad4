"""`burgernet demo`: the main job, on this machine, in two minutes."""

from __future__ import annotations

import asyncio
import logging
import shlex
import signal
from itertools import chain
from typing import Annotated, Any

import typer
from rich.console import Console

from burgernet.commands.terminal import out, say
from burgernet.demo.stage import HOME, Stage, environment, stage
from burgernet.demo.steps import Step, play
from burgernet.demo.story import LINES, STORY, Cast, nothing_is_left
from burgernet.demo.voice_story import CALLED, VOICE_STORY, VoiceCast
from burgernet.node import sip_password
from stand_ins.public_network import account_of

NUMBERS = (*LINES.values(), *CALLED.values())


def demo(
    once: Annotated[bool, typer.Option("--once", help="End by itself after the story.")] = False,
) -> None:
    """Show the main job with real calls: two actions, texts to who is near, callers put through to the right room."""
    logging.getLogger().setLevel(logging.ERROR)
    # A shell that starts this in the background has made it deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        held = asyncio.run(_show(once))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(0) from None
    if not held:
        raise typer.Exit(1)


async def _show(once: bool) -> bool:
    """Ends, with everything it started, on Ctrl-C and on SIGTERM."""
    showing = asyncio.current_task()
    assert showing
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, showing.cancel)
    async with stage(NUMBERS, say) as ready:
        out.print("\n[bold]The story[/]")
        held = await tell(ready, out)
        if not once:
            _invite(ready)
            await asyncio.Event().wait()
    return held


async def tell(ready: Stage, console: Console) -> bool:
    """Plays the whole story; whether every step held."""
    cast, called = await Cast.gather(ready), await VoiceCast.gather(ready)
    story = [(step, cast) for step in STORY], [(step, called) for step in VOICE_STORY], [(nothing_is_left, cast)]
    return await play(list(chain[tuple[Step[Any], Any]](*story)), console)


def _invite(ready: Stage) -> None:
    """Tells what to try next, with the accounts of this run. The settings go into a file that only its owner reads."""
    settings = ready.base.settings
    file = HOME / "environment"
    file.touch(mode=0o600)
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in environment(settings).items())
    file.write_text("".join(lines), "utf-8")
    out.print(
        f"\n[bold]Everything stays up until Ctrl-C.[/] SIP server {settings.sip_bind} (UDP). Accounts for a phone:"
    )
    for account in ("rotterdam-2", "amsterdam-2"):
        secret = sip_password(settings, account)
        out.print(f"  {account:14} password {secret}  operator; sign on with *11, off with *12", markup=False)
    out.print(f"The public network takes SIP on {ready.network.address}:{ready.network.port}. Its subscribers:")
    for number, secret in ready.network.subscribers.items():
        out.print(f"  {account_of(number):14} password {secret}", markup=False)
    out.print(
        f"""
Next things to try, in another terminal in this folder:
  . {file}
  .venv/bin/burgernet action start --kind look_out --region rotterdam --circle 51.9225,4.4792,2000 \\
      --title "de blauwe Golf" --text "Blauwe Volkswagen Golf, laatst gezien op de Coolsingel."
  .venv/bin/burgernet action list
  .venv/bin/burgernet operator list
From a phone: dial {settings.free_number}; with *31* before it your number is withheld.""",
        markup=False,
    )
