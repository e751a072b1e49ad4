"""What messages cost, over the API and on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.models import Spending, now
from alerting.bounds import EURO
from alerting.purse import day_of
from burgernet.base import Base
from burgernet.seen import by_spending
from burgernet.settings import Settings
from tests.web.asking import Asking
from tests.web.program import burgernet


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """Commands and the web role are processes apart."""
    return postgres_url


async def spend(base: Base, euros: float, day: str = "") -> None:
    async with base.store.writing() as session:
        row = Spending(provider="twilio", channel="sms", day=day or day_of(now()), sent=2, parts=5)
        row.micro_euros = round(euros * EURO)
        session.add(row)


async def test_a_day_is_told_by_channel_and_provider(everywhere: Asking, base: Base) -> None:
    await spend(base, 0.4)
    await spend(base, 8, "2026-01-31")
    told = (await everywhere.get("/v1/spending")).body
    assert (told["day"], told["items"]) == (
        day_of(now()),
        [
            {
                "channel": "sms",
                "provider": "twilio",
                "sent": 2,
                "parts": 5,
                "euros": 0.4,
                "budgetEuros": None,
                "used": None,
            }
        ],
    )
    assert [line["euros"] for line in (await everywhere.get("/v1/spending?day=2026-01-31")).body["items"]] == [8]
    assert (await everywhere.get("/v1/spending?day=2026-02-31")).status == 400


async def test_a_budget_that_runs_out_is_seen_by_the_alarms_and_shown_on_the_command_line(
    base: Base, settings: Settings, tmp_path: Path
) -> None:
    await spend(base, 9)
    assert await by_spending(base)() == {}
    bounded = settings.model_copy(update={"sms_budget": 10.0, "sms_twilio_budget": 9.0})
    object.__setattr__(base, "settings", bounded)
    assert await by_spending(base)() == {("budget_used", "all sms"): 0.9, ("budget_used", "sms by twilio"): 1.0}
    status, told, _ = await burgernet(settings, tmp_path, "spending")
    assert status == 0
    (line,) = [line for line in told.splitlines() if "sms by twilio" in line]
    assert "9.00" in line
    assert "none" in line
    status, told, _ = await burgernet(settings, tmp_path, "spending", "--day", "2020-01-01")
    assert "nothing was sent" in told
