"""What actions come to, by month, kind and region."""

from __future__ import annotations

from collections.abc import Sequence

from actions.models import Outcome
from actions.statistics import GOAL, Row, months_until, statistics
from web.access.tokens import Scope
from web.api.answers import GoalOut, StatisticOut, StatisticsOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.shapes import StatisticsQuery


async def list_statistics(office: Office, asked: Asked, query: StatisticsQuery) -> Reply[StatisticsOut]:
    """A token for one room sees the actions of that room."""
    rows = await statistics(office.store, months_until(query.month, query.months), asked.holder.room_id)
    goal = GoalOut(direct_share=GOAL[Outcome.DIRECT], indirect_share=GOAL[Outcome.INDIRECT])
    return Reply(StatisticsOut(goal=goal, items=[_out(row) for row in rows]))


def _out(row: Row) -> StatisticOut:
    names = {"month": row.month, "kind": row.kind, "region": row.region}
    figures = row.figures
    worked_out = {
        "direct_share": figures.direct_share,
        "indirect_share": figures.indirect_share,
        "first_alert": figures.first_alert_s,
        "first_call": figures.first_call_s,
    }
    return StatisticOut.model_validate({**vars(figures), **worked_out, **names}, extra="ignore")


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        "GET",
        "/statistics",
        Scope.STATISTICS_READ,
        "What actions come to, by month, kind and region",
        list_statistics,
    ),
)
