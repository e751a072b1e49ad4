"""What a channel costs: counted in the transaction that writes its attempts, and what may leave when the day's budget
is used up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Kind, Spending
from actions.store import Store
from alerting.bounds import ALL, Bounds, Tariffs
from alerting.renditions import Notice

HERE = ZoneInfo("Europe/Amsterdam")
# A life in danger is worth more than a budget.
WHATEVER_IT_COSTS = (Kind.AMBER, Kind.MISSING_CHILD)

Parts = Callable[[Notice], int]


@dataclass(frozen=True)
class Spent:
    """On one day, by one provider on one channel; money in millionths of a euro, `budget` 0 without a bound."""

    channel: str
    provider: str
    sent: int
    parts: int
    micro_euros: int
    budget: int = 0

    @property
    def name(self) -> str:
        """As people read it: "sms by twilio"."""
        return f"{self.channel} by {self.provider}" if self.provider else f"all {self.channel}"

    @property
    def share(self) -> float | None:
        """Of the budget; None without one."""
        return self.micro_euros / self.budget if self.budget else None


class Purse:
    """Of one channel. `tariffs`: of the providers that carry it (bounds.carried_by). `parts(notice)`: of how many parts
    a message is, as its provider counts them."""

    def __init__(self, store: Store, channel: str, tariffs: Tariffs, parts: Parts = lambda _: 1) -> None:
        self._store, self._channel, self._tariffs, self._parts = store, channel, tariffs, parts
        self._bounded = any(bounds.budget for (of, _), bounds in tariffs.items() if of == channel)
        self._used_up: frozenset[str] = frozenset()

    async def may_leave(self, session: AsyncSession, moment: datetime) -> tuple[Kind, ...] | None:
        """Of which kinds of action something may leave; None: of all. Whoever asks last waits for who asked first: a
        budget is exceeded by one batch at most."""
        if not self._bounded:
            return None
        query = select(Spending).where(Spending.channel == self._channel, Spending.day == day_of(moment))
        rows = list(await session.exec(query.order_by(col(Spending.provider)).with_for_update()))
        spent = {row.provider: row.micro_euros for row in rows}
        self._used_up = frozenset(p for p in self._providers() if self._is_used_up(p, spent.get(p, 0)))
        all_of_it = self._is_used_up(ALL, sum(spent.values()))
        return WHATEVER_IT_COSTS if all_of_it or self._used_up >= self._providers() else None

    def used_up(self, provider: str) -> bool:
        """Whether its own budget was gone when last looked: another one carries on, as long as there is one."""
        return provider in self._used_up

    async def pay(self, session: AsyncSession, provider: str, notices: Iterable[Notice], moment: datetime) -> None:
        """Counts these messages, each given to the provider once."""
        bought = Counter(notices)
        parts = sum(self._parts(notice) * count for notice, count in bought.items())
        await self.count(session, {provider: (bought.total(), parts)}, moment)

    async def pay_another(
        self, session: AsyncSession, moves: Iterable[tuple[str, str, Notice]], moment: datetime
    ) -> None:
        """Messages that were counted for one provider and go by another: (from, to, message)."""
        sums: dict[str, tuple[int, int]] = {}
        for source, target, notice in moves:
            parts = self._parts(notice)
            for provider, sign in ((source, -1), (target, 1)):
                sent, counted = sums.get(provider, (0, 0))
                sums[provider] = (sent + sign, counted + sign * parts)
        await self.count(session, sums, moment)

    async def count(self, session: AsyncSession, sums: Mapping[str, tuple[int, int]], moment: datetime) -> None:
        """Adds (messages, parts) to each provider's row of the day."""
        for provider, (sent, parts) in sorted(sums.items()):
            if not sent and not parts:
                continue
            row = Spending(
                provider=provider,
                channel=self._channel,
                day=day_of(moment),
                sent=sent,
                parts=parts,
                micro_euros=parts * self._bounds(provider).price,
            )
            insert = self._store.insert(Spending.__table__).values(row.model_dump())  # type: ignore[attr-defined]
            more = {name: getattr(Spending, name) + insert.excluded[name] for name in ("sent", "parts", "micro_euros")}
            keys = ["provider", "channel", "day"]
            await session.exec(insert.on_conflict_do_update(index_elements=keys, set_=more))

    def _providers(self) -> frozenset[str]:
        return frozenset(provider for of, provider in self._tariffs if of == self._channel and provider != ALL)

    def _is_used_up(self, provider: str, spent: int) -> bool:
        budget = self._bounds(provider).budget
        return bool(budget) and spent >= budget

    def _bounds(self, provider: str) -> Bounds:
        return self._tariffs.get((self._channel, provider), Bounds())


def day_of(moment: datetime) -> str:
    """The local date, ISO: budgets begin anew at midnight."""
    return moment.astimezone(HERE).date().isoformat()


async def spent_on(store: Store, day: str, tariffs: Tariffs) -> list[Spent]:
    """By channel and provider; a channel with a budget of its own has a line for all of its providers too."""
    async with store.reading() as session:
        rows = list(await session.exec(select(Spending).where(Spending.day == day)))
    known = {(row.channel, row.provider): row for row in rows}
    found = []
    for channel, provider in sorted({*known, *(key for key, bounds in tariffs.items() if bounds.budget)}):
        mine = [row for row in rows if row.channel == channel and provider in (row.provider, ALL)]
        budget = tariffs.get((channel, provider), Bounds()).budget
        sent, parts, money = (sum(getattr(row, name) for row in mine) for name in ("sent", "parts", "micro_euros"))
        found.append(Spent(channel, provider, sent, parts, money, budget))
    return found
