"""Which region a postcode lies in: what is known exactly goes over what was drawn by hand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.places.ranges import FIRST, LAST, Lies, Range, laid_over, shares_of

codes = st.integers(FIRST, LAST)
lies = st.builds(Lies, st.sampled_from(["rotterdam", "den-haag"]), st.sampled_from([(), ("limburg",)]))


@st.composite
def by_hand(draw: st.DrawFn) -> list[Range]:
    """Ranges that do not overlap, with gaps."""
    edges = sorted(draw(st.sets(codes, min_size=2, max_size=12)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return [Range(first, last, Lies(draw(lies).region, (), approximate=True)) for first, last in pairs]


def told(ranges: list[Range]) -> dict[int, Lies]:
    return {code: one.lies for one in ranges for code in range(one.first, one.last + 1)}


@given(by_hand(), st.dictionaries(codes, lies, max_size=30))
def test_an_exact_postcode_is_told_and_each_other_as_before(ranges: list[Range], exact: dict[int, Lies]) -> None:
    assert told(laid_over(ranges, exact)) == told(ranges) | exact


@given(by_hand(), st.dictionaries(codes, lies, max_size=30))
def test_ranges_come_in_order_without_overlap_and_as_few_as_can_be(ranges: list[Range], exact: dict[int, Lies]) -> None:
    after = laid_over(ranges, exact)
    for one, following in pairwise(after):
        assert one.first <= one.last < following.first <= following.last
        assert one.last + 1 < following.first or one.lies != following.lies


@given(by_hand(), st.dictionaries(codes, lies, max_size=30))
def test_laying_the_same_over_it_twice_changes_nothing(ranges: list[Range], exact: dict[int, Lies]) -> None:
    once = laid_over(ranges, exact)
    assert laid_over(once, exact) == once


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({"rotterdam": 100.0}, Lies("rotterdam")),
        ({"rotterdam": 40.0, "den-haag": 60.0}, Lies("den-haag", ("rotterdam",))),
        ({"rotterdam": 99.5, "den-haag": 0.5}, Lies("rotterdam")),
        ({"b": 50.0, "a": 50.0}, Lies("a", ("b",))),
        ({"rotterdam": 0.0}, None),
        ({}, None),
    ],
)
def test_a_postcode_on_a_border_lies_where_most_of_it_is(shares: dict[str, float], told: Lies | None) -> None:
    assert shares_of(shares, 0.01) == told
