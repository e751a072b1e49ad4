"""Calls whose Asterisk failed with nobody left to lead them: ended once, and who waited is called back once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from actions.call_backs import NODE_LOST, CallBacks
from actions.call_book import CallBook
from actions.lost_calls import LostCalls
from actions.models import Call, CallBack, now
from actions.store import Store
from actions.vault import Vaults
from burgernet.base import Base
from burgernet.lost_calls import _end_lost
from telephony.controller import Controller
from tests.store.rows import all_of
from watch.lost_callers import LostCallers

DEAD, ALIVE = "burgernet-dead", "burgernet-alive"


async def came(store: Store, call_id: str, number: bytes = b"", **more: Any) -> None:
    """A call that waits in line, of a number or without."""
    who = {"sealed": number, "digest": number, "key_version": 1} if number else {}
    waits: dict[str, Any] = {"action_id": 1, "arrived_at": now() - timedelta(minutes=2), "waiting_at": now()}
    async with store.writing() as session:
        session.add(Call(id=call_id, dialled="08000011", caller_kind="mobile", **{**waits, **who, **more}))


def with_lost_calls(store: Store, vaults: Vaults, folder: Path) -> SimpleNamespace:
    return SimpleNamespace(
        store=store,
        book=CallBook(store, vaults, folder / "spool"),
        call_backs=CallBacks(store, vaults.police),
        lost_callers=LostCallers(CollectorRegistry()),
    )


async def ends_lost(base: SimpleNamespace, asterisk_since: datetime, lost_at: datetime | None = None) -> None:
    """The controller looks twice, in an Asterisk that started then, after it lost the one before."""
    ari = SimpleNamespace(app=DEAD, lost_at=lost_at)
    controller = SimpleNamespace(ari=ari, asterisk_since=asterisk_since, held=frozenset())
    for _ in range(2):
        await _end_lost(cast(Base, base), cast(Controller, controller))


async def found(store: Store, before: datetime | None = None, held: tuple[str, ...] = ()) -> list[str]:
    return sorted(await LostCalls(store).find([DEAD], before or now(), held))


async def test_only_the_open_calls_of_the_dead_are_lost(store: Store) -> None:
    await came(store, f"{DEAD}-1")
    await came(store, f"{DEAD}-held")
    await came(store, f"{DEAD}-over", ended_at=now())
    await came(store, f"{DEAD}-old", arrived_at=now() - timedelta(days=2))
    await came(store, f"{DEAD}2-1")
    await came(store, f"{ALIVE}-1")
    assert await found(store, held=(f"{DEAD}-held",)) == [f"{DEAD}-1"]
    assert await found(store, now() - timedelta(minutes=3)) == []


async def test_they_end_once_and_those_who_waited_without_a_number_are_counted_once(store: Store) -> None:
    await came(store, f"{DEAD}-known", b"a number")
    await came(store, f"{DEAD}-withheld")
    await came(store, f"{DEAD}-talks", connected_at=now())
    await came(store, f"{DEAD}-menu", waiting_at=None)
    lost = await found(store)
    both = await asyncio.gather(*(LostCalls(store).end(lost, "failed") for _ in range(2)))
    assert [sum(counts) for counts in zip(*both, strict=True)] == [4, 1]
    assert {call.ended_how for call in await all_of(store, Call)} == {"failed"}


async def test_two_survivors_at_once_keep_one_call_back_for_each_who_waited(store: Store, vaults: Vaults) -> None:
    await came(store, f"{DEAD}-waits", b"a number")
    await came(store, f"{DEAD}-talks", b"another", connected_at=now())
    lost = await found(store)
    survivors = [CallBacks(store, vaults.police) for _ in range(2)]
    await asyncio.gather(*(survivor.keep_for(lost, NODE_LOST) for survivor in survivors))
    assert [(row.id, row.reason) for row in await all_of(store, CallBack)] == [(f"{DEAD}-waits", NODE_LOST)]


@pytest.mark.parametrize("told", [("arrived_at",), ("arrived_at", "ended_at")])
async def test_who_called_again_is_not_called_back(store: Store, vaults: Vaults, told: tuple[str, ...]) -> None:
    await came(store, f"{DEAD}-1", b"a number")
    await came(store, f"{ALIVE}-2", b"a number", **dict.fromkeys(told, now()))
    assert await CallBacks(store, vaults.police).keep_for([f"{DEAD}-1"], NODE_LOST) == 0


async def test_a_call_back_under_way_keeps_the_row_it_has(store: Store, vaults: Vaults) -> None:
    await came(store, f"{DEAD}-1", b"a number", callback_of=f"{DEAD}-0", direction="out")
    assert await CallBacks(store, vaults.police).keep_for([f"{DEAD}-1"], NODE_LOST) == 0


async def test_after_a_start_of_both_the_controller_keeps_call_backs_for_who_waited_in_the_earlier_asterisk(
    store: Store, vaults: Vaults, tmp_path: Path
) -> None:
    await came(store, f"{DEAD}-before", b"a number")
    await came(store, f"{DEAD}-withheld")
    await came(store, f"{DEAD}-since", b"another", arrived_at=now())
    base = with_lost_calls(store, vaults, tmp_path)
    await ends_lost(base, asterisk_since=now() - timedelta(minutes=1))
    assert [row.id for row in await all_of(store, CallBack)] == [f"{DEAD}-before"]
    ends = {call.id: call.ended_how for call in await all_of(store, Call)}
    failed = "the telephone exchange failed"
    assert ends == {f"{DEAD}-before": failed, f"{DEAD}-withheld": failed, f"{DEAD}-since": None}
    assert base.lost_callers.lately() == 1


async def test_whoever_asterisk_hung_up_at_its_end_is_called_back_and_nobody_who_hung_up_before(
    store: Store, vaults: Vaults, tmp_path: Path
) -> None:
    lost_at = now() - timedelta(seconds=20)

    async def hung_up(call_id: str, seconds: float, how: str = "caller hung up: waiting", **more: Any) -> None:
        more = {"number": call_id.encode(), **more}
        await came(store, f"{DEAD}-{call_id}", ended_at=lost_at - timedelta(seconds=seconds), ended_how=how, **more)

    await hung_up("then", 1)
    await hung_up("withheld", 1, number=b"")
    await hung_up("before", 30)
    await hung_up("long ago", 1, arrived_at=now() - timedelta(days=2))
    await hung_up("talked", 1, "caller hung up: talking", connected_at=lost_at)
    await hung_up("tip", 1, "caller hung up: tip")
    base = with_lost_calls(store, vaults, tmp_path)
    await ends_lost(base, asterisk_since=lost_at + timedelta(seconds=3), lost_at=lost_at)
    assert [row.id for row in await all_of(store, CallBack)] == [f"{DEAD}-then"]
    failed = {call.id for call in await all_of(store, Call) if call.ended_how == "the telephone exchange failed"}
    assert failed == {f"{DEAD}-then", f"{DEAD}-withheld"}
    assert base.lost_callers.lately() == 1
