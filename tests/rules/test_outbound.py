"""What may be called from here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.outbound import MayNotCall, OutboundGuard

MOBILE, OTHER = "+31612345678", "+31687654321"


def guard(most: int = 2) -> OutboundGuard:
    return OutboundGuard(("+31",), ("+3190", "+31676"), most)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("+442079460958", "outside the number ranges"),
        ("+319008844", "outside the number ranges"),
        ("+31676123456", "outside the number ranges"),
        ("0612345678", "not an E.164 number"),
        ("112", "not an E.164 number"),
        ("", "not an E.164 number"),
        ("+0612345678", "not an E.164 number"),
        ("+31612345678\n", "not an E.164 number"),
        ("+31612345678@192.0.2.1", "not an E.164 number"),
        ("+31" + "6" * 40, "not an E.164 number"),
        ("+٣١٦١٢٣٤٥٦٧٨", "not an E.164 number"),
        ("PJSIP/trunk/sip:+31612345678", "not an E.164 number"),
    ],
)
def test_a_number_that_may_not_be_called_is_refused_and_never_repeated(number: str, why: str) -> None:
    with pytest.raises(MayNotCall, match=why) as refused, guard().channel_to(number):
        pytest.fail("the call was made")
    assert not number or number not in str(refused.value)


def test_never_more_calls_than_agreed_at_one_moment() -> None:
    calls = guard(most=2)
    with (
        calls.channel_to(MOBILE),
        calls.channel_to(OTHER),
        pytest.raises(MayNotCall, match="all 2 outbound channels are in use"),
        calls.channel_to(MOBILE),
    ):
        pytest.fail("a third call was made")
    with calls.channel_to(MOBILE), calls.channel_to(OTHER):
        pass


def test_a_call_that_fails_gives_its_channel_back() -> None:
    calls = guard(most=1)
    for _ in range(3):
        with pytest.raises(ConnectionError), calls.channel_to(MOBILE):
            raise ConnectionError
    with calls.channel_to(MOBILE):
        pass


def test_a_refused_call_takes_no_channel() -> None:
    calls = guard(most=1)
    with pytest.raises(MayNotCall), calls.channel_to("+442079460958"):
        pytest.fail("the call was made")
    with calls.channel_to(MOBILE):
        pass


def test_no_channel_at_all_means_no_calls() -> None:
    with pytest.raises(MayNotCall, match="all 0 outbound channels"), guard(most=0).channel_to(MOBILE):
        pytest.fail("the call was made")


def test_nothing_may_be_called_where_no_range_is_allowed() -> None:
    with pytest.raises(MayNotCall), OutboundGuard((), (), 5).channel_to(MOBILE):
        pytest.fail("the call was made")


@given(st.text())
def test_whatever_is_not_a_dutch_number_is_refused(number: str) -> None:
    try:
        with guard().channel_to(number):
            assert number.startswith("+31")
    except MayNotCall:
        pass


digits = st.text("0123456789*#", max_size=20)


@given(digits)
def test_what_somebody_keys_on_a_telephone_is_never_called_as_it_stands(keyed: str) -> None:
    with pytest.raises(MayNotCall), guard().channel_to(keyed):
        pytest.fail("the call was made")


@given(st.text("0123456789", min_size=3, max_size=14), st.lists(st.text("0123456789", min_size=1, max_size=5)))
def test_a_refused_range_wins_over_every_allowed_one(rest: str, refused: list[str]) -> None:
    careful = OutboundGuard(("+31", "+32"), tuple(f"+31{start}" for start in refused), 1)
    try:
        with careful.channel_to(f"+31{rest}"):
            assert not any(rest.startswith(start) for start in refused)
    except MayNotCall:
        assert any(rest.startswith(start) for start in refused) or not 7 <= len(rest) + 2 <= 15
