"""The participant register."""

from dataclasses import replace
from pathlib import Path

import pytest

from actions.books import Actor
from actions.geography import cell_of
from actions.models import Address, ContactPoint, Participant, Subscription
from actions.numbers import CallerKind
from actions.register import Register
from actions.store import Store
from actions.vault import Vault, Vaults
from tests.store.disk import everything_in
from tests.store.people import JAN, PIET, entry
from tests.store.rows import all_of, audited


@pytest.fixture
def register(store: Store, vaults: Vaults) -> Register:
    return Register(store, vaults.register)


async def sizes(store: Store) -> tuple[int, int, int, int]:
    """How many participants, addresses, contact points and subscriptions."""
    counted = [len(await all_of(store, model)) for model in (Participant, Address, ContactPoint, Subscription)]
    return counted[0], counted[1], counted[2], counted[3]


async def test_a_participant_is_kept_with_place_cell_language_and_channels(
    register: Register, store: Store, actor: Actor
) -> None:
    assert await register.add([entry(channels=("sms", "voice"), language="en")], actor) == 1
    (participant,) = await all_of(store, Participant)
    (address,) = await all_of(store, Address)
    assert (participant.language, participant.signed_off_at) == ("en", None)
    assert (address.postcode, address.cell) == ("3011", cell_of(92_000, 437_000))
    assert sorted(row.channel for row in await all_of(store, Subscription)) == ["sms", "voice"]
    assert await audited(store) == [("tester", "tests", "add", "participants", "to see that it works")]


async def test_what_is_there_already_is_not_added_again(register: Register, store: Store, actor: Actor) -> None:
    assert await register.add([entry(JAN), entry(PIET)], actor) == 2
    assert await register.add([entry(PIET), entry(JAN)], actor) == 0
    assert await sizes(store) == (2, 2, 2, 2)
    assert len(await audited(store)) == 1


async def test_the_same_row_twice_at_once_is_added_once(register: Register, store: Store, actor: Actor) -> None:
    assert await register.add([entry(), entry()], actor) == 1
    assert await sizes(store) == (1, 1, 1, 1)


async def test_a_household_shares_one_phone(register: Register, store: Store, actor: Actor) -> None:
    assert await register.add([entry(x=92_000), entry(x=93_000)], actor) == 2
    assert await register.add([entry(x=94_000)], actor) == 1
    assert await sizes(store) == (3, 3, 1, 3)


async def test_a_land_line_is_kept_as_one(register: Register, store: Store, actor: Actor) -> None:
    await register.add([replace(entry("+31101234567"), kind=CallerKind.LANDLINE)], actor)
    assert [row.kind for row in await all_of(store, ContactPoint)] == ["landline"]


async def test_nobody_added_leaves_no_trace(register: Register, store: Store, actor: Actor) -> None:
    assert await register.add([], actor) == 0
    assert await audited(store) == []


async def test_numbers_come_back_by_contact_point(register: Register, store: Store, actor: Actor) -> None:
    await register.add([entry(JAN), entry(PIET)], actor)
    ids = [row.id for row in await all_of(store, ContactPoint) if row.id]
    assert set((await register.numbers_of(ids)).values()) == {JAN, PIET}
    assert await register.numbers_of([]) == {}
    assert await register.numbers_of([10**9]) == {}


async def test_more_participants_than_one_query_takes_are_added_in_one_go(
    register: Register, store: Store, actor: Actor
) -> None:
    many = [entry(f"+3165{number:07d}") for number in range(600)]
    assert await register.add(many, actor) == 600
    assert await register.add(many, actor) == 0


async def test_a_number_is_found_under_the_key_it_was_stored_with(store: Store, actor: Actor, vaults: Vaults) -> None:
    keys = {1: b"1" * 32, 2: b"2" * 32}
    await Register(store, Vault({1: keys[1]})).add([entry()], actor)
    newer = Register(store, Vault(keys))
    assert await newer.add([entry()], actor) == 0
    assert await newer.erase(JAN, actor)


async def test_who_is_erased_leaves_nothing_behind(register: Register, store: Store, actor: Actor) -> None:
    await register.add([entry(x=92_000, channels=("sms", "voice")), entry(x=93_000)], actor)
    assert await register.erase(JAN, actor)
    assert await sizes(store) == (0, 0, 0, 0)
    assert [row[2] for row in await audited(store)] == ["add", "erase"]


async def test_erasing_one_leaves_the_others_whole(register: Register, store: Store, actor: Actor) -> None:
    await register.add([entry(JAN), entry(PIET)], actor)
    await register.erase(JAN, actor)
    assert await sizes(store) == (1, 1, 1, 1)
    assert await register.add([entry(PIET)], actor) == 0


async def test_an_address_with_another_phone_stays_with_its_participant(
    register: Register, store: Store, actor: Actor
) -> None:
    await register.add([entry(JAN), entry(PIET)], actor)
    (of_jan, of_piet) = await all_of(store, Subscription)
    async with store.writing() as session:
        session.add(
            Subscription(address_id=of_jan.address_id, contact_point_id=of_piet.contact_point_id, channel="sms")
        )
    await register.erase(JAN, actor)
    assert await sizes(store) == (2, 2, 1, 2)


async def test_erasing_a_stranger_changes_nothing(register: Register, store: Store, actor: Actor) -> None:
    await register.add([entry(JAN)], actor)
    assert not await register.erase(PIET, actor)
    assert len(await audited(store)) == 1


async def test_after_erasing_the_same_number_can_come_back(register: Register, actor: Actor) -> None:
    await register.add([entry()], actor)
    await register.erase(JAN, actor)
    assert await register.add([entry()], actor) == 1


async def test_no_number_can_be_read_in_the_file_of_the_database(
    sqlite_url: str, tmp_path: Path, vaults: Vaults, actor: Actor
) -> None:
    store = Store.open(sqlite_url)
    await Register(store, vaults.register).add([entry(JAN), entry(PIET)], actor)
    await store.close()
    kept = everything_in(tmp_path)
    assert b"3011" in kept
    for digits in ("612345678", "687654321"):
        assert digits.encode() not in kept
        assert digits.encode("utf-16-le") not in kept
