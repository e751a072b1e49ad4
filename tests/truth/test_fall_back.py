"""No controller at all, neither Redis nor a database: the dialplan alone brings a caller to a room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from telephony.handset import PhoneBox
from tests.conversations.exchange import CARRIER, FREE_NUMBER, Phone, until
from tests.conversations.real import RealNode, RealWiring

NATIONAL = "landelijk"
MOBILE = "+31612345678"


class Bare:
    """A node that nobody controls, with the phones of two rooms at hand."""

    def __init__(self, real: RealNode, box: PhoneBox) -> None:
        self._real, self._box, self._wiring = real, box, RealWiring(real, box)
        self._phones: list[Phone] = []

    async def room(self, room: str) -> Phone:
        """The phone of the room's first operator; the dialplan knows no more than what was rendered."""
        await self._console(f"dialplan set global PHONES_{room} PJSIP/{room}-1&PJSIP/{room}-2")
        return self._keep(await self._wiring.operator(f"{room}-1", 620))

    async def caller(self, number: str, *, withheld: bool = False) -> Phone:
        return self._keep(await self._wiring.carrier(number, 440, withheld=withheld))

    async def answer_to(self, dialled: str) -> int:
        """The SIP status that the carrier gets when it brings a call to this number."""
        carrier = await self._box.phone(f"carrier#{dialled}", self._real.registrar, "", user=MOBILE, ip=CARRIER)
        await carrier.dials(dialled)
        return int((await carrier.sees("ended"))["status"])

    @asynccontextmanager
    async def longest_call_s(self, seconds: int) -> AsyncIterator[None]:
        """While the block lasts no new call may last longer."""
        await self._console(f"dialplan set global MAX_CALL_S {seconds}")
        try:
            yield
        finally:
            await self._console(f"dialplan set global MAX_CALL_S {self._real.settings.max_call_s}")

    async def is_left_alone(self) -> None:
        for phone in self._phones:
            await phone.put_away()
        await until(self.has_no_channel, "no channel left")
        await self._wiring.forget_phones()

    def _keep(self, phone: Phone) -> Phone:
        self._phones.append(phone)
        return phone

    async def has_no_channel(self) -> bool:
        return not (await self._console("core show channels concise")).strip()

    async def _console(self, words: str) -> str:
        return await asyncio.to_thread(self._real.asterisk.console, words)


@pytest_asyncio.fixture(loop_scope="session")
async def bare(real: RealNode, box: PhoneBox) -> AsyncIterator[Bare]:
    bare = Bare(real, box)
    yield bare
    await bare.is_left_alone()


async def warned_and_connected(caller: Phone, room: Phone) -> None:
    await caller.hears("fallback-warning")
    await room.answers()
    await room.talks_with(caller)


@pytest.mark.parametrize(
    ("number", "room"),
    [
        ("+31104123456", "rotterdam"),
        ("0031104123456", "rotterdam"),
        ("0104123456", "rotterdam"),
        ("31104123456", "rotterdam"),
        ("+31703123456", "den-haag"),
        ("+31203123456", "amsterdam"),
        ("+31433123456", "limburg"),
        ("+31512312345", "noord-nederland"),
    ],
)
async def test_a_land_line_reaches_the_room_of_its_area_code(bare: Bare, number: str, room: str) -> None:
    phone, national, caller = await bare.room(room), await bare.room(NATIONAL), await bare.caller(number)
    await caller.dials(FREE_NUMBER)
    await warned_and_connected(caller, phone)
    assert not national.rang
    await caller.hangs_up()
    await phone.is_hung_up()


@pytest.mark.parametrize(
    ("number", "withheld"),
    [
        (MOBILE, False),
        ("+31104123456", True),
        ("+442079460958", False),
        ("+31999123456", False),
        ("anonymous", False),
        ("1" * 40, False),
    ],
)
async def test_who_has_no_area_code_reaches_the_national_room(bare: Bare, number: str, withheld: bool) -> None:
    national, other = await bare.room(NATIONAL), await bare.room("rotterdam")
    caller = await bare.caller(number, withheld=withheld)
    await caller.dials(FREE_NUMBER)
    await warned_and_connected(caller, national)
    assert not other.rang


@pytest.mark.parametrize("form", ["08000011", "+318000011", "318000011", "00318000011"])
async def test_the_free_number_is_known_in_every_form_that_carriers_write(bare: Bare, form: str) -> None:
    national, caller = await bare.room(NATIONAL), await bare.caller(MOBILE)
    await caller.dials(form)
    await warned_and_connected(caller, national)


@pytest.mark.parametrize(
    "dialled", ["112", "0", "0900123456", "08000012", "080000112", "+31612345678", "0031612345678"]
)
async def test_any_other_number_is_refused(bare: Bare, dialled: str) -> None:
    assert await bare.answer_to(dialled) == 404


async def test_a_room_without_a_phone_is_followed_by_the_national_room(bare: Bare) -> None:
    national, caller = await bare.room(NATIONAL), await bare.caller("+31104123456")
    await caller.dials(FREE_NUMBER)
    await warned_and_connected(caller, national)


async def test_a_room_that_rejects_is_followed_by_the_national_room(bare: Bare) -> None:
    room, national = await bare.room("rotterdam"), await bare.room(NATIONAL)
    caller = await bare.caller("+31104123456")
    await caller.dials(FREE_NUMBER)
    await caller.hears("fallback-warning")
    await room.rejects()
    await national.answers()
    await national.talks_with(caller)
    assert not room.rang


async def test_nobody_anywhere_is_said(bare: Bare) -> None:
    caller = await bare.caller(MOBILE)
    await caller.dials(FREE_NUMBER)
    await caller.hears("fallback-warning")
    await caller.hears("fallback-closing")
    await caller.is_hung_up()


async def test_who_hangs_up_in_the_warning_rings_nobody(bare: Bare) -> None:
    national, caller = await bare.room(NATIONAL), await bare.caller(MOBILE)
    await caller.dials(FREE_NUMBER)
    await caller.is_answered()
    await caller.hangs_up()
    await until(bare.has_no_channel, "the call over")
    assert not national.rang


async def test_the_longest_call_ends_by_itself_also_without_a_controller(bare: Bare) -> None:
    national, caller = await bare.room(NATIONAL), await bare.caller(MOBILE)
    async with bare.longest_call_s(3):
        await caller.dials(FREE_NUMBER)
        await warned_and_connected(caller, national)
        await caller.is_hung_up(bound_s=5)
        await national.is_hung_up(bound_s=5)
