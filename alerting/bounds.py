"""How much a provider may be given on a channel: how fast, how many side by side, at what price, for how much a day."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

EURO = 1_000_000  # all money is kept in millionths of a euro: a part of a text costs a few hundredths


@dataclass(frozen=True)
class Bounds:
    """`a_second`: messages or calls; `at_once`: attempts side by side; `price`: millionths of a euro a part (a part of
    a text, a minute of a call); `budget`: millionths of a euro a day. 0: no bound, or no price."""

    a_second: float = 0.0
    at_once: int = 0
    price: int = 0
    budget: int = 0


# (channel, provider) -> its bounds; the provider ALL stands for the whole channel: its budget is for all of them.
ALL = ""
Tariffs = Mapping[tuple[str, str], Bounds]


def carried_by(tariffs: Tariffs, channel: str, providers: Collection[str]) -> Tariffs:
    """Those of one channel and of the providers that carry it: another one's budget is no help."""
    return {key: bounds for key, bounds in tariffs.items() if key[0] == channel and key[1] in (ALL, *providers)}


def price_of(tariffs: Tariffs, channel: str, provider: str, parts: int) -> int:
    """What so many parts cost, in millionths of a euro; a provider without a tariff costs nothing."""
    return tariffs.get((channel, provider), Bounds()).price * parts
