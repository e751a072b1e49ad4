"""Texts written out for the ear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_flows.catalogue import LANGUAGES
from ivr_flows.spoken import spoken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # postcodes
        ("bij 3511 AB Utrecht", "bij 3 5 1 1 A B Utrecht"),
        ("bij 3511AB.", "bij 3 5 1 1 A B."),
        # plates
        ("kenteken AB-123-C", "kenteken A B 1 2 3 C"),
        ("kenteken 12-ABC-3, rood", "kenteken 1 2 A B C 3, rood"),
        ("een rood-wit-blauw lint", "een rood-wit-blauw lint"),
        # times
        ("om 14:30", "om 14 uur 30"),
        ("om 9.05 gezien", "om 9 uur 0 5 gezien"),
        ("om 08:00.", "om 8 uur."),
        ("tussen 23:59 en 0:10", "tussen 23 uur 59 en 0 uur 10"),
        ("voor 9.50 euro", "voor 9.50 euro"),
        ("het meisje is 1.50 m lang", "het meisje is 1.50 m lang"),
        ("hij is 1.55 meter", "hij is 1.55 meter"),
        ("op 12.05.2026", "op 12.05.2026"),
        ("25:10", "25:10"),
        # telephone numbers
        ("bel 0800-0011", "bel 0 8 0 0 0 0 1 1"),
        ("bel 0800 0011.", "bel 0 8 0 0 0 0 1 1."),
        ("bel 06-12345678", "bel 0 6 1 2 3 4 5 6 7 8"),
        ("bel 06 12345678", "bel 0 6 1 2 3 4 5 6 7 8"),
        ("bel +31612345678", "bel +3 1 6 1 2 3 4 5 6 7 8"),
        # codes and quantities
        ("code 427", "code 4 2 7"),
        ("Gezien? Toets code 427.", "Gezien? Toets code 4 2 7."),
        ("bel 112, niet 144!", "bel 1 1 2, niet 1 4 4!"),
        ("1.427 mensen, 1,755 km", "1.427 mensen, 1,755 km"),
        ("rechts na 250 meter, 120 euro", "rechts na 250 meter, 120 euro"),
        ("12 jaar, in 2026", "12 jaar, in 2026"),
        # abbreviations
        ("T.h.v. het station e.o.", "ter hoogte van het station en omgeving"),
        ("lengte ca. 180 cm.", "lengte ongeveer 180 centimeter."),
        ("90 cm, blond; a.u.b. bellen", "90 centimeter, blond; alstublieft bellen"),
        ("i.v.m. regen, nr. 5, o.a. daar", "in verband met regen, nummer 5, onder andere daar"),
        ("cmr", "cmr"),
        # shape
        ("  twee\n\nregels  ", "twee regels"),
        ("", ""),
    ],
)
def test_dutch_is_read_as_people_say_it(text: str, expected: str) -> None:
    assert spoken(text, "nl") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("near 3511 AB", "near 3 5 1 1 A B"),
        ("plate AB-123-C", "plate A B 1 2 3 C"),
        ("at 14:30", "at 14 30"),
        ("at 9:05", "at 9 0 5"),
        ("call 0800-0011, code 427.", "call 0 8 0 0 0 0 1 1, code 4 2 7."),
        ("approx. 90 cm, incl. hat", "about 90 centimetres, including hat"),
        ("He said no. Then he left.", "He said no. Then he left."),
        ("a.u.b. is Dutch", "a.u.b. is Dutch"),
    ],
)
def test_english_is_read_as_people_say_it(text: str, expected: str) -> None:
    assert spoken(text, "en") == expected


@given(st.text(), st.sampled_from(LANGUAGES))
def test_any_text_can_be_written_out_and_comes_out_single_spaced(text: str, language: str) -> None:
    said = spoken(text, language)
    assert said == " ".join(said.split())


@given(st.integers(100, 899), st.sampled_from(LANGUAGES), st.sampled_from(["", ".", ",", "!", "?", ")"]))
def test_a_code_is_always_read_digit_by_digit(code: int, language: str, after: str) -> None:
    assert spoken(f"code {code}{after}", language) == f"code {' '.join(str(code))}{after}"
