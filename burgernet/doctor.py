"""What works and what does not, as seen from this machine: each part is really asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

import aiohttp
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import col, select

from actions.models import ContactPoint
from alerting.channels.twilio_client import TwilioClient
from alerting.errors import SendError, Unanswered
from burgernet import node
from burgernet.asterisk import OLDEST
from burgernet.base import Base
from burgernet.mail_way import post_office, signing_key
from burgernet.push_way import vapid_of
from burgernet.telephony_role import speech_of
from telephony.ami import Ami
from telephony.contacts import Contacts
from watch.board import Board
from watch.rules import Severity

BOUND_S = 10.0


class Colour(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True)
class Finding:
    """`words`: what was found and, unless green, what to do."""

    part: str
    colour: Colour
    words: str


class Wrong(Exception):
    """A part does not work; the message says what to do."""


class Doubtful(Exception):
    """A part works, but not as it should in production; the message says what to do."""


async def examine(base: Base) -> list[Finding]:
    """Asks every part, all at once, each within 10 s."""
    parts: dict[str, Callable[[Base], Awaitable[str]]] = {
        "database": _database,
        "keys": _keys,
        "Redis": _redis,
        "Asterisk (ARI)": _ari,
        "Asterisk (AMI)": _ami,
        "prompts": _prompts,
        "trunk": _trunk,
        "Twilio": _twilio,
        "mail": _mail,
        "notifications": _notifications,
        "operators": _operators,
        "alarms": _alarms,
    }
    return list(await asyncio.gather(*(_finding(base, part, ask) for part, ask in parts.items())))


async def _finding(base: Base, part: str, ask: Callable[[Base], Awaitable[str]]) -> Finding:
    try:
        async with asyncio.timeout(BOUND_S):
            return Finding(part, Colour.GREEN, await ask(base))
    except Doubtful as doubt:
        return Finding(part, Colour.YELLOW, str(doubt))
    except TimeoutError:
        return Finding(part, Colour.RED, f"no answer within {BOUND_S:.0f} s")
    except Exception as fault:  # noqa: BLE001 - whatever is wrong with a part is its finding
        first = (str(fault).splitlines() or [""])[0]
        return Finding(part, Colour.RED, first or type(fault).__name__)


async def _database(base: Base) -> str:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    newest = ScriptDirectory.from_config(config).get_current_head()
    async with base.store.reading() as session:
        known = (await session.exec(text("SELECT version_num FROM alembic_version"))).scalar()  # type: ignore[call-overload]
    if known != newest:
        raise Wrong(f"its schema is {known}, not {newest}: run `burgernet db upgrade`")
    return f"{base.store.dialect}, schema {known}"


async def _keys(base: Base) -> str:
    async with base.store.reading() as session:
        found = (await session.exec(select(ContactPoint.id).order_by(col(ContactPoint.id).desc()).limit(1))).first()
    if found is None:
        return "nothing is sealed yet"
    await base.register.numbers_of([found])
    return f"register key {base.vaults.register.newest} opens what is there"


async def _redis(base: Base) -> str:
    known = await base.redis.info("server")
    return f"version {known['redis_version']}"


async def _ari(base: Base) -> str:
    known = await _ask_ari(base, "asterisk/info?only=system")
    version = str(known["system"]["version"])
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        raise Wrong(f"version {version} is too old: {'.'.join(map(str, OLDEST))} or newer is needed")
    return f"version {version}"


async def _ami(base: Base) -> str:
    async def heard(_: str, __: bool) -> None:
        """Only whether it answers counts here."""

    settings = base.settings
    contacts = Contacts(heard)
    ami = Ami(settings.ami_url, settings.ami_user, settings.ami_password.get_secret_value(), [contacts])
    observing = asyncio.create_task(ami.run())
    try:
        async with asyncio.timeout(BOUND_S / 2):
            await contacts.listed.wait()
    except TimeoutError:
        raise Wrong("no log-in: check BURGERNET_AMI_URL, BURGERNET_AMI_USER and BURGERNET_AMI_PASSWORD") from None
    finally:
        observing.cancel()
        await asyncio.gather(observing, return_exceptions=True)
    return f"{len(contacts.reachable)} phones are registered"


async def _prompts(base: Base) -> str:
    if lacking := speech_of(base).lacking():
        raise Wrong(f"{len(lacking)} are not rendered yet: run `burgernet prompts build`")
    return "all are there"


async def _trunk(base: Base) -> str:
    if not base.settings.trunk_addresses:
        raise Doubtful("BURGERNET_TRUNK_ADDRESSES is empty: nobody can call the free number from outside")
    await _ask_ari(base, f"endpoints/PJSIP/{node.CARRIER}")
    if not (carriers := base.settings.carriers):
        raise Doubtful("BURGERNET_TRUNK_CONTACTS is empty: no voice alerts are placed")
    known = [await _ask_ari(base, f"endpoints/PJSIP/{way}") for way in node.ways_out(base.settings)]
    silent = [contact for contact, way in zip(carriers, known, strict=True) if way["state"] != "online"]
    if len(silent) == len(carriers):
        raise Wrong(f"offline: the carrier at {', '.join(silent)} does not answer")
    if silent:
        raise Doubtful(f"calls go by the other contacts: the carrier at {', '.join(silent)} does not answer")
    return f"online, {sum(len(way['channel_ids']) for way in known)} calls"


async def _twilio(base: Base) -> str:
    settings = base.settings
    if not settings.twilio_account_sid:
        raise Doubtful("BURGERNET_TWILIO_ACCOUNT_SID is empty: no texts are sent")
    client = TwilioClient(
        settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.twilio_api_url
    )
    try:
        await client.rest.messages.list_async(limit=1)
    except (Unanswered, SendError) as fault:
        raise Wrong(str(fault)) from fault
    finally:
        await client.close()
    if not settings.public_url.startswith("https://"):
        raise Doubtful(f"answers; but it cannot call back safely at {settings.public_url}: use https")
    return "answers"


async def _mail(base: Base) -> str:
    settings = base.settings
    if not settings.smtp_host:
        raise Doubtful("BURGERNET_SMTP_HOST is empty: no mail is sent")
    signed = signing_key(settings) is not None
    office = post_office(settings)
    try:
        await office.greet()
    except SendError as fault:
        raise Wrong(str(fault)) from fault
    finally:
        await office.close()
    if not settings.public_url.startswith("https://"):
        raise Doubtful(f"answers; but nobody can sign off safely at {settings.public_url}: use https")
    return "answers, and mail is signed" if signed else "answers; mail is not signed here (DKIM): let the server do it"


async def _notifications(base: Base) -> str:
    settings = base.settings
    if not settings.vapid_key.get_secret_value():
        raise Doubtful("BURGERNET_VAPID_KEY is empty: no notifications are sent (`burgernet keys vapid` makes one)")
    vapid = vapid_of(settings)
    if not settings.public_url.startswith("https://"):
        raise Doubtful(f"a key is there; but browsers tell nothing to {settings.public_url}: use https")
    return f"browsers sign on with the key {vapid.public}"


async def _operators(base: Base) -> str:
    on_duty = {duty.room_id for duty in await base.desk.operators() if duty.since}
    if not on_duty:
        raise Doubtful("nobody is on duty: callers can only leave a tip")
    return f"on duty in {len(on_duty)} rooms: {', '.join(sorted(on_duty))}"


async def _alarms(base: Base) -> str:
    board = Board(base.redis)
    if not (processes := await board.processes()):
        raise Doubtful("no process tells any: `burgernet run` is not up")
    found = await board.alarms()
    words = "; ".join(alarm.words for alarm in found)
    if any(alarm.severity is Severity.RED for alarm in found):
        raise Wrong(words)
    if found:
        raise Doubtful(words)
    return f"none, by {len(processes)} processes"


async def _ask_ari(base: Base, path: str) -> dict[str, Any]:
    settings = base.settings
    proof = aiohttp.encode_basic_auth(settings.ari_user, settings.ari_password.get_secret_value())
    url = f"{settings.ari_url.rstrip('/')}/ari/{path}"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Authorization": proof}) as answer:
        if answer.status == 401:
            raise Wrong("the log-in was refused: check BURGERNET_ARI_USER and BURGERNET_ARI_PASSWORD")
        if answer.status >= 300:
            raise Wrong(f"Asterisk answered {answer.status} to {path.partition('?')[0]}")
        known: dict[str, Any] = json.loads(await answer.read())
        return known
