"""Bars for a terminal, of signs that differ even without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from actions.reach import REACHED, Counted

WIDTH = 40
# (what, sign, style, the meanings in it)
PARTS: Sequence[tuple[str, str, str, Sequence[str]]] = (
    ("reached", "█", "green", REACHED),
    ("perhaps", "▓", "yellow", ("mail", "machine", "unknown")),
    ("waiting", "░", "dim", ("waiting",)),
    ("not reached", "×", "red", ("not_reached", "never_tried")),
)
LEGEND = "  ".join(f"{sign} {what}" for what, sign, _, _ in PARTS)


def parts_of(counted: Counted) -> Mapping[str, int]:
    """How many of each part: reached, perhaps, waiting, not reached."""
    return {what: sum(getattr(counted, meaning) for meaning in meanings) for what, _, _, meanings in PARTS}


def bar(counted: Counted, width: int = WIDTH) -> Text:
    """A bar as wide as `width`, each part as long as its share; a part that is there at all is seen."""
    parts = parts_of(counted)
    lengths = shares(list(parts.values()), width)
    drawn = Text()
    for (_, sign, style, _), length in zip(PARTS, lengths, strict=True):
        drawn.append(sign * length, style)
    return drawn


def shares(counts: Sequence[int], width: int) -> list[int]:
    """Lengths that are together `width` (0 when nothing is counted), each at least 1 where the count is."""
    total = sum(counts)
    if not total:
        return [0] * len(counts)
    lengths = [max(1, count * width // total) if count else 0 for count in counts]
    while sum(lengths) != width:
        change = 1 if sum(lengths) < width else -1
        longest = max(range(len(counts)), key=lambda place: counts[place] if change > 0 else lengths[place])
        lengths[longest] += change
    return lengths


def plain(value: float, most: float, width: int = WIDTH) -> str:
    """A bar of one sign, as long as the value's share of the most."""
    return "█" * round(width * value / most) if most > 0 else ""
