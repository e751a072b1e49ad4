"""What the observer sees on the manager port of a real Asterisk, and what the line of operators makes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from telephony.ami import Ami
from telephony.contacts import Contacts
from telephony.handset import PhoneBox
from tests.conversations.exchange import Exchange, Phone, until
from tests.conversations.real import RealNode, RealWiring, real_exchange
from tests.truth.running import restarted, wire_to

ROTTERDAM = "rotterdam-1"


@pytest_asyncio.fixture(loop_scope="session")
async def exchange(
    real: RealNode, box: PhoneBox, sqlite_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Exchange]:
    async with real_exchange(real, box, sqlite_url, redis_url, tmp_path / "spool") as exchange:
        yield exchange


class Notes:
    """What an observer told, in its order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []

    async def changed(self, account: str, reachable: bool) -> None:
        self.told.append((account, reachable))

    async def are(self, *told: tuple[str, bool]) -> None:
        async def so() -> bool:
            return self.told == list(told)

        try:
            await until(so, "told", bound_s=10)
        except TimeoutError:
            raise AssertionError(f"told {self.told}, not {told}") from None


class Observer(Contacts):
    """Contacts with their own connection."""

    def __init__(self, url: str, user: str, password: str, notes: Notes) -> None:
        super().__init__(notes.changed)
        self.run = Ami(url, user, password, [self]).run


@asynccontextmanager
async def observing(observer: Observer) -> AsyncIterator[None]:
    task = asyncio.create_task(observer.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def observer(real: RealNode, notes: Notes, *, port: int | None = None, password: str | None = None) -> Observer:
    settings = real.settings
    url = f"tcp://127.0.0.1:{port}" if port else settings.ami_url
    return Observer(url, settings.ami_user, password or settings.ami_password.get_secret_value(), notes)


async def listed(ami: Observer) -> None:
    async with asyncio.timeout(10):
        await ami.listed.wait()


@asynccontextmanager
async def phone_of(real: RealNode, box: PhoneBox, account: str) -> AsyncIterator[Phone]:
    """A registered phone; afterwards the account has none."""
    wiring = RealWiring(real, box)
    try:
        yield await wiring.operator(account, 440)
    finally:
        await wiring.forget_phones()


async def test_an_operator_whose_phone_goes_is_passed_over_stays_on_duty_and_comes_back_with_it(
    exchange: Exchange,
) -> None:
    phone = await exchange.operator(ROTTERDAM)
    await phone.unregisters()
    await until(lambda: _not_free(exchange), "out of the line")
    assert await by_the_books(exchange)
    await phone.registers()
    await until(lambda: exchange.is_free(ROTTERDAM), "back in the line")
    assert await by_the_books(exchange)


async def test_an_operator_whose_phone_dies_without_a_word_is_passed_over_and_stays_on_duty(
    exchange: Exchange, real: RealNode
) -> None:
    phone = await exchange.operator(ROTTERDAM)
    await phone.vanishes()
    await asyncio.to_thread(real.asterisk.console, f"pjsip qualify {ROTTERDAM}")  # as every 15 s by itself
    await until(lambda: _not_free(exchange), "out of the line")
    assert await by_the_books(exchange)
    await exchange.operator(ROTTERDAM, on_duty=False)
    await until(lambda: exchange.is_free(ROTTERDAM), "back in the line with another phone")


async def test_a_phone_of_somebody_off_duty_brings_nobody_into_the_line(exchange: Exchange) -> None:
    on_duty = await exchange.operator(ROTTERDAM)
    await exchange.operator("rotterdam-2", on_duty=False)
    await on_duty.unregisters()
    await until(lambda: _not_free(exchange), "what the phones did is known")
    assert not await exchange.is_free("rotterdam-2")


async def test_the_observer_tells_each_coming_and_going_once(real: RealNode, box: PhoneBox) -> None:
    notes = Notes()
    ami = observer(real, notes)
    async with observing(ami), phone_of(real, box, ROTTERDAM) as phone:
        await notes.are((ROTTERDAM, True))
        assert ami.reachable == {ROTTERDAM}
        await phone.unregisters()
        await notes.are((ROTTERDAM, True), (ROTTERDAM, False))
        assert ami.reachable == frozenset()
        await phone.registers()
        await notes.are((ROTTERDAM, True), (ROTTERDAM, False), (ROTTERDAM, True))


async def test_a_phone_that_registered_before_is_listed(real: RealNode, box: PhoneBox) -> None:
    notes = Notes()
    async with phone_of(real, box, ROTTERDAM):
        ami = observer(real, notes)
        async with observing(ami):
            await listed(ami)
            assert notes.told == [(ROTTERDAM, True)]


async def test_what_happened_while_the_wire_was_cut_is_told_after_it(real: RealNode, box: PhoneBox) -> None:
    notes = Notes()
    async with wire_to(real.settings.ami_url) as wire, phone_of(real, box, ROTTERDAM) as phone:
        ami = observer(real, notes, port=wire.port)
        async with observing(ami):
            await listed(ami)
            wire.refuses = True
            wire.cut()
            await until(lambda: _not_listed(ami), "the cut noticed")
            await phone.unregisters()
            async with phone_of(real, box, "limburg-1"):
                wire.refuses = False
                await listed(ami)
                await notes.are((ROTTERDAM, True), ("limburg-1", True), (ROTTERDAM, False))
                assert ami.reachable == {"limburg-1"}


async def test_a_wrong_password_is_said_and_tried_again_with_longer_pauses(
    real: RealNode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "telephony.ami")
    notes = Notes()
    ami = observer(real, notes, password="wrong")
    async with observing(ami):
        await until(lambda: _said(caplog, 3), "said three times", bound_s=10)
    # Another observer of this machine may still be saying goodbye.
    refused = [line for line in caplog.messages if "check BURGERNET_AMI_USER and BURGERNET_AMI_PASSWORD" in line]
    assert [line.rpartition("again in ")[2] for line in refused[:3]] == ["0.2 s", "0.4 s", "0.8 s"]
    assert not ami.listed.is_set()
    assert notes.told == []


async def test_after_a_restart_of_asterisk_the_phones_are_listed_again(real: RealNode, box: PhoneBox) -> None:
    notes = Notes()
    ami = observer(real, notes)
    async with observing(ami), phone_of(real, box, ROTTERDAM):
        await notes.are((ROTTERDAM, True))
        await restarted(real, lambda: _not_listed(ami))
        await listed(ami)
        assert ami.booted.is_set()
        assert ami.reachable == {ROTTERDAM}
        async with phone_of(real, box, "limburg-1"):
            await until(lambda: _reaches(ami, "limburg-1"), "a phone that came after the restart")


async def _not_free(exchange: Exchange) -> bool:
    return not await exchange.is_free(ROTTERDAM)


async def _not_listed(ami: Observer) -> bool:
    return not ami.listed.is_set()


async def _reaches(ami: Observer, account: str) -> bool:
    return account in ami.reachable


async def _said(caplog: pytest.LogCaptureFixture, times: int) -> bool:
    return sum("BURGERNET_AMI_PASSWORD" in line for line in caplog.messages) >= times


async def by_the_books(exchange: Exchange) -> bool:
    return ROTTERDAM in {duty.operator_id for duty in await exchange.base.desk.operators() if duty.since}
