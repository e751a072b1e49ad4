"""The ground on which product and references run: one PostgreSQL, one Redis, one Asterisk, and the product as a
process of its own, as a deployer starts it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from pydantic import SecretStr
from redis import Redis

from actions.matching import OpenAction
from actions.seed import NATIONAL_ROOM
from bench import country
from bench.processor import cpu_s
from bench.registering import register
from bench.sipp import CARRIER, PHONES, PHONES_PORT
from burgernet import asterisk
from burgernet.base import opened
from burgernet.embedded import free_port, postgres_in, redis_server
from burgernet.node import instance, node, sip_password
from burgernet.settings import PREFIX, Settings
from ivr_flows.catalogue import catalogue
from ivr_flows.whisper import whisper
from telephony.speech import RATE, Samples, Speech

KEPT = Path("var/bench")
# Keys of no value: the participants are nobody, and the database is kept with their hashes.
KEYS = "1:" + "B" * 43 + "="
PROMPT_S = 0.5
PLAIN_OPERATOR = f"{NATIONAL_ROOM}-1"
START_BOUND_S = 60
# A telephone that is silent is given up by SIP after 32 s.
EMPTY_BOUND_S = 40
BURGERNET = (sys.executable, "-c", "from burgernet.command_line import main; main()")


@dataclass(frozen=True)
class Ground:
    settings: Settings
    country: country.Country
    speech: Speech
    instance: asterisk.Instance
    pids: dict[str, int]

    @property
    def sip(self) -> str:
        return self.settings.sip_bind

    def cpu_s(self) -> dict[str, float]:
        """Seconds of processor so far: Asterisk, Redis, PostgreSQL."""
        return {name: cpu_s(pid) for name, pid in self.pids.items()}

    def channels(self) -> int:
        return int(self.instance.console("core show channels count").split()[0])

    def empties(self, bound_s: float = EMPTY_BOUND_S) -> bool:
        """Whether the last channel goes within the bound; what is left then is hung up."""
        over = time.monotonic() + bound_s
        while time.monotonic() < over:
            if not self.channels():
                return True
            time.sleep(0.2)
        # Legs that nobody leads any more would spoil every later load.
        self.instance.console("channel request hangup all")
        return False


@asynccontextmanager
async def ground(**more: Any) -> AsyncIterator[Ground]:
    """`more`: settings other than the usual ones."""
    with (
        postgres_in(_kept(), ("-cshared_buffers=512MB", "-cmax_connections=200")) as postgres,
        redis_server() as redis,
    ):
        settings = settings_of(postgres.url, redis, **more)
        async with opened(settings) as base:
            found = await country.write(postgres.url, base.vaults.register)
            ours = instance(settings)
            asterisk.write(ours, await node(settings, base.desk))
            pid = int(dict(Redis.from_url(redis).info("server"))["process_id"])
        speech = await short_prompts(ours, found.actions)
        await _references(ours, speech, found)
        try:
            with asterisk.running(ours) as process:
                await asyncio.to_thread(_register, settings, found)
                yield Ground(
                    settings,
                    found,
                    speech,
                    ours,
                    {"asterisk": process.pid, "redis": pid, "postgresql": postgres.pid},
                )
        finally:
            shutil.rmtree(ours.folder)


def _kept() -> Path:
    KEPT.mkdir(parents=True, exist_ok=True)
    return KEPT.resolve()


@contextmanager
def product(
    ground: Ground, controller: str = "one", operators_a_room: int = country.OPERATORS_A_ROOM
) -> Iterator[subprocess.Popen[bytes]]:
    """The product's telephony role in a process of its own, taking calls for so many operators in each room."""
    with _started(ground, [*BURGERNET, "run", "--role", "telephony"], b"is up", controller) as process:
        _wait_for_operators(ground, operators_a_room)
        yield process


def log_of(controller: str) -> Path:
    """Where a controller's process writes its log."""
    return KEPT / f"{controller}.log"


def _wait_for_operators(ground: Ground, a_room: int) -> None:
    wanted = a_room * len({action.room_id for action in ground.country.actions})
    redis: Any = Redis.from_url(ground.settings.redis_url)
    over = time.monotonic() + START_BOUND_S
    while redis.hlen("burgernet:duty") < wanted:
        if time.monotonic() > over:
            raise RuntimeError("not all operators came into the line")
        time.sleep(0.2)
    redis.close()


