"""What actions come to, by month, kind and region: how many, whom they reached, what came back, how they ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Label, String, and_, case, func, literal
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Action, Outcome, Status, Tally, now
from actions.store import Store
from actions.tallies import MOST, tallied

ZONE = ZoneInfo("Europe/Amsterdam")
# Of all that ended: so many thanks to those who looked out, so many helped by them.
GOAL = {Outcome.DIRECT: 0.10, Outcome.INDIRECT: 0.40}
Of = tuple[str, str, str]  # month, kind, region


@dataclass
class Figures:
    """Of some actions. `people`: alerted, each once an action; `reached`: those for whom that is certain. `alert_s`:
    the seconds from start to first alert, of the `alerted` actions that had one, together; `call_s`, `called`: the
    same to the first call."""

    actions: int = 0
    ended: int = 0
    direct: int = 0
    indirect: int = 0
    people: int = 0
    reached: int = 0
    calls: int = 0
    tips: int = 0
    alert_s: float = 0.0
    alerted: int = 0
    call_s: float = 0.0
    called: int = 0

    @property
    def direct_share(self) -> float | None:
        return self.direct / self.ended if self.ended else None

    @property
    def indirect_share(self) -> float | None:
        return self.indirect / self.ended if self.ended else None

    @property
    def first_alert_s(self) -> float | None:
        return self.alert_s / self.alerted if self.alerted else None

    @property
    def first_call_s(self) -> float | None:
        return self.call_s / self.called if self.called else None

    def add(self, other: Figures) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class Row:
    month: str  # 2026-11
    kind: str
    region: str
    figures: Figures


def months_until(last: str | None, count: int) -> list[str]:
    """So many months up to `last` (2026-11; None: this one), oldest first. Raises ValueError."""
    moment = now().astimezone(ZONE).date() if last is None else date.fromisoformat(f"{last}-01")
    number = moment.year * 12 + moment.month - 1
    return [f"{one // 12:04}-{one % 12 + 1:02}" for one in range(number - count + 1, number + 1)]


async def statistics(store: Store, months: Sequence[str], room_id: str | None = None) -> list[Row]:
    """Of actions that started in these months (in order, without a gap; local time), exercises left out; of one room
    if given. Raises what the database raises."""
    first, last = start_of(months[0]), start_of(_following(months[-1]))
    chosen = [col(Action.started_at) >= first, col(Action.started_at) < last, ~col(Action.exercise)]
    chosen += [col(Action.room_id) == room_id] if room_id else []
    found: dict[Of, Figures] = {}
    async with store.reading() as session:
        for month, kind, region, *values in await session.exec(_grouped(months, chosen)):
            found[month, kind, region] = Figures(*(value or 0 for value in values))
        await _add_fresh(session, months, chosen, found)
    return [Row(*of, figures) for of, figures in sorted(found.items())]


def together(rows: Iterable[Row], by: Callable[[Row], str]) -> Mapping[str, Figures]:
    """The sums by month, kind or region."""
    sums: dict[str, Figures] = {}
    for row in rows:
        sums.setdefault(by(row), Figures()).add(row.figures)
    return dict(sorted(sums.items()))


def start_of(month: str) -> datetime:
    """The moment at which a month begins here."""
    year, number = map(int, month.split("-"))
    return datetime(year, number, 1, tzinfo=ZONE)


def _following(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def _grouped(months: Sequence[str], chosen: Sequence[ColumnElement[bool]]) -> Any:
    """One row for each month, kind and region; what actions came to, of those that were counted already."""

    found = select(Action.id, Action.status, Action.outcome, Action.kind, Action.region_id, _month(months))  # type: ignore[call-overload]
    one = found.where(*chosen).subquery("one").c
    ended = one.status == Status.ENDED

    def many(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    return (
        select(  # type: ignore[call-overload]
            one.month,
            one.kind,
            one.region_id,
            func.count(one.id),
            many(ended),
            many(and_(ended, one.outcome == Outcome.DIRECT)),
            many(and_(ended, one.outcome == Outcome.INDIRECT)),
            *(func.sum(column) for column in (Tally.people, Tally.reached, Tally.calls, Tally.tips)),
            func.sum(Tally.first_alert_s),
            func.count(col(Tally.first_alert_s)),
            func.sum(Tally.first_call_s),
            func.count(col(Tally.first_call_s)),
        )
        .outerjoin(Tally, col(Tally.action_id) == one.id)
        .group_by(one.month, one.kind, one.region_id)
    )


def _month(months: Sequence[str]) -> Label[str]:
    """The local month of an action, as a comparison with the moments at which months begin: it is the same in every
    database."""
    *earlier, last = months
    latest = literal(last, String)
    arms = [(col(Action.started_at) < start_of(_following(month)), literal(month, String)) for month in earlier]
    return (case(*arms, else_=latest) if arms else latest).label("month")


async def _add_fresh(
    session: AsyncSession, months: Sequence[str], chosen: Sequence[ColumnElement[bool]], found: Mapping[Of, Figures]
) -> None:
    """What actions came to so far that are not counted yet: those of the last day."""
    query = (
        select(Action.id, _month(months), Action.kind, Action.region_id)
        .outerjoin(Tally, col(Tally.action_id) == Action.id)
        .where(*chosen, col(Tally.action_id).is_(None))
        .order_by(col(Action.id))
    )
    of = {action: (month, kind, region) for action, month, kind, region in await session.exec(query)}
    ids = [action for action in of if action is not None]
    for start in range(0, len(ids), MOST):
        for tally in await tallied(session, ids[start : start + MOST]):
            found[of[tally.action_id]].add(_figures(tally))


def _figures(tally: Tally) -> Figures:
    return Figures(
        people=tally.people,
        reached=tally.reached,
        calls=tally.calls,
        tips=tally.tips,
        alert_s=tally.first_alert_s or 0.0,
        alerted=int(tally.first_alert_s is not None),
        call_s=tally.first_call_s or 0.0,
        called=int(tally.first_call_s is not None),
    )
