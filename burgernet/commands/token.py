"""`burgernet token`: keys to the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from actions.models import Token, now
from burgernet.base import Base
from burgernet.commands.terminal import by_command, out, with_base
from web.access.tokens import Scope, Tokens

app = typer.Typer(no_args_is_help=True, help="Tokens: keys to the API under /v1.")

Why = Annotated[str, typer.Option(help="Why, for the audit.")]


@app.command()
def new(
    actor: Annotated[str, typer.Argument(help="In whose name it acts, such as cad-rotterdam; stands in the audit.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give it once for each.")],
    room: Annotated[str, typer.Option(help="The control room it acts in; empty: all rooms.")] = "",
    days: Annotated[int, typer.Option(min=1, max=731, help="How long it lives.")] = 365,
    why: Why = "a system was connected",
) -> None:
    """Make a token and print its secret. It is shown this once: only its hash is kept."""

    async def work(base: Base) -> str:
        secret, _ = await Tokens(base.store).issue(actor, room or None, scope, timedelta(days=days), by_command(why))
        return secret

    typer.echo(with_base(work))


@app.command("list")
def list_tokens() -> None:
    """List all tokens, newest first; never their secrets."""

    async def work(base: Base) -> list[Token]:
        return list(await Tokens(base.store).all())

    table = Table("token", "actor", "room", "scopes", "expires (UTC)", "state")
    for token in with_base(work):
        expires = f"{token.expires_at:%Y-%m-%d %H:%M}"
        table.add_row(token.id, token.actor, token.room_id or "all", " ".join(token.scopes), expires, _state(token))
    out.print(table)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token, as `burgernet token list` shows it.")],
    why: Why = "it is not needed any more",
) -> None:
    """Make a token open nothing any more, from this moment on."""
    with_base(lambda base: Tokens(base.store).revoke(token, by_command(why)))
    out.print(f"Token {token} is revoked.")


def _state(token: Token) -> str:
    if token.revoked_at:
        return "revoked"
    return "good" if token.expires_at > now() else "expired"
