"""Logs: one event a line, and never a telephone number in it."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgernet.logs import HIDDEN, JsonLine, LogFormat, Text, masked, set_up

ID = "0612345678abcdef0612345678901234"


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Puts back how this test run itself logs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def event(template: str, *args: object, form: logging.Formatter | None = None, fault: bool = False) -> str:
    exc_info: Any = None
    if fault:
        try:
            raise ValueError("cannot reach +31612345678")
        except ValueError:
            exc_info = sys.exc_info()
    record = logging.LogRecord("alerting.test", logging.INFO, __file__, 1, template, args, exc_info)
    return (form or JsonLine()).format(record)


@pytest.mark.parametrize(
    "number",
    [
        "0612345678",
        "06-12345678",
        "06 12 34 56 78",
        "06-12 34 56 78",
        "(010) 123 45 67",
        "010-1234567",
        "0174 123456",
        "+31612345678",
        "+31 6 12345678",
        "+31 (0)6 12345678",
        "0031612345678",
        "0031 6 1234 5678",
        "31612345678",
        "%2B31612345678",
        "%2b31612345678",
        "+447911123456",
        "+4915112345678",
        "+12025550123",
    ],
)
@pytest.mark.parametrize(
    "around",
    ["{}", "call from {}.", "sip:{}@127.0.0.1:5060", "<{}>", "To={}&From=x", "PJSIP/{}-00000001", "'{}'", "a{}b"],
)
def test_a_number_is_hidden_wherever_it_stands(number: str, around: str) -> None:
    line = masked(around.format(number))
    assert HIDDEN in line
    assert not re.search(r"\d{6}", re.sub(r"-00000001|127.0.0.1", "", line)), line


@given(
    st.integers(100000000, 999999999),
    st.sampled_from(["0{}", "+31{}", "0031{}", "31{}", "%2B31{}"]),
    st.text(alphabet=" ,.;:<>()='\"/@abcxyz\n", max_size=5),
    st.text(alphabet=" ,;:<>()='\"/@abcxyz\n", max_size=5),
)
def test_every_dutch_number_is_hidden(digits: int, form: str, before: str, after: str) -> None:
    number = form.format(digits)
    line = masked(f"{before}{number}{after}")
    # A full stop before digits is a fraction, or an address; only there a national number could stay.
    if not before.endswith(".") or number[0] in "+%" or number.startswith("00"):
        assert str(digits) not in line


@pytest.mark.parametrize(
    "kept",
    [
        ID,
        f"attempt {ID}: sent",
        "call 1764021600.123: the dialplan takes over",
        "2026-11-24 21:57:32,123",
        "action 427: 1600 deliveries of its alert written",
        "0800-0011",
        "08000011",
        "112",
        "ports 10000-10999",
        "127.0.0.1:5060",
        "took 0.0123456789 s",
        "after 12345678 rows",
        "burgernet:duty",
        "1732485452123",
    ],
)
def test_what_is_no_number_of_a_person_is_kept(kept: str) -> None:
    assert masked(kept) == kept


def test_an_event_is_one_line_of_json_with_the_ids_it_names() -> None:
    line = event("call %s: attempt %s of action %s to %s\nfailed", "one-7", ID, 427, "0612345678")
    assert "\n" not in line
    told = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("time"))
    assert told == {
        "level": "INFO",
        "logger": "alerting.test",
        "message": f"call one-7: attempt {ID} of action 427 to {HIDDEN}\nfailed",
        "call": "one-7",
        "attempt": ID,
        "action": "427",
    }


@pytest.mark.parametrize(
    ("template", "args", "ids"),
    [
        ("%s: %.1f s", ("work", 0.5), {}),
        ("%d of call %s", (3, "one-7"), {"call": "one-7"}),
        ("100%% of call %s", ("one-7",), {"call": "one-7"}),
        ("call %s", ("0612345678",), {"call": HIDDEN}),
        ("nothing", (), {}),
        ("recall %s", ("x",), {}),
    ],
)
def test_ids_are_found_by_the_words_before_them(template: str, args: tuple[object, ...], ids: dict[str, str]) -> None:
    told = json.loads(event(template, *args))
    assert {name: told[name] for name in ("call", "attempt", "action") if name in told} == ids


def test_a_traceback_stays_in_its_event_and_holds_no_number() -> None:
    told = json.loads(event("call %s failed", "one-7", fault=True))
    assert told["error"].startswith("Traceback")
    assert f"ValueError: cannot reach {HIDDEN}" in told["error"]


def test_text_for_people_hides_numbers_too() -> None:
    line = event("call %s from %s", "one-7", "0612345678", form=Text(), fault=True)
    assert f"INFO alerting.test: call one-7 from {HIDDEN}" in line
    assert f"ValueError: cannot reach {HIDDEN}" in line


@pytest.mark.usefixtures("own_logging")
def test_the_form_is_chosen_once_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogFormat.JSON)
    logging.getLogger("x").warning("call %s", "one-7")
    set_up(LogFormat.TEXT)
    logging.getLogger("x").warning("call %s", "one-8")
    first, second = capsys.readouterr().err.splitlines()
    assert json.loads(first)["call"] == "one-7"
    assert second.endswith("WARNING x: call one-8")
