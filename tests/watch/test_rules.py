"""When an alarm begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watch.rules import GONE, RULES, Alarm, Severity, Wrong, alarms, wrong_now

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def rung(what: str, value: float, *, for_s: float = 60, subject: str = "it") -> list[Alarm]:
    """The alarms when this has been so for a while."""
    facts = {(what, subject): value}
    wrong = wrong_now(facts, wrong_now(facts, {}, NOON), NOON + timedelta(seconds=for_s))
    return alarms(wrong, NOON + timedelta(seconds=for_s))


@pytest.mark.parametrize(
    ("what", "well", "wrong", "name"),
    [
        ("answers", 1, 0, "part away"),
        ("observes", 1, 0, "not observing"),
        ("node_there", 1, 0, "node gone"),
        ("callers_lost", 0, 1, "callers lost"),
        ("trunk_reachable", 1, 0, "trunk away"),
        ("trunk_reachable", 1, 0.5, "trunk half away"),
        ("trunk_used", 0.89, 0.9, "trunk full"),
        ("room_phones", 1, 0, "room without phones"),
        ("open_long", 0, 1, "open for long"),
        ("loop_lag_s", 0.05, 0.06, "slow"),
        ("badly_heard", 0.1, 0.11, "badly heard"),
        ("refused_a_minute", 19, 20, "refused requests"),
        ("often_a_minute", 9, 10, "often called"),
        ("budget_used", 0.79, 0.8, "budget nearly used up"),
        ("budget_used", 0.79, 1.0, "budget used up"),
        ("disk_free", 0.1, 0.09, "disk nearly full"),
        ("disk_free", 0.1, 0.03, "disk nearly full"),
        ("disk_free", 0.1, 0.029, "disk full"),
    ],
)
def test_what_is_wrong_rings_one_alarm_and_what_is_well_none(what: str, well: float, wrong: float, name: str) -> None:
    assert rung(what, well) == []
    assert [alarm.name for alarm in rung(what, wrong)] == [name]


def test_a_process_that_stood_still_is_red_before_it_is_slow() -> None:
    assert [(alarm.name, alarm.severity) for alarm in rung("loop_lag_s", 2, for_s=0)] == [("stuck", Severity.RED)]


def test_a_room_whose_phones_all_vanished_is_red_at_once_and_its_alarm_names_it() -> None:
    (alarm,) = rung("room_phones", 0, for_s=0, subject="rotterdam")
    assert (alarm.severity, alarm.subject, alarm.since) == (Severity.RED, "rotterdam", NOON)
    assert "room rotterdam" in alarm.words


@pytest.mark.parametrize(("for_s", "rings"), [(0, False), (4.9, False), (5, True)])
def test_what_may_be_a_hiccup_rings_only_when_it_lasts(for_s: float, rings: bool) -> None:
    assert bool(rung("answers", 0, for_s=for_s)) is rings


def test_an_alarm_that_ended_and_comes_again_counts_anew() -> None:
    bad, well = {("answers", "Redis"): 0.0}, {("answers", "Redis"): 1.0}
    wrong: Wrong = {}
    for second, facts in enumerate([bad, bad, well, bad]):
        wrong = wrong_now(facts, wrong, NOON + timedelta(seconds=second))
    assert wrong["part away", "Redis"][0] == NOON + timedelta(seconds=3)


def test_what_is_not_known_any_more_is_no_alarm() -> None:
    assert wrong_now({}, wrong_now({("answers", "Redis"): 0.0}, {}, NOON), NOON) == {}


def test_the_worst_come_first_then_the_oldest() -> None:
    facts = {("trunk_used", "carrier"): 1.0, ("room_phones", "limburg"): 0.0}
    wrong = wrong_now(facts, {}, NOON)
    later = NOON + timedelta(seconds=10)
    wrong = wrong_now({**facts, ("room_phones", "amsterdam"): 0.0}, wrong, later)
    assert [alarm.subject for alarm in alarms(wrong, later)] == ["limburg", "amsterdam", "carrier"]


def test_every_rule_has_a_name_of_its_own_and_says_what_to_do() -> None:
    names = [rule.name for rule in (*RULES, GONE)]
    assert len(set(names)) == len(names)
    assert all(":" in rule.words for rule in (*RULES, GONE))


facts = st.dictionaries(
    st.tuples(st.sampled_from([rule.what for rule in RULES]), st.sampled_from(["a", "b {x}"])), st.floats(0, 1e6)
)


@given(st.lists(facts, max_size=6))
def test_an_alarm_rings_only_for_what_has_been_wrong_in_every_look_since_it_began(looks: list[dict]) -> None:  # type: ignore[type-arg]
    wrong: Wrong = {}
    rules = {rule.name: rule for rule in RULES}
    for second, seen in enumerate(looks):
        wrong = wrong_now(seen, wrong, NOON + timedelta(seconds=second))
    for alarm in alarms(wrong, NOON + timedelta(seconds=len(looks))):
        rule, began = rules[alarm.name], int((alarm.since - NOON).total_seconds())
        assert all(rule.wrong(look[rule.what, alarm.subject]) for look in looks[began:])
        assert began == 0 or not rule.wrong(looks[began - 1].get((rule.what, alarm.subject), float("nan")))
