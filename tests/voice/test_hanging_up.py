"""Whoever is called may hang up in every second of the message: nothing is left, one row tells, one state is known."""

from __future__ import annotations

import pytest

from tests.voice.street import Street

# Five sentences and the keys, two seconds each, and as long again to think of a key.
SECONDS = [*range(15), 20, 27]


@pytest.mark.parametrize("second", SECONDS)
async def test_a_hang_up_in_any_second_leaves_nothing_behind(street: Street, second: int) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await street.exchange.wiring.passes(second)
    await phone.hangs_up()
    call = await street.call_over()
    assert call.ended_how in ("caller hung up: alert", "told, no key")
    assert call.direction == "out"
    await street.becomes(phone, "machine")
    await street.exchange.is_quiet()
    assert len(await street.attempts(phone)) == 1
    assert await street.texts(action) == [phone.number]


async def test_somebody_who_said_a_word_and_hung_up_has_answered(street: Street) -> None:
    phone = await street.person()
    await street.starts()
    await phone.answers()
    await phone.hears_all("Burgernet.")
    await phone.says(620, 0.6)
    await phone.hangs_up()
    await street.call("caller hung up: alert")
    await street.becomes(phone, "answered")


@pytest.mark.parametrize(
    ("keys", "prompt", "noted"),
    [
        ("1", "connecting", {"connecting", "waiting"}),
        ("3", "tip-after-alert", {"tip"}),
        ("9", "withdrawn", {"alert"}),
    ],
)
async def test_a_hang_up_after_a_key_has_confirmed_all_the_same(
    street: Street, keys: str, prompt: str, noted: set[str]
) -> None:
    await street.exchange.operator("rotterdam-1")
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.presses(keys)
    await phone.hears(prompt)
    await phone.hangs_up()
    assert (await street.call_over()).ended_how in {f"caller hung up: {stage}" for stage in noted}
    await street.becomes(phone, "confirmed")
    assert await street.texts(action) == []
    await street.exchange.is_quiet()