@contextmanager
def http_handler(ground: Ground, prompts: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The reference that asks by HTTP, taking calls."""
    settings = ground.settings
    words = [settings.ari_url, settings.ari_user, settings.ari_password.get_secret_value(), PLAIN_OPERATOR]
    program = files("bench") / "references" / "http_handler.py"
    with _started(ground, [sys.executable, str(program), *words, *prompts.values()], b"up", "reference") as process:
        yield process


async def prompts(speech: Speech, found: country.Country) -> dict[str, str]:
    """The prompts of the call to compare, as ARI media."""
    (whispered,) = whisper(found.actions[0], "nl")
    return {
        "welcome": await speech.media("welcome", "nl"),
        "whisper": await speech.media(whispered, "nl"),
        "left": await speech.media("operator-left", "nl"),
    }


@contextmanager
def _started(ground: Ground, command: list[str], ready: bytes, name: str) -> Iterator[subprocess.Popen[bytes]]:
    log = log_of(name)
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=_environment(ground.settings, name))
    try:
        over = time.monotonic() + START_BOUND_S
        while ready not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > over:
                raise RuntimeError(f"{name} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(settings: Settings, controller: str) -> dict[str, str]:
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in settings.model_dump(exclude_defaults=True).items()
    }
    given = {
        name: settings.model_dump_json(include={name}).partition(":")[2][:-1] if isinstance(value, list) else str(value)
        for name, value in plain.items()
    }
    return {
        **os.environ,
        **{PREFIX + name.upper(): value for name, value in (given | {"controller": controller}).items()},
    }


def settings_of(database_url: str, redis_url: str, **more: Any) -> Settings:
    """Complete, from nothing but these; `more` goes before what is here."""
    mine: dict[str, Any] = {
        "register_keys": SecretStr(KEYS),
        "police_keys": SecretStr(KEYS),
        "ari_url": f"http://127.0.0.1:{free_port()}",
        "ami_url": f"tcp://127.0.0.1:{free_port()}",
        "ari_password": SecretStr(os.urandom(16).hex()),
        "ami_password": SecretStr(os.urandom(16).hex()),
        "sip_secret": SecretStr(os.urandom(16).hex()),
        "sip_bind": f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        "rtp_ports": "12000-19999",
        "trunk_addresses": [CARRIER],
        "asterisk_instance": f"bench-{os.getpid()}",
        "spool_file": KEPT / "calls.spool",
        # SIPp is one source for all of the country.
        "calls_a_minute_per_source": 100_000,
    }
    return Settings(_env_file=None, database_url=database_url, redis_url=redis_url, **(mine | more))


async def short_prompts(ours: asterisk.Instance, actions: Iterable[OpenAction]) -> Speech:
    """Every prompt is half a second long, for the product as for the references; found as already spoken."""
    speech = Speech(catalogue(), ours.sounds, ours.sounds_inside, _short)
    await speech.build(lambda _: None)
    for action in actions:
        for prompt in whisper(action, "nl"):
            await speech.media(prompt, "nl")
    return speech


async def _short(text: str, language: str) -> Samples:
    sound: Samples = 0.3 * np.sin(np.arange(int(RATE * PROMPT_S)) * 0.3)
    return sound


async def _references(ours: asterisk.Instance, speech: Speech, found: country.Country) -> None:
    """The references' dialplan; and phones that SIPp plays are not asked whether they live, nor expected to speak."""
    names = {
        name: media.removeprefix("sound:").removeprefix(f"{ours.sounds_inside}/")
        for name, media in (await prompts(speech, found)).items()
    }
    plain = Template((files("bench") / "references/plain.conf").read_text("utf-8").replace("${", "$${"))
    with (ours.folder / "etc/extensions.conf").open("a") as dialplan:
        dialplan.write(plain.substitute(names, sounds=ours.sounds_inside, operator=PLAIN_OPERATOR))
    contacts = ours.folder / "etc/pjsip.conf"
    contacts.write_text(contacts.read_text("utf-8").replace("rtp_timeout = 60", "rtp_timeout = 0"), "utf-8")
    with contacts.open("a") as phones:
        for account in _accounts(found):
            phones.write(f"\n[{account}](+type=aor)\nqualify_frequency = 0\n")


def _accounts(found: country.Country) -> list[str]:
    rooms = sorted({action.room_id for action in found.actions} | {NATIONAL_ROOM})
    return [f"{room}-{place}" for room in rooms for place in range(1, country.OPERATORS_A_ROOM + 1)]


def _register(settings: Settings, found: country.Country) -> None:
    passwords = {account: sip_password(settings, account) for account in _accounts(found)}
    register(passwords, settings.sip_bind, (PHONES, PHONES_PORT))
