"""Short numbers: one number, one operator or room."""

from __future__ import annotations

import pytest

from actions.books import Actor
from actions.desk import Refused
from actions.seed import seed
from actions.short_numbers import Colleague, ShortNumbers
from actions.store import Store

ME = Actor("tester", "tests", "short numbers")


@pytest.fixture
async def numbers(store: Store) -> ShortNumbers:
    await seed(store, ME, 2)
    return ShortNumbers(store)


async def test_the_seed_gives_every_room_and_operator_a_number(numbers: ShortNumbers) -> None:
    assert await numbers.whose("10") == "landelijk"
    assert await numbers.whose("1002") == Colleague("landelijk-2", "landelijk")
    assert await numbers.whose("9999") is None


@pytest.mark.parametrize(
    ("name", "number", "fault"),
    [
        ("landelijk-1", "10", "the number of landelijk already"),
        ("landelijk", "1002", "the number of landelijk-2 already"),
        ("nobody", "77", "no operator and no room"),
        ("landelijk", "1234567", "use 1 to 6 digits"),
        ("landelijk", "1a", "use 1 to 6 digits"),
    ],
)
async def test_a_number_that_cannot_be_given_is_refused(
    numbers: ShortNumbers, name: str, number: str, fault: str
) -> None:
    with pytest.raises(Refused, match=fault):
        await numbers.give(name, number, ME)


@pytest.mark.parametrize("name", ["landelijk", "landelijk-1"])
async def test_a_new_number_takes_the_place_of_the_old(numbers: ShortNumbers, name: str) -> None:
    await numbers.give(name, "77", ME)
    found = await numbers.whose("77")
    assert (found.operator_id if isinstance(found, Colleague) else found) == name
    assert await numbers.whose("10" if name == "landelijk" else "1001") is None
