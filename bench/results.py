"""What a bench found: figures with their reference and goal, as a table with bars and as results.json. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

BAR = 24
EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True)
class Goal:
    """A bound on the figure itself or, with `of_reference`, on its ratio to the reference. One of the two is set."""

    at_most: float | None = None
    at_least: float | None = None
    of_reference: bool = False

    def held_by(self, value: float, ratio: float | None) -> bool:
        """What was not measured, or compares with nothing, holds nothing."""
        measured = ratio if self.of_reference else value
        if measured is None or math.isnan(measured):
            return False
        if self.at_most is not None and measured > self.at_most:
            return False
        return self.at_least is None or measured >= self.at_least

    def __str__(self) -> str:
        bound = f"<= {self.at_most:g}" if self.at_most is not None else f">= {self.at_least:g}"
        return f"{bound} x" if self.of_reference else bound


@dataclass(frozen=True)
class Figure:
    """One measured value; `reference` is the same figure of what it is compared with, measured in the same run."""

    bench: str
    figure: str
    value: float
    unit: str
    reference: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.reference if self.reference else None

    @property
    def held(self) -> bool | None:
        """Whether the goal is held; None without one."""
        return self.goal.held_by(self.value, self.ratio) if self.goal else None

    def row(self) -> dict[str, Any]:
        """As it stands in results.json."""
        plain = {**asdict(self), "ratio": self.ratio, "goal": str(self.goal) if self.goal else None, "held": self.held}
        return {name: _plain(value) if isinstance(value, float) else value for name, value in plain.items()}


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` (0 to 1) of them do not exceed; nan of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def table(figures: Sequence[Figure], title: str) -> Table:
    """All figures, a bar beside those that have a reference (a full bar is as much as the larger of the two)."""
    shown = Table(
        "bench", "figure", "value", "reference", "ratio", "value beside reference", "goal", "held", title=title
    )
    for figure in figures:
        shown.add_row(
            figure.bench,
            figure.figure,
            f"{_short(figure.value)} {figure.unit}",
            "" if figure.reference is None else _short(figure.reference),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            bars(figure.value, figure.reference),
            str(figure.goal or ""),
            {True: "[green]yes[/]", False: "[red]NO[/]", None: ""}[figure.held],
        )
    return shown


def bars(value: float, reference: float | None) -> str:
    """Two lines: the value's bar and the reference's."""
    if not reference or math.isnan(value):
        return ""
    longest = max(value, reference)
    return f"[cyan]{_bar(value / longest)}[/]\n[dim]{_bar(reference / longest)}[/]"


def kept(rows: Iterable[dict[str, Any]], anew: Sequence[Figure]) -> list[dict[str, Any]]:
    """The rows of an earlier run with those benches replaced that ran anew."""
    benches = {figure.bench for figure in anew}
    return [row for row in rows if row["bench"] not in benches] + [figure.row() for figure in anew]


def write(file: Path, machine: dict[str, Any], figures: Sequence[Figure]) -> None:
    """Writes results.json: a list of rows, the first of which describes the machine."""
    earlier = [row for row in json.loads(file.read_text()) if row["bench"] != "machine"] if file.exists() else []
    rows = [{"bench": "machine", **machine}, *kept(earlier, figures)]
    file.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")


def _plain(value: float) -> float | None:
    """JSON knows no nan."""
    return None if math.isnan(value) else round(value, 4)


def _bar(share: float) -> str:
    eighths = round(share * BAR * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _short(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
