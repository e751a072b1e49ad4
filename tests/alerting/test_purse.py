"""What is sent is counted where it is written, and a budget that is used up leaves the urgent alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from actions.models import Kind, MessageKind, now
from actions.store import Store
from alerting.bounds import ALL, Bounds, Tariffs, carried_by
from alerting.purse import WHATEVER_IT_COSTS, Purse, Spent, day_of, spent_on
from alerting.renditions import Notice

GOLF = Notice(MessageKind.ALERT, "427", "nl", "de blauwe Golf", "Gezien op de Coolsingel.")
LONG = Notice(MessageKind.ALERT, "427", "en", "the blue Golf", "Seen.")
PRICES: Tariffs = {("sms", "twilio"): Bounds(price=80_000), ("sms", "spryng"): Bounds(price=50_000)}


def parts(notice: Notice) -> int:
    return 3 if notice is LONG else 1


def bounded(**budgets: int) -> Tariffs:
    names = {"all": ALL, "twilio": "twilio", "spryng": "spryng"}
    return dict(PRICES) | {
        ("sms", names[name]): Bounds(price=PRICES.get(("sms", names[name]), Bounds()).price, budget=budget)
        for name, budget in budgets.items()
    }


async def bought(store: Store, tariffs: Tariffs, provider: str, *notices: Notice) -> Purse:
    purse = Purse(store, "sms", tariffs, parts)
    async with store.writing() as session:
        await purse.pay(session, provider, notices, now())
    return purse


async def kinds(store: Store, purse: Purse) -> tuple[Kind, ...] | None:
    async with store.writing() as session:
        return await purse.may_leave(session, now())


async def test_messages_and_their_parts_add_up_by_provider_and_day(store: Store) -> None:
    await bought(store, PRICES, "twilio", GOLF, LONG, GOLF)
    await bought(store, PRICES, "twilio", LONG)
    await bought(store, PRICES, "spryng", GOLF)
    assert await spent_on(store, day_of(now()), PRICES) == [
        Spent("sms", "spryng", 1, 1, 50_000),
        Spent("sms", "twilio", 4, 8, 640_000),
    ]
    assert await spent_on(store, "2001-01-01", PRICES) == []


async def test_many_at_once_are_all_counted(store: Store) -> None:
    await asyncio.gather(*(bought(store, PRICES, "twilio", GOLF) for _ in range(12)))
    assert [line.sent for line in await spent_on(store, day_of(now()), PRICES)] == [12]


async def test_what_goes_by_another_provider_is_paid_there(store: Store) -> None:
    purse = await bought(store, PRICES, "twilio", GOLF, LONG)
    async with store.writing() as session:
        await purse.pay_another(session, [("twilio", "spryng", LONG)], now())
    assert await spent_on(store, day_of(now()), PRICES) == [
        Spent("sms", "spryng", 1, 3, 150_000),
        Spent("sms", "twilio", 1, 1, 80_000),
    ]


@pytest.mark.parametrize(
    ("budgets", "spent_by", "leaves"),
    [
        ({}, "twilio", None),
        ({"all": 240_001}, "twilio", None),
        ({"all": 240_000}, "twilio", WHATEVER_IT_COSTS),
        ({"twilio": 240_000}, "twilio", None),
        ({"twilio": 240_000, "spryng": 0}, "twilio", None),
        ({"twilio": 240_000, "spryng": 1}, "twilio", None),
    ],
)
async def test_a_used_up_budget_leaves_the_urgent_alone_and_another_provider_carries_on(
    store: Store, budgets: dict[str, int], spent_by: str, leaves: tuple[Kind, ...] | None
) -> None:
    purse = await bought(store, bounded(**budgets), spent_by, LONG)
    assert await kinds(store, purse) == leaves
    assert purse.used_up("twilio") is (budgets.get("twilio") == 240_000)
    assert not purse.used_up("spryng")


async def test_when_every_provider_is_used_up_the_channel_is(store: Store) -> None:
    tariffs = bounded(twilio=1, spryng=1)
    await bought(store, tariffs, "spryng", GOLF)
    purse = await bought(store, tariffs, "twilio", GOLF)
    assert await kinds(store, purse) == WHATEVER_IT_COSTS


async def test_a_provider_without_an_account_is_no_help_when_the_only_one_is_used_up(store: Store) -> None:
    purse = await bought(store, carried_by(bounded(twilio=1), "sms", ["twilio"]), "twilio", GOLF)
    assert await kinds(store, purse) == WHATEVER_IT_COSTS


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 7, 1, 21, 59, tzinfo=UTC), "2026-07-01"),
        (datetime(2026, 7, 1, 22, 0, tzinfo=UTC), "2026-07-02"),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), "2026-10-25"),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), "2026-10-26"),
    ],
)
def test_a_budget_begins_anew_at_midnight_of_the_netherlands(moment: datetime, day: str) -> None:
    assert day_of(moment) == day


async def test_a_budget_has_its_line_before_anything_is_spent(store: Store) -> None:
    (line,) = await spent_on(store, day_of(now()), bounded(all=5))
    assert line == Spent("sms", ALL, 0, 0, 0, 5)
    assert line.share == 0
