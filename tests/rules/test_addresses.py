"""Addresses, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.places.addresses import address_key


@pytest.mark.parametrize(
    ("postcode", "number", "key"),
    [
        ("3011AB", "12", ("3011AB", "12")),
        (" 3011 ab ", " 12 ", ("3011AB", "12")),
        ("3011AB", 12, ("3011AB", "12")),
        ("3011AB", "012", ("3011AB", "12")),
        ("3011AB", "12a", ("3011AB", "12 A")),
        ("3011AB", "12 A bis", ("3011AB", "12 ABIS")),
        ("3011AB", "12-a-2", ("3011AB", "12 A2")),
        ("3011AB", "12-2", ("3011AB", "12 2")),
        ("3011AB", "12 / II", ("3011AB", "12 II")),
    ],
)
def test_an_address_is_known_however_it_is_written(postcode: str, number: object, key: tuple[str, str]) -> None:
    assert address_key(postcode, number) == key
    assert address_key(*key) == key


@pytest.mark.parametrize(
    ("postcode", "number", "said"),
    [
        ("3011", "12", "four digits and two letters"),
        ("0011AB", "12", "four digits and two letters"),
        ("٣٠١١AB", "12", "four digits and two letters"),
        (None, "12", "four digits and two letters"),
        ("3011AB", "", "must begin with digits"),
        ("3011AB", "0", "must begin with digits"),
        ("3011AB", "A12", "must begin with digits"),
        ("3011AB", "123456", "must begin with digits"),
        ("3011AB", "12 the whole street", "too long"),
    ],
)
def test_what_is_no_address_is_refused_in_words(postcode: object, number: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        address_key(postcode, number)


@given(st.text(max_size=12), st.text(max_size=12))
def test_no_text_is_kept_longer_than_there_is_room(postcode: str, number: str) -> None:
    try:
        code, house = address_key(postcode, number)
    except ValueError:
        return
    assert len(code) == 6
    assert len(house) <= 12
    assert (code + house).isascii()
