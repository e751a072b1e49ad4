"""The message doctor: real-life messages, and what it says of each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.models import Kind, MessageKind
from alerting.message_doctor import Findings, Severity, examine

NUMBER = "0800-0011"
GOOD_NL = (
    "meisje met rode jas in Rotterdam-Zuid",
    (
        "Noor is zes jaar oud. Zij heeft lang bruin haar. Zij draagt een rode jas en gele laarzen. "
        "Zij is om 14.30 uur gezien bij het Zuidplein. Zij liep richting de Maashaven."
    ),
)
GOOD_EN = (
    "girl in a red coat in Rotterdam",
    (
        "Noor is six years old. She has long brown hair. She wears a red coat and yellow boots. "
        "She was seen at 14:30 near Zuidplein. She walked towards Maashaven."
    ),
)


def found(title: str, text: str, kind: Kind = Kind.LOOK_OUT, language: str = "nl") -> Findings:
    texts = {"nl": GOOD_NL, language: (title, text)}
    return examine({**texts, "en": texts.get("en", GOOD_EN)}, kind, NUMBER)


def rules(findings: Findings) -> set[str]:
    return {one.rule for one in findings.advice}


@pytest.mark.parametrize("kind", Kind)
def test_of_a_good_message_there_is_nothing_to_say(kind: Kind) -> None:
    assert examine({"nl": GOOD_NL, "en": GOOD_EN}, kind, NUMBER).advice == ()


@pytest.mark.parametrize(
    ("title", "text", "said"),
    [
        pytest.param(
            "blauwe Golf",
            "Een blauwe Volkswagen reed om 15.10 uur weg richting het noorden.",
            {"no-place"},
            id="no place at all",
        ),
        pytest.param(
            "blauwe Golf in Schiedam",
            "De auto reed weg richting Vlaardingen.",
            {"no-time"},
            id="since when is not said",
        ),
        pytest.param(
            "man met groene pet in Delft",
            "Hij is vanmiddag gezien op de Markt.",
            {"no-direction"},
            id="which way is not said",
        ),
        pytest.param(
            "witte bestelbus t.h.v. Coolsingel in Rotterdam",
            "Bus is ca. 10 minuten geleden weggereden r.o. centrum, o.a. met ladder.",
            {"abbreviation"},
            id="the complaint of 2009: abbreviations",
        ),
        pytest.param(
            "man in Utrecht",
            "SIG: man, zwart haar. Liep vandaag richting het station.",
            {"abbreviation"},
            id="capitals that nobody knows",
        ),
        pytest.param(
            "man met zwarte jas in Breda",
            "De man is om 20.15 uur gezien op de Markt, draagt een zwarte jas met een rode streep, en "
            "liep richting het park.",
            {"long-sentence"},
            id="a sentence of more than fifteen words",
        ),
        pytest.param(
            "inbreker in Zwolle",
            "De verdachte van een woninginbraak rende om 3.05 uur richting de Dijk.",
            {"offence"},
            id="what somebody is suspected of",
        ),
        pytest.param(
            "man in Almere",
            "Een Marokkaanse man van twintig jaar. Hij liep vanavond richting de Stad.",
            {"origin"},
            id="where somebody comes from",
        ),
        pytest.param(
            "auto met Pools kenteken in Venlo",
            "Een turkooizen auto met een Turks kenteken. Hij reed om 9.00 uur richting Tegelen.",
            set(),
            id="a plate has a country, a colour is no people",
        ),
        pytest.param(
            "jongen in Emmen",
            "Hij liep om 8.10 uur richting het Bargerpark. Bel 0591-123456.",
            {"number"},
            id="another number to call",
        ),
        pytest.param(
            "jongen in Emmen",
            "Hij liep om 8.10 uur richting het Bargerpark. Noem code 123.",
            {"code"},
            id="a code that is not the one",
        ),
        pytest.param(
            "vrouw in Leiden",
            "Zij liep om 8.10 uur richting de Breestraat. Spreek haar aan.",
            {"approach"},
            id="people are sent towards somebody",
        ),
        pytest.param(
            "vrouw in ’s-Hertogenbosch",
            "Zij liep om 8.10 uur richting de Parade. Zoë draagt een hoed.",
            {"wide-sign"},
            id="signs that make a text message dear",
        ),
        pytest.param(
            "man met rode jas in Tilburg",
            " ".join(["Hij liep om 8.10 uur richting het Wilhelminapark."] * 10),
            {"many-segments"},
            id="four texts and more",
        ),
    ],
)
def test_what_the_doctor_says_of_a_dutch_message(title: str, text: str, said: set[str]) -> None:
    findings = found(title, text)
    assert rules(findings) == said
    assert not findings.blocked


@pytest.mark.parametrize(
    ("title", "text", "said"),
    [
        ("man in a blue coat", "He walked towards the river at 15:10.", {"no-place"}),
        ("man in Delft", "He walked towards the river.", {"no-time"}),
        ("man in Delft", "He was seen at 15:10.", {"no-direction"}),
        ("man in Delft", "He walked north at 15:10, approx. 30 yrs.", {"abbreviation"}),
        ("robber in Delft", "The suspect ran towards the station at 15:10.", {"offence"}),
        ("Robbie in a polished car in Delft", "His jewels were seen at 15:10. He drove north.", set()),
        ("man in Delft", "A Moroccan man walked north at 15:10.", {"origin"}),
        ("man in Delft", "He walked north at 15:10. Speak to him.", {"approach"}),
    ],
)
def test_what_the_doctor_says_of_an_english_message(title: str, text: str, said: set[str]) -> None:
    assert rules(found(title, text, language="en")) == said


@pytest.mark.parametrize(
    ("texts", "blocks"),
    [
        ({"nl": ("", "Kijk uit.")}, "the title is empty"),
        ({"nl": ("man in Delft", "x" * 1001)}, "at most 1000"),
        ({"en": GOOD_EN}, "Dutch text is missing"),
        ({"nl": GOOD_NL, "de": ("Mann in Delft", "Ein Mann.")}, "language 'de' is not known"),
        ({"nl": ("man in Delft", "\u202ekijk uit")}, "control character"),
    ],
)
def test_only_what_cannot_be_sent_is_blocked(texts: dict[str, tuple[str, str]], blocks: str) -> None:
    findings = examine(texts, Kind.LOOK_OUT, NUMBER)
    assert findings.blocked
    (said,) = [one for one in findings.advice if one.severity is Severity.BLOCKS]
    assert blocks in said.words


def test_advice_says_where_in_the_text_and_what_to_write_instead() -> None:
    title, text = "man in Delft", "Hij liep om 9.00 uur richting Rijswijk, ca. 30 jaar."
    (advice,) = found(title, text).advice
    assert advice.where
    assert text[advice.where.start : advice.where.end] == "ca."
    assert (advice.where.field, advice.suggestion) == ("text", "write 'ongeveer'")


def test_a_missing_persons_title_must_fit_on_a_board() -> None:
    long = "jongen van zes jaar met een groene jas, een blauwe broek en gele laarzen in Amsterdam"[:80]
    assert "board" in rules(found(long, GOOD_NL[1], Kind.MISSING_CHILD))
    assert "board" not in rules(found(long, GOOD_NL[1], Kind.LOOK_OUT))


def test_who_reads_english_gets_dutch_when_there_is_no_english() -> None:
    assert rules(examine({"nl": GOOD_NL}, Kind.LOOK_OUT, NUMBER)) == {"no-english"}


def test_a_result_needs_no_direction_and_no_time() -> None:
    texts = {"nl": ("meisje met rode jas", "Zij is gevonden."), "en": ("girl in a red coat", "She was found.")}
    assert rules(examine(texts, Kind.LOOK_OUT, NUMBER, MessageKind.RESULT)) == set()


def test_an_exercise_costs_more_signs_and_is_counted_with_them() -> None:
    texts = {"nl": ("m in D", "x" * 8), "en": GOOD_EN}
    plain = examine(texts, Kind.INFORMATION, NUMBER)
    exercise = examine(texts, Kind.INFORMATION, NUMBER, exercise=True)
    assert exercise.segments["nl"] >= plain.segments["nl"] == 1


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=1000), st.sampled_from(Kind), st.sampled_from(MessageKind))
def test_whatever_is_typed_the_doctor_answers_with_places_inside_the_text(
    title: str, text: str, kind: Kind, message: MessageKind
) -> None:
    for advice in examine({"nl": (title, text), "en": (title, text)}, kind, NUMBER, message).advice:
        if advice.where:
            field = title if advice.where.field == "title" else text
            assert 0 <= advice.where.start <= advice.where.end <= len(field)
