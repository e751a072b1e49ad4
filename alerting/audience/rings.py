"""An area as rings of cells around the place it is about, the nearest first. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actions.geography import CELL_M, CELLS_A_ROW, Area, to_rd

# The first ring is about a kilometre around, each next one has twice as many cells.
FIRST_CELLS = 16
# Cells that are looked at before all of the country is counted: some three kilometres around.
NEAREST = 100


@dataclass(frozen=True)
class Circle:
    """RD metres. The database itself can tell who is in a circle."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Ground:
    """Where an action looks. `cells` nearest first, `edge` those that the edge crosses; whoever lives in these is in it
    when the circle holds the place, or else the area does. `people`: how many live in each cell, if known."""

    cells: NDArray[np.int64]
    edge: frozenset[int]
    area: Area | None = None
    circle: Circle | None = None
    people: Mapping[int, int] | None = None


def ground(given: Mapping[str, Any], x: float, y: float) -> Ground:
    """The ground of an action's area around the place x, y (RD metres). Takes up to two seconds for a whole region:
    call it in a thread. Raises BadArea."""
    area = Area.parse(given)
    cells = area.cells()
    ordered = nearest_first([*cells.interior, *cells.edge], x, y)
    circle = Circle(*to_rd(given["lat"], given["lon"]), given["radius"]) if given.get("type") == "circle" else None
    return Ground(ordered, frozenset(cells.edge), area, circle)


def nearest_first(cells: Sequence[int], x: float, y: float) -> NDArray[np.int64]:
    """Cells by the distance of their middles from a place."""
    numbers = np.asarray(cells, np.int64)
    row, column = np.divmod(numbers, CELLS_A_ROW)
    away = ((column + 0.5) * CELL_M - x) ** 2 + ((row + 0.5) * CELL_M - y) ** 2
    return numbers[np.argsort(away, kind="stable")]


def around(x: float, y: float) -> list[int]:
    """The NEAREST cells to a place, wherever that is."""
    row, column = int(y // CELL_M), int(x // CELL_M)
    # A disc of so many cells fits into this square, whatever corner of its cell the place is in.
    far = math.ceil(math.sqrt(NEAREST / math.pi)) + 1
    square = [
        up * CELLS_A_ROW + right
        for up in range(row - far, row + far + 1)
        for right in range(column - far, column + far + 1)
    ]
    cells: list[int] = nearest_first(square, x, y)[:NEAREST].tolist()
    return cells


def rings(cells: NDArray[np.int64]) -> Iterator[tuple[int, list[int]]]:
    """The number of each ring, from 1, and its cells."""
    start, size, number = 0, FIRST_CELLS, 1
    while start < len(cells):
        yield number, cells[start : start + size].tolist()
        start, size, number = start + size, size * 2, number + 1
