"""The command `burgernet`: everything a deployer, and an operator without a console, can do."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer
import uvloop

from actions.desk import Refused
from actions.participant_file import BadFile
from actions.places.files import BadPlaces
from actions.store import Away, NoDatabase
from actions.vault import BadKeys, NoSuchKey
from alerting.channels.dkim_key import NoKey
from alerting.channels.vapid import BadVapidKey
from burgernet import logs
from burgernet.asterisk import NoAsterisk
from burgernet.base import NoRedis, opened
from burgernet.commands import (
    action,
    alarms,
    asterisk,
    call,
    callback,
    database,
    doctor,
    links,
    mail,
    message,
    operator,
    participants,
    phone,
    places,
    report,
    room,
    sightings,
    spending,
    statistics,
    tips,
    token,
    unreachable,
    watch,
)
from burgernet.commands.terminal import err, say
from burgernet.demo.show import demo
from burgernet.embedded import NoServer
from burgernet.run import NotTogether, Role, run_until_told
from burgernet.settings import SettingsMissing, read_settings
from telephony.ari import Replaced
from telephony.lease import LeaseLost
from telephony.speech import NoVoice
from watch.board import BoardAway

# What a deployer can mend: said in a line, without a traceback.
MENDABLE = (
    BadFile,
    BadKeys,
    BadPlaces,
    BadVapidKey,
    NoKey,
    BoardAway,
    LeaseLost,
    NoAsterisk,
    phone.NotWorking,
    NoDatabase,
    NoRedis,
    NoServer,
    NoSuchKey,
    NoVoice,
    NotTogether,
    Refused,
    Replaced,
    SettingsMissing,
    *Away,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Burgernet: look-out actions by phone and text, and one free number to answer them.",
)
action.app.command()(report.report)
action.app.command()(message.renditions)
action.app.command()(watch.watch)
action.app.command()(tips.tips)
action.app.command()(tips.note)
action.app.command("tip-sound")(tips.tip_sound)
action.app.command("tip-photo")(tips.tip_photo)
action.app.command()(links.link)
action.app.command()(sightings.sighting)
app.command()(sightings.sightings)
app.add_typer(action.app, name="action")
app.add_typer(mail.app, name="mail")
app.add_typer(message.app, name="message")
participants.app.command()(unreachable.unreachable)
participants.app.command()(unreachable.reachable)
app.add_typer(participants.app, name="participants")
app.add_typer(places.app, name="places")
app.add_typer(operator.app, name="operator")
app.add_typer(room.app, name="room")
app.add_typer(call.app, name="call")
app.add_typer(callback.app, name="callback")
app.add_typer(asterisk.app, name="asterisk")
app.add_typer(asterisk.prompts, name="prompts")
app.add_typer(database.db, name="db")
app.add_typer(database.keys, name="keys")
app.add_typer(token.app, name="token")
app.command()(database.seed)
app.command()(demo)
app.command()(phone.phone)
app.command()(doctor.doctor)
app.command()(alarms.alarms)
app.command()(spending.spending)
app.command("statistics")(statistics.show)
app.command("sound-check")(phone.sound_check)


@app.command()
def run(
    role: Annotated[list[Role] | None, typer.Option(help="Only this role (may be given twice); else all.")] = None,
) -> None:
    """Run Burgernet until Ctrl-C: calls, alerts, callbacks."""

    settings = read_settings()
    logs.set_up(settings.log_format)

    async def until_told() -> None:
        async with opened(settings) as base:
            await run_until_told(base, role or list(Role), say)

    # What was imported stays: looking through it for garbage would let every caller wait, again and again. On a busy
    # day so many objects come and go that Python, left to itself, would look all the time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    # Half the processor time of a call is the event loop's: libuv's is cheaper.
    uvloop.run(until_told())


def main() -> None:
    """Entry of the command; exit status 1 and one clear line when something must be mended first."""
    logs.set_up(logs.LogFormat.TEXT)
    try:
        app()
    except* MENDABLE as faults:
        for fault in _leaves(faults):
            err.print(f"burgernet: {str(fault) or type(fault).__name__}", style="bold red", markup=False)
        sys.exit(1)


def _leaves(faults: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The faults themselves, out of every group they came in."""
    found: list[BaseException] = []
    for fault in faults.exceptions:
        found += _leaves(fault) if isinstance(fault, BaseExceptionGroup) else [fault]
    return found
