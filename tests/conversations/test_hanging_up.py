"""A caller may hang up at any moment. Nothing is left: no channel, bridge, file, claimed operator; one row says when.

What is left is looked at after every conversation (Exchange.is_quiet).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.conversations.exchange import FREE_NUMBER, Exchange, until, whispered
from tests.conversations.phones import Music, Phone

KNOWN = "+31612345678"
STRANGER = "+31687654321"

Stage = Callable[[Exchange], Awaitable[Phone]]


async def during_the_welcome(exchange: Exchange) -> Phone:
    caller = await exchange.caller()
    await caller.dials(FREE_NUMBER)
    await caller.is_answered()
    return caller


async def during_the_question(exchange: Exchange) -> Phone:
    await exchange.action()
    caller = await exchange.caller(STRANGER)
    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    return caller


async def between_two_keys(exchange: Exchange) -> Phone:
    caller = await during_the_question(exchange)
    await caller.presses("1")
    return caller


async def during_the_menu(exchange: Exchange) -> Phone:
    for region in ("rotterdam", "den-haag"):
        await exchange.alerted(KNOWN, await exchange.action(region))
    caller = await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await caller.hears("choose-action")
    return caller


async def while_waiting(exchange: Exchange) -> Phone:
    await exchange.alerted(KNOWN, await exchange.action())
    await (await exchange.operator("rotterdam-1")).is_engaged()
    caller = await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await caller.hears(Music())
    return caller


async def while_it_rings(exchange: Exchange) -> Phone:
    await exchange.alerted(KNOWN, await exchange.action())
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await operator.rings()
    return caller


async def during_the_whisper(exchange: Exchange) -> Phone:
    action = await exchange.action(title="de blauwe Golf met een dakkoffer en een heel lange omschrijving")
    await exchange.alerted(KNOWN, action)
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await operator.answers()
    return caller


async def in_the_talk(exchange: Exchange) -> Phone:
    action = await exchange.action()
    await exchange.alerted(KNOWN, action)
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.talks_with(caller)
    return caller


async def while_the_tip_is_asked_for(exchange: Exchange) -> Phone:
    await exchange.alerted(KNOWN, await exchange.action())
    caller = await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await caller.hears("leave-tip")
    return caller


@pytest.mark.parametrize(
    ("stage", "noted"),
    [
        (during_the_welcome, "welcome"),
        (during_the_question, "finding"),
        (between_two_keys, "finding"),
        (during_the_menu, "finding"),
        (while_waiting, "waiting"),
        (while_it_rings, "waiting"),
        (during_the_whisper, "waiting"),
        (in_the_talk, "talking"),
        (while_the_tip_is_asked_for, "tip"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
async def test_a_caller_who_hangs_up_leaves_nothing_behind(exchange: Exchange, stage: Stage, noted: str) -> None:
    caller = await stage(exchange)
    await caller.hangs_up()
    await exchange.ended(f"caller hung up: {noted}")
    await exchange.is_quiet()
    if noted in ("waiting", "talking"):
        await until(lambda: exchange.is_free("rotterdam-1"), "the operator free again")


async def test_a_caller_who_gives_up_before_the_answer_leaves_nothing_behind(exchange: Exchange) -> None:
    caller = await exchange.caller()
    await caller.dials(FREE_NUMBER)
    await caller.hangs_up()
    await caller.is_hung_up()
    await exchange.is_quiet()
