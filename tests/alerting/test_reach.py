"""The honest reach, on both databases: telephones as telephones, people once each, ring by ring."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from actions.matching import OpenAction
from actions.models import Address, Delivery, DeliveryState, Subscription
from actions.reach import BEST_FIRST, Count, Counted, Reach, meaning_of, reach_of, summed
from burgernet.commands.bars import bar, parts_of, shares
from tests.alerting.town import ACTOR, Town, number, somebody

S = DeliveryState


async def tells(town: Town, action: OpenAction, *told: tuple[int, str, str, int]) -> Reach:
    """The reach of an alert of which these came: (person, channel, state, ring)."""
    message = await town.message(action)
    for name, channel, state, ring in told:
        async with town.store.writing() as session:
            session.add(
                Delivery(
                    message_id=message.id or 0,
                    contact_point_id=await town.contact_point(name),
                    channel=channel,
                    language="nl",
                    state=state,
                    ring=ring,
                )
            )
    (reach,) = await reach_of(town.store, action.id)
    return reach


async def same_owner(town: Town, one: int, other: int) -> None:
    """The telephone `other` also belongs to the participant who has `one`."""
    async with town.store.writing() as session:
        query = (
            select(Address.participant_id)
            .join(Subscription, Subscription.address_id == Address.id)  # type: ignore[arg-type]
            .where(Subscription.contact_point_id == await town.contact_point(one))
        )
        owner = (await session.exec(query)).one()
        query = select(Address).join(Subscription, Subscription.address_id == Address.id)  # type: ignore[arg-type,assignment]
        for address in await session.exec(
            query.where(Subscription.contact_point_id == await town.contact_point(other))
        ):
            address.participant_id = owner  # type: ignore[attr-defined]


def counted(reach: Counted | None) -> dict[str, int]:
    assert reach is not None
    return {name: count for name in BEST_FIRST if (count := getattr(reach, name))}


async def test_somebody_reached_on_any_channel_counts_once_by_the_best(town: Town) -> None:
    await town.has(somebody(1), somebody(2), somebody(3))
    await same_owner(town, 1, 2)
    action = await town.looks_out()
    reach = await tells(
        town,
        action,
        (1, "voice", S.MACHINE, 1),
        (1, "sms", S.DELIVERED, 1),
        (2, "push", S.SENT, 2),
        (3, "sms", S.FAILED, 2),
    )
    assert counted(reach) == {"text": 1, "machine": 1, "unknown": 1, "not_reached": 1}
    assert counted(reach.people) == {"text": 1, "not_reached": 1}
    assert (reach.total, reach.people and reach.people.total) == (4, 2)


async def test_a_telephone_that_people_share_counts_for_one_of_them(town: Town) -> None:
    await town.has(somebody(1, 100), somebody(1, 200), somebody(2))
    action = await town.looks_out()
    reach = await tells(town, action, (1, "voice", S.CONFIRMED, 1), (2, "voice", S.BUSY, 1))
    assert counted(reach.people) == {"human": 1, "not_reached": 1}


async def test_whom_an_erased_number_belonged_to_is_still_one_person(town: Town) -> None:
    await town.has(somebody(1), somebody(2))
    action = await town.looks_out()
    reach = await tells(town, action, (1, "sms", S.DELIVERED, 0), (2, "sms", S.DELIVERED, 0))
    assert await town.register.erase(number(1), ACTOR)
    (again,) = await reach_of(town.store, action.id)
    assert counted(again.people) == counted(reach.people) == {"text": 2}


async def test_rings_and_channels_are_counted_apart_nearest_first(town: Town) -> None:
    await town.has(*(somebody(name) for name in range(1, 6)))
    action = await town.looks_out()
    reach = await tells(
        town,
        action,
        (1, "voice", S.CONFIRMED, 2),
        (2, "voice", S.NO_ANSWER, 1),
        (3, "sms", S.DELIVERED, 1),
        (4, "email", S.SENT, 1),
        (5, "push", S.DELIVERED, 2),
    )
    assert {ring: counted(one) for ring, one in reach.rings.items()} == {
        1: {"text": 1, "mail": 1, "not_reached": 1},
        2: {"human": 1, "push": 1},
    }
    assert list(reach.rings) == [1, 2]
    assert {way: counted(one) for way, one in reach.ways.items()} == {
        "voice": {"human": 1, "not_reached": 1},
        "sms": {"text": 1},
        "email": {"mail": 1},
        "push": {"push": 1},
    }
    assert reach.reasons == {"no answer": 1}


@pytest.mark.parametrize("channel", ["voice", "sms", "push", "email"])
def test_every_state_means_something_on_every_channel_and_only_a_key_a_human(channel: str) -> None:
    meanings = {state: meaning_of(channel, state) for state in S}
    assert set(meanings.values()) <= set(BEST_FIRST)
    assert [state for state, meaning in meanings.items() if meaning == "human"] == [S.CONFIRMED]


Counts = st.lists(
    st.builds(
        Count,
        st.integers(1, 3),
        st.just("alert"),
        st.integers(0, 4),
        st.sampled_from(["voice", "sms", "push", "email"]),
        st.sampled_from([str(state) for state in S]),
        st.none() | st.just("why"),
        st.integers(1, 10**6),
    )
)


@given(Counts)
def test_nothing_is_lost_in_a_sum(counts: list[Count]) -> None:
    reaches = summed(counts)
    assert sum(reach.total for reach in reaches) == sum(count.deliveries for count in counts)
    for reach in reaches:
        for parts in (reach.rings.values(), reach.ways.values()):
            assert sum(part.total for part in parts) == reach.total
        assert sum(reach.reasons.values()) == reach.not_reached + reach.never_tried


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=6), st.integers(6, 120))
def test_a_bar_is_as_wide_as_asked_and_shows_every_part(counts: Sequence[int], width: int) -> None:
    lengths = shares(counts, width)
    assert sum(lengths) == (width if sum(counts) else 0)
    assert [length > 0 for length in lengths] == [count > 0 for count in counts]


def test_a_bar_shows_what_is_certain_apart_from_what_is_not() -> None:
    reach = Counted(human=1, text=1, mail=1, machine=1, waiting=2, not_reached=1, never_tried=1)
    assert parts_of(reach) == {"reached": 2, "perhaps": 2, "waiting": 2, "not reached": 2}
    assert str(bar(reach, 8)) == "██▓▓░░××"
