"""When something is wrong, how badly, and what to do about it. Pure: facts and the time in, alarms out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# (what, subject) -> value: ("trunk_reachable", "carrier") -> 1. What is not known is not there.
Facts = Mapping[tuple[str, str], float]
# (alarm, subject) -> since when it is wrong, and the value now.
Wrong = Mapping[tuple[str, str], tuple[datetime, float]]


class Severity(StrEnum):
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True)
class Rule:
    """An alarm when the fact `what` is `wrong` for `for_s` seconds on end. `words` say what to do; they may name the
    {subject} and the {value}."""

    name: str
    what: str
    wrong: Callable[[float], bool]
    severity: Severity
    words: str
    for_s: float = 0.0


@dataclass(frozen=True)
class Alarm:
    name: str
    subject: str
    severity: Severity
    since: datetime
    words: str


def _none(value: float) -> bool:
    return value < 1


RULES: tuple[Rule, ...] = (
    Rule(
        "part away",
        "answers",
        _none,
        Severity.RED,
        "{subject} does not answer: see that it runs and can be reached (`burgernet doctor` asks every part)",
        for_s=5,
    ),
    Rule(
        "not observing",
        "observes",
        _none,
        Severity.YELLOW,
        "{subject} does not answer: phones that go away are noticed late; check BURGERNET_AMI_URL",
        for_s=15,
    ),
    Rule(
        "node gone",
        "node_there",
        _none,
        Severity.RED,
        "Asterisk node {subject} is gone with its controllers: start it again; whoever waited there is called back by "
        "another node",
        for_s=15,
    ),
    Rule(
        "callers lost",
        "callers_lost",
        lambda count: count >= 1,
        Severity.YELLOW,
        "{value:.0f} callers without a number waited in an Asterisk that failed in the last hour: nobody can call them "
        "back",
    ),
    Rule(
        "exercise astray",
        "exercise_strays",
        lambda count: count >= 1,
        Severity.RED,
        "{value:.0f} messages of an exercise were refused in the last hour, just before they left for people who take "
        "part in none: end the exercise, and see who was chosen (`burgernet action report`)",
    ),
    Rule(
        "trunk away",
        "trunk_reachable",
        lambda share: share <= 0,
        Severity.RED,
        "the trunk {subject} does not answer: no calls go that way; call its owner, and check BURGERNET_TRUNK_CONTACTS",
    ),
    Rule(
        "trunk half away",
        "trunk_reachable",
        lambda share: 0 < share < 1,
        Severity.YELLOW,
        "only {value:.0%} of the contacts of the trunk {subject} answer: calls go by those; `burgernet doctor` names "
        "the others, call their owner",
    ),
    Rule(
        "trunk full",
        "trunk_used",
        lambda share: share >= 0.9,
        Severity.YELLOW,
        "the trunk {subject} is {value:.0%} full: the next callers hear an engaged tone; ask for more channels",
    ),
    Rule(
        "room without phones",
        "room_phones",
        _none,
        Severity.RED,
        "nobody on duty in room {subject} has a phone that answers: its callers go to the next; see to its network",
    ),
    Rule(
        "open for long",
        "open_long",
        lambda count: count >= 1,
        Severity.YELLOW,
        "room {subject} has {value:.0f} actions that are open for long: end each with its result (`burgernet action "
        "end`), or extend it (`burgernet action extend`); else it ends by itself, without result",
    ),
    Rule(
        "slow",
        "loop_lag_s",
        lambda lag: lag > 0.05,
        Severity.YELLOW,
        "{subject} wakes {value:.2f} s late: calls are led late; the machine is too busy",
        for_s=15,
    ),
    Rule(
        "stuck",
        "loop_lag_s",
        lambda lag: lag > 1,
        Severity.RED,
        "{subject} stood still for {value:.1f} s: everything waits; see what else runs on the machine, and the logs",
    ),
    Rule(
        "badly heard",
        "badly_heard",
        lambda share: share > 0.1,
        Severity.YELLOW,
        "{value:.0%} of what was heard in the last minutes was bad (loss, jitter or delay): see to the network",
        for_s=30,
    ),
    Rule(
        "refused requests",
        "refused_a_minute",
        lambda count: count >= 20,
        Severity.YELLOW,
        "{subject} was refused {value:.0f} times in a minute: a scanner (block it in the firewall), or a phone of ours "
        "with a wrong password",
    ),
    Rule(
        "often called",
        "often_a_minute",
        lambda count: count >= 10,
        Severity.YELLOW,
        "{value:.0f} calls in a minute came from numbers that call very often: they are served last; see who it is",
    ),
    Rule(
        "budget nearly used up",
        "budget_used",
        lambda share: 0.8 <= share < 1,
        Severity.YELLOW,
        "{value:.0%} of today's budget for {subject} is spent: raise it if more must go out (`burgernet spending`)",
    ),
    Rule(
        "budget used up",
        "budget_used",
        lambda share: share >= 1,
        Severity.RED,
        "today's budget for {subject} is used up: another provider carries on if there is one, else only AMBER and "
        "missing children go out; raise it in the settings (`burgernet spending`)",
    ),
    Rule(
        "disk nearly full",
        "disk_free",
        lambda share: 0.03 <= share < 0.1,
        Severity.YELLOW,
        "the disk for {subject} has {value:.1%} left: make room",
    ),
    Rule(
        "disk full",
        "disk_free",
        lambda share: share < 0.03,
        Severity.RED,
        "the disk for {subject} has {value:.1%} left: make room now, or what comes in cannot be kept",
    ),
)

# Told by whoever reads: the process itself cannot.
GONE = Rule(
    "process gone",
    "",
    _none,
    Severity.RED,
    "{subject} ended without a word: start it again; others go on with its calls",
)


def wrong_now(facts: Facts, before: Wrong, at: datetime) -> Wrong:
    """What is wrong, for an alarm or on its way to one."""
    found: dict[tuple[str, str], tuple[datetime, float]] = {}
    for rule in RULES:
        for (what, subject), value in facts.items():
            if what == rule.what and rule.wrong(value):
                since, _ = before.get((rule.name, subject), (at, value))
                found[rule.name, subject] = (since, value)
    return found


def alarms(wrong: Wrong, at: datetime) -> list[Alarm]:
    """Those that are wrong for long enough; the worst first, then the oldest."""
    rung = [
        alarm_of(rule, subject, since, value)
        for rule in RULES
        for (name, subject), (since, value) in wrong.items()
        if name == rule.name and at - since >= timedelta(seconds=rule.for_s)
    ]
    return worst_first(rung)


def alarm_of(rule: Rule, subject: str, since: datetime, value: float = 0.0) -> Alarm:
    return Alarm(rule.name, subject, rule.severity, since, rule.words.format(subject=subject, value=value))


def worst_first(found: list[Alarm]) -> list[Alarm]:
    return sorted(found, key=lambda alarm: (alarm.severity is not Severity.RED, alarm.since, alarm.name, alarm.subject))
