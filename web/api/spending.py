"""What our messages cost: by channel and provider, for one day."""

from __future__ import annotations

from collections.abc import Sequence

from actions.models import now
from alerting.bounds import EURO
from alerting.purse import Spent, day_of, spent_on
from web.access.tokens import Scope
from web.api.answers import SpendingOut, SpentOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.shapes import SpendingQuery


async def show_spending(office: Office, asked: Asked, query: SpendingQuery) -> Reply[SpendingOut]:
    """The budgets are those of today's settings, also for an earlier day."""
    day = query.day.isoformat() if query.day else day_of(now())
    lines = await spent_on(office.store, day, office.tariffs)
    return Reply(SpendingOut.model_validate({"day": day, "items": [_out(line) for line in lines]}))


def _out(line: Spent) -> SpentOut:
    return SpentOut(
        channel=line.channel,
        provider=line.provider,
        sent=line.sent,
        parts=line.parts,
        euros=line.micro_euros / EURO,
        budget_euros=line.budget / EURO if line.budget else None,
        used=line.share,
    )


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("GET", "/spending", Scope.SPENDING_READ, "What messages cost on one day, by provider", show_spending),
)
