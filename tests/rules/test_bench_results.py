"""The benches' own reckoning: ratios, goals, percentiles, logs, and the keys that SIPp presses."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import sipp
from bench.processor import cpu_s, resident_mb
from bench.results import BAR, Figure, Goal, bars, kept, percentile, write


@pytest.mark.parametrize(
    ("value", "reference", "goal", "held"),
    [
        (150, 200, Goal(at_least=0.65, of_reference=True), True),
        (129, 200, Goal(at_least=0.65, of_reference=True), False),
        (9, 6, Goal(at_most=1.5, of_reference=True), True),
        (9.1, 6, Goal(at_most=1.5, of_reference=True), False),
        (0, None, Goal(at_most=0), True),
        (1, None, Goal(at_most=0), False),
        (5, None, Goal(at_most=1.5, of_reference=True), False),  # nothing to compare with
        (math.nan, None, Goal(at_most=150), False),  # nothing was measured
        (5, 6, None, None),
    ],
)
def test_a_goal_is_held_or_not(value: float, reference: float | None, goal: Goal | None, held: bool | None) -> None:
    assert Figure("b", "f", value, "ms", reference, goal).held is held


def test_a_row_holds_the_ratio_and_the_goal_in_words() -> None:
    row = Figure("free-number", "CPU per call", 9, "ms", 6, Goal(at_most=1.5, of_reference=True)).row()
    assert row == {
        "bench": "free-number",
        "figure": "CPU per call",
        "value": 9,
        "unit": "ms",
        "reference": 6,
        "ratio": 1.5,
        "goal": "<= 1.5 x",
        "held": True,
    }


def test_a_bench_that_runs_anew_replaces_its_own_rows_alone() -> None:
    rows = [Figure("adoption", "time", 3, "s").row(), Figure("growth", "cost", 7, "ms").row()]
    anew = kept(rows, [Figure("growth", "cost", 8, "ms")])
    assert [(row["bench"], row["value"]) for row in anew] == [("adoption", 3), ("growth", 8)]


def test_results_say_on_which_machine_they_were_found(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    for _ in range(2):
        write(file, {"cores": 2}, [Figure("growth", "cost", 8, "ms")])
    assert file.read_text().count('"machine"') == 1
    assert file.read_text().count('"growth"') == 1


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_percentile_is_one_of_the_values(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1


def test_nothing_measured_has_no_percentile() -> None:
    assert math.isnan(percentile([], 0.99))


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_of_two_bars_the_longer_is_full(value: float, reference: float) -> None:
    assert "█" * BAR in bars(value, reference)


def test_a_log_of_sipp_is_read_and_what_is_torn_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("2026-11-25\t00:42:11.123456\t1764031331.123456 rotterdam-1\n2026-11\n")
    assert sipp.read_log(file) == [(1764031331.123456, "rotterdam-1")]
    assert sipp.read_log(tmp_path / "none") == []


def test_keys_are_events_with_an_end_each() -> None:
    packets = sipp.pressing("42").split(b"\x42\xe5")[1:]
    events = [(packet[0], bool(packet[1] & 0x80)) for packet in packets]
    assert [event for event, last in events if last] == [4, 4, 4, 2, 2, 2]
    assert [event for event, _ in events] == [4] * 8 + [2] * 8


def test_the_processor_time_of_this_process_is_seen() -> None:
    assert cpu_s(os.getpid()) > 0
    assert resident_mb(os.getpid()) > 1
    assert cpu_s(2**30) == 0
