"""What an operator may choose with an action: waking people, and whom of those there it is for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actions.models import Action
from actions.texts import LANGUAGES, faults_in_title

LONGEST_REASON = 200
YOUNGEST, OLDEST = 16, 120


@dataclass(frozen=True)
class Options:
    """`wake_reason`: why it may wake people who did not ask for it. `languages` (empty: all), `min_age` and `max_age`
    choose among the participants; an age is what somebody becomes this year."""

    wake_reason: str | None = None
    languages: tuple[str, ...] = ()
    min_age: int | None = None
    max_age: int | None = None

    def faults(self) -> list[str]:
        """Every reason why these cannot be, in words that tell what to do."""
        faults = []
        if self.wake_reason is not None:
            if len(self.wake_reason) > LONGEST_REASON:
                faults.append(f"the reason to wake people has more than {LONGEST_REASON} characters: say it shorter")
            elif faults_in_title(self.wake_reason[:1] and self.wake_reason[:80]):
                faults.append("say in words why people may be woken: who is in danger, and how")
        if strangers := sorted(set(self.languages) - set(LANGUAGES)):
            faults.append(f"no participant has the language {', '.join(strangers)}: use {' or '.join(LANGUAGES)}")
        ages = [age for age in (self.min_age, self.max_age) if age is not None]
        if any(not YOUNGEST <= age <= OLDEST for age in ages):
            faults.append(f"participants are {YOUNGEST} or older: choose ages from {YOUNGEST} to {OLDEST}")
        if len(ages) == 2 and ages[0] > ages[1]:
            faults.append("the lowest age is above the highest: nobody would be told")
        return faults

    def put_on(self, action: Action) -> None:
        """Makes them columns of the action."""
        choice: dict[str, Any] = {"min_age": self.min_age, "max_age": self.max_age}
        choice |= {"languages": sorted(set(self.languages))} if self.languages else {}
        given = {name: value for name, value in choice.items() if value is not None}
        action.quiet_reason, action.audience = self.wake_reason, given or None
