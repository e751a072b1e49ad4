"""`burgernet db`, `burgernet seed` and `burgernet keys`: the database, the country to start from, the keys."""

from __future__ import annotations

from typing import Annotated

import typer

from actions.rotation import rotate as rotate_keys
from actions.seed import seed as seed_country
from actions.store import shown, upgrade
from actions.vault import new_key
from alerting.channels.vapid import Vapid
from alerting.channels.vapid import new_key as new_vapid_key
from burgernet.base import Base
from burgernet.commands.terminal import by_command, out, say, with_base
from burgernet.settings import read_settings

db = typer.Typer(no_args_is_help=True, help="The database.")
keys = typer.Typer(no_args_is_help=True, help="The keys under which personal data is sealed.")


@db.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to the newest schema; makes an SQLite file that is not there yet."""
    url = read_settings().database_url
    upgrade(url)
    out.print(f"The database {shown(url)} has the newest schema.")


def seed(
    operators: Annotated[int, typer.Option(min=0, max=1000, help="Operators to make in each room.")] = 2,
) -> None:
    """Load the country: ten regions, their control rooms, the area codes, operators. A second run adds nothing."""
    added = with_base(lambda base: seed_country(base.store, by_command("seed"), operators))
    out.print(f"{added} rows added.")


@keys.command()
def new() -> None:
    """Print a fresh key, to put into BURGERNET_REGISTER_KEYS or BURGERNET_POLICE_KEYS as VERSION:KEY."""
    typer.echo(new_key())


@keys.command()
def vapid() -> None:
    """Print a fresh key for BURGERNET_VAPID_KEY, and below it its public half, with which browsers sign on."""
    made = new_vapid_key()
    typer.echo(made)
    typer.echo(Vapid(made, "").public)


@keys.command()
def rotate() -> None:
    """Move everything sealed to the newest keys. Can be broken off and started again; keep the old keys until done."""

    async def work(base: Base) -> dict[str, int]:
        return await rotate_keys(base.store, base.vaults, by_command("key rotation"), say)

    for table, rows in with_base(work).items():
        out.print(f"{table}: {rows} rows moved to the newest key.")
