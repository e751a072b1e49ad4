"""`burgernet phone`: a telephone in the terminal, to try a call with; and `burgernet sound-check`, for a timer."""

from __future__ import annotations

import asyncio
import sys
import time
import wave
from pathlib import Path
from typing import Annotated

import typer

from asterisk_conf.render import CHECK
from burgernet.base import Base
from burgernet.commands.terminal import out, with_base
from burgernet.node import sip_password
from burgernet.settings import Settings
from burgernet.telephony_role import speech_of
from telephony.handset import Handset, NotHeard, PhoneFault, Registrar, phone_box
from telephony.hearing import RATE, Samples, likeness, samples_in

ALIKE_ENOUGH = 0.8
ANSWER_S = 10.0
LATE_S = 5.0
HELP = """\
  dial NUMBER   call, such as: dial 08000011     answer        pick up
  keys KEYS     press keys, such as: keys 427#   hangup        end the call
  play FILE     say a WAV file (8 kHz, mono)     record FILE   write what was heard in this call
  refuse        refuse the call that rings       quit          end (or Ctrl-D)"""


class NotWorking(Exception):
    """A telephone could not register, or the sound check failed; the message says at what."""


def phone(
    account: Annotated[str, typer.Option(help="The SIP account, such as rotterdam-1.")],
    server: Annotated[str, typer.Option(help="HOST:PORT of another SIP server; empty: our own Asterisk.")] = "",
    password: Annotated[
        str, typer.Option(help="Of the account there; empty: ours.", envvar="BURGERNET_PHONE_PASSWORD")
    ] = "",
) -> None:
    """A telephone in the terminal: registers, calls, answers, presses keys, plays and records WAV files."""

    async def work(base: Base) -> None:
        secret = password or sip_password(base.settings, account)
        async with phone_box() as box:
            handset = await box.phone(account, _registrar(server or base.settings.sip_bind), secret)
            try:
                await handset.registers()
            except NotHeard as fault:
                raise NotWorking(
                    f"{account} was not registered: check the account, its password, the server"
                ) from fault
            out.print(f"{account} is registered.\n{HELP}", markup=False)
            telling = asyncio.create_task(_tell(handset))
            try:
                await _obey_terminal(handset)
            finally:
                telling.cancel()

    with_base(work)


def sound_check() -> None:
    """Call the free number, hear the welcome, and tell how fast and how well; exit status 1 when it fails."""
    with_base(_check)


async def _check(base: Base) -> None:
    prompt = samples_in(speech_of(base).path(await speech_of(base).media("welcome", "nl")))
    async with phone_box() as box:
        handset = await box.phone(CHECK, _registrar(base.settings.sip_bind), sip_password(base.settings, CHECK))
        try:
            await handset.registers()
            answered_s, heard = await _call_once(handset, base.settings, prompt)
        except (NotHeard, PhoneFault) as fault:
            raise NotWorking(f"the sound check failed: {fault}") from fault
    alike = likeness(prompt, heard)
    out.print(f"answered after {answered_s * 1000:.0f} ms; the welcome was heard, likeness {alike:.2f} (1 is perfect)")
    if answered_s > LATE_S or alike < ALIKE_ENOUGH:
        raise NotWorking(f"too late (more than {LATE_S:.0f} s) or too unlike (less than {ALIKE_ENOUGH}) the welcome")


async def _call_once(handset: Handset, settings: Settings, prompt: Samples) -> tuple[float, Samples]:
    began = time.monotonic()
    await handset.dials(settings.free_number)
    await handset.is_answered(ANSWER_S)
    answered_s = time.monotonic() - began
    await handset.hears(prompt, bound_s=len(prompt) / RATE + ANSWER_S)
    await asyncio.sleep(max(0.0, len(prompt) / RATE - 1.5))
    heard = await handset.sound()
    await handset.hangs_up()
    await handset.is_hung_up()
    await handset.unregisters()
    return answered_s, heard


async def _tell(handset: Handset) -> None:
    while True:
        event = await handset.next_event()
        caller = event.get("caller") or "a withheld number"
        words = {
            "rings": f"It rings: {caller}. Type answer or refuse.",
            "answered": "Connected.",
            "ended": "The call has ended.",
        }
        if event["event"] in words:
            out.print(words[event["event"]], markup=False)


async def _obey_terminal(handset: Handset) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        while line := (await reader.readline()).decode():
            order, _, rest = line.strip().partition(" ")
            if order == "quit":
                return
            try:
                await _obey(handset, order, rest.strip())
            except (PhoneFault, NotHeard, OSError, wave.Error) as fault:
                out.print(f"That did not work: {fault}", markup=False)
    finally:
        transport.close()


async def _obey(handset: Handset, order: str, rest: str) -> None:
    match order:
        case "dial":
            await handset.dials(rest)
        case "answer":
            await handset.picks_up()
        case "refuse":
            await handset.refuses()
        case "keys":
            await handset.presses(rest)
        case "hangup":
            await handset.hangs_up()
        case "play":
            await handset.plays(samples_in(Path(rest)))
        case "record":
            _write(Path(rest), await handset.sound())
            out.print(f"Written to {rest}.", markup=False)
        case _:
            out.print(HELP, markup=False)


def _write(file: Path, sound: Samples) -> None:
    with wave.open(str(file), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(sound.astype("<i2").tobytes())


def _registrar(address: str) -> Registrar:
    host, _, port = address.rpartition(":")
    return Registrar(host or "127.0.0.1", int(port))
