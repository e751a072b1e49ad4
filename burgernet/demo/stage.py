"""The stage of the demonstration: everything real and on loopback, with secrets made for this one run."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from actions.books import Actor
from actions.seed import seed
from actions.store import upgrade
from actions.vault import new_key
from asterisk_conf.render import Line
from burgernet import asterisk as exchange
from burgernet.base import Base, Say, opened
from burgernet.embedded import free_port, redis_server
from burgernet.node import node, sip_password
from burgernet.run import Role, run
from burgernet.settings import PREFIX, Settings
from burgernet.telephony_role import speech_of
from stand_ins.twilio import Twilio
from telephony.handset import Handset, PhoneBox, Registrar, phone_box
from telephony.hearing import Samples, samples_in
from telephony.speech import Speech

HOME = Path("var/demo")
INSTANCE = "demo"
OPERATORS_A_ROOM = 2
DIRECTOR = Actor("demo", "demonstration", "to show the main job")


@dataclass(frozen=True)
class Stage:
    """What the story plays on. `number_of`: the public number of each line's account."""

    base: Base
    twilio: Twilio
    asterisk: exchange.Instance
    speech: Speech
    phones: PhoneBox
    number_of: dict[str, str]

    async def phone(self, account: str, tone: int) -> Handset:
        """A registered phone on one of the accounts, saying a tone of `tone` hertz."""
        host, _, port = self.base.settings.sip_bind.rpartition(":")
        password = sip_password(self.base.settings, account)
        handset = await self.phones.phone(account, Registrar(host, int(port)), password, tone=tone)
        await handset.registers()
        return handset

    async def sound(self, prompt: str, language: str = "nl") -> Samples:
        """What a prompt of the catalogue sounds like."""
        return samples_in(self.speech.path(await self.speech.media(prompt, language)))

    async def console(self, words: str) -> str:
        return await asyncio.to_thread(self.asterisk.console, words)


@asynccontextmanager
async def stage(lines: dict[str, str], say: Say) -> AsyncIterator[Stage]:
    """Sets everything up and takes it down again. `lines`: account -> public number (E.164)."""
    _sweep()
    with redis_server() as redis_url:
        twilio = Twilio(f"AC{secrets.token_hex(16)}", secrets.token_hex(16))
        async with twilio, opened(_settings(redis_url, twilio)) as base, phone_box() as phones:
            say("Database: an SQLite file with the country in it")
            await asyncio.to_thread(upgrade, base.settings.database_url)
            await seed(base.store, DIRECTOR, OPERATORS_A_ROOM)
            say("Telephone exchange: Asterisk starts")
            instance = exchange.Instance(exchange.install(lambda _: None), INSTANCE)
            accounts = [
                Line(account, sip_password(base.settings, account), number) for account, number in lines.items()
            ]
            async with _asterisk(instance, base, accounts), _roles(base, say):
                yield Stage(base, twilio, instance, speech_of(base), phones, lines)


def environment(settings: Settings) -> str:
    """The settings of this run as lines for a shell, so that every command of `burgernet` works on it."""
    given = settings.model_dump(exclude_unset=True)
    shown = {name: getattr(value, "get_secret_value", lambda value=value: value)() for name, value in given.items()}
    return "".join(f"export {PREFIX}{name.upper()}='{value}'\n" for name, value in shown.items())


@asynccontextmanager
async def _asterisk(instance: exchange.Instance, base: Base, lines: Sequence[Line]) -> AsyncIterator[None]:
    exchange.write(instance, await node(base.settings, base.desk, lines))
    process = await asyncio.to_thread(exchange.start, instance)
    try:
        yield
    finally:
        await asyncio.to_thread(exchange.stop, process)


@asynccontextmanager
async def _roles(base: Base, say: Say) -> AsyncIterator[None]:
    """All roles of Burgernet, running while the block lasts; a role that fails ends the block."""
    ready = asyncio.Event()
    say("Burgernet: all roles start, prompts are rendered when they are new")
    async with asyncio.TaskGroup() as group:
        roles = group.create_task(run(base, list(Role), say, ready))
        await ready.wait()
        yield
        roles.cancel()


def _sweep() -> None:
    """What an earlier run left."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)


def _settings(redis_url: str, twilio: Twilio) -> Settings:
    def secret() -> str:
        return secrets.token_hex(16)

    first = _free_range()
    web = free_port()
    return Settings(
        _env_file=None,
        database_url=f"sqlite+aiosqlite:///{HOME.absolute()}/burgernet.db",
        redis_url=redis_url,
        register_keys=f"1:{new_key()}",
        police_keys=f"1:{new_key()}",
        controller="demo",
        ari_url=f"http://127.0.0.1:{free_port()}",
        ari_password=secret(),
        ami_url=f"tcp://127.0.0.1:{free_port()}",
        ami_password=secret(),
        sip_secret=secret(),
        sip_bind=f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        rtp_ports=f"{first}-{first + 199}",
        asterisk_instance=INSTANCE,
        spool_file=HOME / "calls.spool",
        web_bind=f"127.0.0.1:{web}",
        public_url=f"http://127.0.0.1:{web}",
        twilio_account_sid=twilio.account_sid,
        twilio_auth_token=twilio.auth_token,
        twilio_sender="Burgernet",
        twilio_api_url=twilio.url,
    )


def _free_range() -> int:
    """The first of 200 UDP ports, even, likely free: media of one run."""
    return free_port(socket.SOCK_DGRAM) // 200 * 200 % 40000 + 20000
