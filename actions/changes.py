"""What a participant changed his mind about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Changes:
    """None leaves it as it is. `kinds`, `wakes`: sets of kinds (words.bits); `quiet`: minutes of the local day."""

    kinds: int | None = None
    wakes: int | None = None
    quiet: tuple[int, int] | None = None
    language: str | None = None
    birth_year: int | None = None
    follows: bool | None = None
    exercise: bool | None = None

    def of_subscriptions(self) -> Mapping[str, object]:
        """Columns of Subscription."""
        start, end = self.quiet or (None, None)
        return _given(kinds=self.kinds, wakes=self.wakes, quiet_from=start, quiet_until=end)

    def of_participant(self) -> Mapping[str, object]:
        """Columns of Participant."""
        return _given(language=self.language, birth_year=self.birth_year, follows=self.follows, exercise=self.exercise)


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
