"""The stage of the demonstration: everything real and on loopback, with secrets made for this one run."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from actions.books import Actor
from actions.seed import seed
from actions.store import upgrade
from actions.vault import new_key
from alerting.bell import action_changed
from burgernet import asterisk as exchange
from burgernet.base import Base, Say, opened
from burgernet.embedded import free_port, redis_server
from burgernet.node import node, sip_password
from burgernet.run import Role, run
from burgernet.settings import PREFIX, Settings
from burgernet.telephony_role import speech_of
from stand_ins.public_network import Network, account_of, configuration
from stand_ins.twilio import Twilio
from telephony.handset import Handset, PhoneBox, Registrar, phone_box
from telephony.hearing import Samples, samples_in
from telephony.speech import Prompt, Speech

HOME = Path("var/demo")
INSTANCE = "demo"
OPERATORS_A_ROOM = 2
MEDIA_PORTS = 200
DIRECTOR = Actor("demo", "demonstration", "to show the main job")


@dataclass(frozen=True)
class Stage:
    """What the story plays on."""

    base: Base
    twilio: Twilio
    asterisk: exchange.Instance
    network: Network
    speech: Speech
    phones: PhoneBox

    async def operator(self, account: str, tone: int) -> Handset:
        """The registered phone of an operator, saying a tone of `tone` hertz."""
        host, _, port = self.base.settings.sip_bind.rpartition(":")
        password = sip_password(self.base.settings, account)
        return await self._registered(account, Registrar(host, int(port)), account, password, tone)

    async def subscriber(self, name: str, number: str, tone: int) -> Handset:
        """The registered phone of a subscriber of the public network."""
        registrar = Registrar(self.network.address, self.network.port)
        return await self._registered(name, registrar, account_of(number), self.network.subscribers[number], tone)

    async def sound(self, prompt: Prompt, language: str = "nl") -> Samples:
        """What a prompt sounds like."""
        return samples_in(self.speech.path(await self.speech.media(prompt, language)))

    async def wake_all(self) -> None:
        """Tells every role at once that an action changed."""
        await action_changed(self.base.redis)

    async def console(self, words: str) -> str:
        return await asyncio.to_thread(self.asterisk.console, words)

    async def _registered(self, name: str, registrar: Registrar, account: str, password: str, tone: int) -> Handset:
        handset = await self.phones.phone(name, registrar, password, user=account, tone=tone)
        await handset.registers()
        return handset


@asynccontextmanager
async def stage(
    numbers: Collection[str], say: Say, home: Path = HOME, instance: str = INSTANCE
) -> AsyncIterator[Stage]:
    """Sets everything up and takes it down again. `numbers`: of the subscribers of the public network (E.164). `home`
    is emptied first; `instance` names the Asterisk."""
    installed = exchange.install(lambda _: None)
    ours, public = exchange.Instance(installed, instance), exchange.Instance(installed, f"{instance}-network")
    with exchange.alone(ours), redis_server() as redis_url:
        _sweep(home)
        twilio = Twilio(f"AC{secrets.token_hex(16)}", secrets.token_hex(16))
        network = _network(numbers)
        async with twilio, opened(_settings(redis_url, twilio, network, home, instance)) as base, phone_box() as phones:
            say("Database: an SQLite file with the country in it")
            await asyncio.to_thread(upgrade, base.settings.database_url)
            await seed(base.store, DIRECTOR, OPERATORS_A_ROOM)
            say("Telephone exchange: one Asterisk for Burgernet, one that plays the public network")
            exchange.write(ours, await node(base.settings, base.desk))
            exchange.write_files(public, partial(configuration, network))
            # The network first: our trunk asks it whether it is there as soon as it can.
            async with _running(public), _running(ours), _roles(base, say):
                yield Stage(base, twilio, ours, network, speech_of(base), phones)


def environment(settings: Settings) -> dict[str, str]:
    """The settings of this run as environment variables, with which every command of `burgernet` works on it."""
    given = settings.model_dump(exclude_unset=True)
    return {f"{PREFIX}{name.upper()}": _written(value) for name, value in given.items()}


def _written(value: object) -> str:
    """A setting as the environment holds it: lists as JSON."""
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    return json.dumps(plain) if isinstance(plain, list) else str(plain)


@asynccontextmanager
async def _running(instance: exchange.Instance) -> AsyncIterator[None]:
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


def _sweep(home: Path) -> None:
    """What an earlier run left."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)


def _network(numbers: Collection[str]) -> Network:
    first = _free_range()
    return Network(
        address="127.0.0.2",
        port=free_port(socket.SOCK_DGRAM),
        rtp_first=first + MEDIA_PORTS,
        rtp_last=first + 2 * MEDIA_PORTS - 1,
        node=f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        subscribers={number: secrets.token_hex(16) for number in numbers},
    )


def _settings(redis_url: str, twilio: Twilio, network: Network, home: Path, instance: str) -> Settings:
    def secret() -> str:
        return secrets.token_hex(16)

    web = free_port()
    return Settings(
        _env_file=None,
        database_url=f"sqlite+aiosqlite:///{home.absolute()}/burgernet.db",
        redis_url=redis_url,
        register_keys=f"1:{new_key()}",
        police_keys=f"1:{new_key()}",
        controller="demo",
        ari_url=f"http://127.0.0.1:{free_port()}",
        ari_password=secret(),
        ami_url=f"tcp://127.0.0.1:{free_port()}",
        ami_password=secret(),
        sip_secret=secret(),
        sip_bind=network.node,
        rtp_ports=f"{network.rtp_first - MEDIA_PORTS}-{network.rtp_first - 1}",
        trunk_addresses=[network.address],
        trunk_contact=f"sip:{network.address}:{network.port}",
        asterisk_instance=instance,
        spool_file=home / "calls.spool",
        web_bind=f"127.0.0.1:{web}",
        public_url=f"http://127.0.0.1:{web}",
        twilio_account_sid=twilio.account_sid,
        twilio_auth_token=twilio.auth_token,
        twilio_sender="Burgernet",
        twilio_api_url=twilio.url,
    )


def _free_range() -> int:
    """The first of two ranges of UDP ports for media, likely free."""
    return 20000 + free_port(socket.SOCK_DGRAM) % 50 * 2 * MEDIA_PORTS
