"""How much of a wave a dispatcher may begin: asked before anything is claimed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

# How many of a message, by its id, may be begun now.
Share = Callable[[int], int]


def all_of_it(_message_id: int) -> int:
    return sys.maxsize


@dataclass(frozen=True)
class Allowed:
    """So many deliveries may be begun now, of each message its share; with none, ask again after `again_s`."""

    most: int
    share: Share = all_of_it
    again_s: float = 0.05


class Allowance(Protocol):
    async def allowed(self, most: int) -> Allowed:
        """How many of `most` may be begun. Raises what the database raises."""

    def began(self, by_message: Mapping[int, int]) -> None:
        """So many of each message were begun."""


class NoBounds:
    """As many as the provider takes."""

    async def allowed(self, most: int) -> Allowed:
        return Allowed(most)

    def began(self, by_message: Mapping[int, int]) -> None:
        pass
