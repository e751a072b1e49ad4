"""What came of a file of places."""

from __future__ import annotations

from dataclasses import dataclass, field

# Bad rows kept to be shown: a file of the wrong kind may have millions.
MOST_SHOWN = 20


@dataclass
class Faults:
    """How many rows are bad, and the first of them: row number and reason."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, reason: str) -> None:
        self.count += 1
        if len(self.first) < MOST_SHOWN:
            self.first.append((number, reason))


@dataclass
class Imported:
    """`what`: municipality, safety_region, postcode, address. `found`: rows read that are one; `changed`: those that
    were new or other than before; `passed_over`: rows that name no place, which is no fault.
    `regions_told`: of postcodes, whether their regions could be told."""

    file: str
    what: str
    found: int = 0
    changed: int = 0
    passed_over: int = 0
    faults: Faults = field(default_factory=Faults)
    regions_told: bool = True
