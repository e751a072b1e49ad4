"""What a caller ID or a typed number is, whatever somebody sends."""

import csv
from importlib.resources import files

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.numbers import CallerKind, Number, allowed, read_number

AREA_CODES = list(csv.DictReader((files("actions") / "reference" / "area_codes.csv").read_text("utf-8").splitlines()))
MOBILE = Number(CallerKind.MOBILE, "+31612345678")
ROTTERDAM = Number(CallerKind.LANDLINE, "+31101234567", "010")
MALFORMED = Number(CallerKind.MALFORMED)
WITHHELD = Number(CallerKind.WITHHELD)
SERVICE = Number(CallerKind.SERVICE)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("0612345678", MOBILE),
        ("06-12345678", MOBILE),
        ("06 1234 5678", MOBILE),
        (" 0612345678\n", MOBILE),
        ("+31612345678", MOBILE),
        ("+31 (0)6 12345678", MOBILE),
        ("31612345678", MOBILE),
        ("0031612345678", MOBILE),
        ("0101234567", ROTTERDAM),
        ("010-1234567", ROTTERDAM),
        ("(010) 123 45 67", ROTTERDAM),
        ("0031101234567", ROTTERDAM),
        ("0172123456", Number(CallerKind.LANDLINE, "+31172123456", "0172")),
        ("08000011", Number(CallerKind.TOLL_FREE, "+318000011")),
        ("0800-0011", Number(CallerKind.TOLL_FREE, "+318000011")),
        ("0900-8844", Number(CallerKind.OTHER, "+319008844")),
        ("0882345678", Number(CallerKind.OTHER, "+31882345678")),
        ("14020", Number(CallerKind.OTHER, "+3114020")),
        ("+442079460958", Number(CallerKind.FOREIGN, "+442079460958")),
        ("+4915112345678", Number(CallerKind.FOREIGN, "+4915112345678")),
        ("+80012345678", Number(CallerKind.FOREIGN, "+80012345678")),
        ("112", SERVICE),
        ("144", SERVICE),
        ("116000", SERVICE),
        ("116111", SERVICE),
        (None, WITHHELD),
        ("", WITHHELD),
        ("   ", WITHHELD),
        ("anonymous", WITHHELD),
        ("Anonymous", WITHHELD),
        ("RESTRICTED", WITHHELD),
        ("unknown", WITHHELD),
        ("0" * 40, MALFORMED),
        ("1" * 41, MALFORMED),
        ("1" * 1_000_000, MALFORMED),
        ("0654321", MALFORMED),
        ("06760000000", MALFORMED),
        ("0031", MALFORMED),
        ("+", MALFORMED),
        ("++31612345678", MALFORMED),
        ("+999123456789", MALFORMED),
        ("0612345678;ext=1", MALFORMED),
        ("0612345678x3", MALFORMED),
        ("sip:0612345678@192.0.2.1", MALFORMED),
        ('"Jan" <0612345678>', MALFORMED),
        ("0612345678\x00", MALFORMED),
        ("0612345678\r\nVia: me", MALFORMED),
        ("'; DROP TABLE call; --", MALFORMED),
        ("٠٦١٢٣٤٥٦٧٨", MALFORMED),
        ("06１２３４５６７８", MALFORMED),
        ("²", MALFORMED),
        ("\ud800", MALFORMED),
    ],
)
def test_a_caller_id_is_told_for_what_it_is(raw: str | None, expected: Number) -> None:
    assert read_number(raw) == expected


@given(st.text())
def test_no_text_makes_it_raise(raw: str) -> None:
    read_number(raw)


@given(st.from_regex(r"\+?[(]?[0-9][0-9 ()./-]{2,24}", fullmatch=True))
def test_what_it_gives_to_call_back_is_a_valid_number_that_reads_the_same(raw: str) -> None:
    number = read_number(raw)
    if number.e164 is not None:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number.e164, None))
        assert read_number(number.e164) == number


@given(st.from_regex(r"6[1-5][0-9]{7}", fullmatch=True))
def test_every_way_to_write_a_mobile_number_is_the_same_number(rest: str) -> None:
    assert {read_number(start + rest) for start in ("0", "31", "+31", "0031", "+31 (0)")} == {
        Number(CallerKind.MOBILE, f"+31{rest}")
    }


def test_there_are_141_area_codes() -> None:
    assert len({row["netnummer"] for row in AREA_CODES}) == len(AREA_CODES) == 141


@pytest.mark.parametrize("code", [row["netnummer"] for row in AREA_CODES])
def test_the_area_code_of_a_land_line_is_known(code: str) -> None:
    subscriber = "2345678"[: 10 - len(code)]
    number = read_number(code + subscriber)
    assert number == Number(CallerKind.LANDLINE, f"+31{code[1:]}{subscriber}", code)


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        ("+31612345678", True),
        ("+31101234567", True),
        ("+319008844", False),
        ("+31676123456", False),
        ("+442079460958", False),
        ("0612345678", False),
        ("", False),
    ],
)
def test_only_allowed_ranges_may_be_called_and_a_refused_one_wins(e164: str, expected: bool) -> None:
    assert allowed(e164, ["+31"], ["+3190", "+31676"]) is expected


def test_nothing_may_be_called_where_no_range_is_allowed() -> None:
    assert not allowed("+31612345678", [], [])
