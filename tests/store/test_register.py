"""The participant register."""

from dataclasses import replace
from pathlib import Path

import pytest

from actions.books import Actor
from actions.changes import Changes
from actions.geography import cell_of
from actions.models import Address, ContactPoint, Kind, Participant, Subscription
from actions.numbers import CallerKind
from actions.register import Register
from actions.store import Store
from actions.vault import Vault, Vaults
from actions.wishes import Wishes
from tests.store.disk import everything_in
from tests.store.people import JAN, PIET, browser, entry
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
    await register.add([replace(entry("+31101234567", channels=("voice",)), kind=CallerKind.LANDLINE)], actor)
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


async def test_each_contact_comes_back_as_what_it_is(register: Register, store: Store, actor: Actor) -> None:
    one = entry(channels=("sms", "email", "push"), mail="jan@example.nl", browser=browser())
    await register.add([one], actor)
    rows = await all_of(store, ContactPoint)
    known = await register.contacts_of([row.id for row in rows if row.id])
    assert {(contact.kind, contact.value) for contact in known.values()} == {
        ("mobile", JAN),
        ("mail", "jan@example.nl"),
        ("browser", browser()),
    }
    assert list((await register.numbers_of(known)).values()) == [JAN]
    subscribed = {row.contact_point_id: row.channel for row in await all_of(store, Subscription)}
    assert {known[row].kind: channel for row, channel in subscribed.items()} == {
        "mobile": "sms",
        "mail": "email",
        "browser": "push",
    }
    assert await sizes(store) == (1, 1, 3, 3)


async def test_what_a_participant_wants_is_kept(register: Register, store: Store, actor: Actor) -> None:
    wishes = Wishes(kinds=Kind.AMBER.bit, wakes=0, quiet_from=60, quiet_until=420)
    one = replace(entry(channels=("sms", "voice")), wishes=wishes, birth_year=1980, exercise=True, follows=True)
    await register.add([one], actor)
    (participant,) = await all_of(store, Participant)
    assert (participant.birth_year, participant.exercise, participant.follows) == (1980, True, True)
    rows = await all_of(store, Subscription)
    assert {(row.kinds, row.wakes, row.quiet_from, row.quiet_until) for row in rows} == {(Kind.AMBER.bit, 0, 60, 420)}


async def test_a_participant_has_several_addresses_and_telephones(
    register: Register, store: Store, actor: Actor
) -> None:
    rows = [
        replace(entry(JAN, x=92_000), participant="7"),
        replace(entry(PIET, x=92_000), participant="7"),
        replace(entry(JAN, x=93_000), participant="7"),
        replace(entry("+31611111111", x=92_000), participant="8"),
    ]
    assert await register.add(rows, actor) == 4
    assert await sizes(store) == (2, 3, 3, 4)
    assert await register.add(rows, actor) == 0
    assert await register.add([replace(entry(JAN, x=94_000), participant="7"), *rows[:2]], actor) == 1
    assert await sizes(store) == (2, 4, 3, 5)


async def test_a_mail_address_told_later_goes_to_who_has_the_number(
    register: Register, store: Store, actor: Actor
) -> None:
    await register.add([entry()], actor)
    later = entry(channels=("sms", "voice", "email"), mail="jan@example.nl")
    assert await register.add([later, later], actor) == 1
    assert await sizes(store) == (1, 1, 2, 2)
    assert sorted(row.channel for row in await all_of(store, Subscription)) == ["email", "sms"]


async def test_two_of_a_household_who_share_a_phone_stay_two(register: Register, store: Store, actor: Actor) -> None:
    both = [
        replace(entry(channels=("voice", "email"), mail=f"{name}@example.nl"), participant=name)
        for name in ("jan", "piet")
    ]
    for new in (2, 0):
        assert await register.add(both, actor) == new
        assert await sizes(store) == (2, 2, 3, 4)


async def test_who_is_reached_by_a_browser_alone_needs_no_number(
    register: Register, store: Store, actor: Actor
) -> None:
    alone = replace(entry(channels=("push",), browser=browser()), e164=None, kind=None)
    assert await register.add([alone], actor) == 1
    assert await register.add([alone], actor) == 0
    assert await register.erase(browser(), actor)
    assert await sizes(store) == (0, 0, 0, 0)


async def test_a_participant_changes_what_he_wants_and_nobody_else_with_him(
    register: Register, store: Store, actor: Actor
) -> None:
    await register.add([entry(JAN, channels=("sms", "voice")), entry(JAN, x=93_000), entry(PIET)], actor)
    changes = Changes(kinds=Kind.AMBER.bit, quiet=(60, 420), language="en", follows=True)
    assert await register.change(JAN, changes, actor)
    wished = sorted(
        (row.kinds, row.wakes, row.quiet_from, row.quiet_until) for row in await all_of(store, Subscription)
    )
    unless_said = Wishes()
    assert wished == [
        *[(Kind.AMBER.bit, unless_said.wakes, 60, 420)] * 3,
        (unless_said.kinds, unless_said.wakes, 0, 0),
    ]
    said = sorted((row.language, row.follows, row.exercise) for row in await all_of(store, Participant))
    assert said == [("en", True, False), ("en", True, False), ("nl", False, False)]
    assert [row[2] for row in await audited(store)] == ["add", "change", "change"]


async def test_a_choice_can_be_to_hear_of_less(register: Register, store: Store, actor: Actor) -> None:
    await register.add([replace(entry(), exercise=True, wishes=Wishes(quiet_from=60, quiet_until=120))], actor)
    await register.change(JAN, Changes(wakes=0, quiet=(0, 0), exercise=False), actor)
    (row,), (participant,) = await all_of(store, Subscription), await all_of(store, Participant)
    assert (row.wakes, row.quiet_from, row.quiet_until, participant.exercise) == (0, 0, 0, False)


async def test_nobody_is_changed_by_the_number_of_a_stranger(register: Register, store: Store, actor: Actor) -> None:
    await register.add([entry(JAN)], actor)
    assert not await register.change(PIET, Changes(language="en"), actor)
    assert [row.language for row in await all_of(store, Participant)] == ["nl"]
    assert len(await audited(store)) == 1


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
    with_mail = entry(JAN, channels=("sms", "email", "push"), mail="jan@example.nl", browser=browser())
    await Register(store, vaults.register).add([with_mail, entry(PIET)], actor)
    await store.close()
    kept = everything_in(tmp_path)
    assert b"3011" in kept
    for digits in ("612345678", "687654321", "jan@", "push.example"):
        assert digits.encode() not in kept
        assert digits.encode("utf-16-le") not in kept
