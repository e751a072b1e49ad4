"""The book of calls: what is written while the database is there, and while it is away."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from actions import call_facts
from actions.books import Actor
from actions.call_book import CALLER, FACT_BOUND_S, SOUND, CallBook
from actions.desk import Desk, NewAction
from actions.matching import Match, OpenAction
from actions.models import Call, ContactPoint, Delivery, DeliveryState, Message, Recording, Tip
from actions.numbers import read_number
from actions.register import Register
from actions.store import Away, Store
from actions.vault import Sealed, Vault, Vaults
from burgernet.embedded import free_port
from tests.store.disk import names, others_may, read, there
from tests.store.people import JAN, PIET, entry
from tests.store.rows import all_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WAV = b"RIFF" + b"what the caller saw" * 100
ACTION = OpenAction(
    id=7,
    code="427",
    kind="look_out",
    room_id="rotterdam",
    region_id="rotterdam",
    started_by=None,
    started_at=NOON,
    titles={},
    bodies={},
    x=0,
    y=0,
)
MATCH = Match(ACTION, "code", 1.0, ("the caller keyed the code",))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database of a busy machine answers late."""
    monkeypatch.setattr(call_facts, "FACT_BOUND_S", 5.0)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "var" / "calls.spool"


@pytest.fixture
def book(store: Store, vaults: Vaults, spool: Path) -> CallBook:
    return CallBook(store, vaults, spool)


@pytest.fixture
async def away(vaults: Vaults, spool: Path) -> AsyncIterator[CallBook]:
    """A book with the same spool, whose database nobody answers for."""
    store = Store.open(f"postgresql+asyncpg://burgernet@127.0.0.1:{free_port()}/burgernet")
    yield CallBook(store, vaults, spool)
    await store.close()


@asynccontextmanager
async def stuck(store: Store) -> AsyncIterator[None]:
    """While it lasts the database is up and takes no call."""
    async with store.writing() as session:
        lock = "LOCK TABLE police.call IN ACCESS EXCLUSIVE MODE" if store.dialect == "postgresql" else "SELECT 1"
        await session.exec(text(lock))  # type: ignore[call-overload]
        with patch.object(call_facts, "FACT_BOUND_S", FACT_BOUND_S):
            yield


async def whole_call(book: CallBook, call_id: str = "1.1") -> None:
    await book.arrived(call_id, read_number(JAN), "08000011", NOON)
    await book.answered(call_id)
    await book.matched(call_id, MATCH, "en")
    await book.waiting(call_id, "rotterdam")
    await book.connected(call_id, "den-haag", "den-haag-1")
    await book.ended(call_id, "operator hung up")


def facts_of(call: Call) -> dict[str, Any]:
    """A call as it reads, without what differs from writing to writing."""
    columns = call.model_dump(exclude={"sealed", "digest", "id"})
    return {name: bool(value) if name.endswith("_at") else value for name, value in columns.items()}


async def test_every_stage_of_a_call_is_written(book: CallBook, store: Store, vaults: Vaults, spool: Path) -> None:
    await whole_call(book)
    (call,) = await all_of(store, Call)
    assert (call.id, call.direction, call.dialled, call.caller_kind) == ("1.1", "in", "08000011", "mobile")
    assert (call.action_id, call.match_how, call.match_confidence) == (7, "code", 1.0)
    assert (call.match_reasons, call.language) == (["the caller keyed the code"], "en")
    assert (call.room_id, call.operator_id, call.ended_how) == ("den-haag", "den-haag-1", "operator hung up")
    assert call.arrived_at == NOON
    stages = [call.answered_at, call.matched_at, call.waiting_at, call.connected_at, call.ended_at]
    assert stages == sorted(moment for moment in stages if moment)
    assert not there(spool)


async def test_the_number_of_a_caller_is_sealed_and_can_be_found(book: CallBook, store: Store, vaults: Vaults) -> None:
    await book.arrived("1.1", read_number(JAN), "08000011", NOON)
    (call,) = await all_of(store, Call)
    assert call.sealed is not None
    assert call.key_version is not None
    assert vaults.police.open(Sealed(call.sealed, call.key_version), CALLER) == JAN.encode()
    assert call.digest == vaults.police.digest(JAN, CALLER)


async def test_of_a_caller_without_a_number_nothing_is_kept_but_the_kind(book: CallBook, store: Store) -> None:
    for call_id, raw in enumerate((None, "112", "0" * 40)):
        await book.arrived(str(call_id), read_number(raw), "x" * 999, NOON)
    calls = await all_of(store, Call)
    assert [call.caller_kind for call in calls] == ["withheld", "service", "malformed"]
    assert {(call.sealed, call.digest, call.key_version) for call in calls} == {(None, None, None)}
    assert {call.dialled for call in calls} == {"x" * 20}


async def test_a_call_whose_arrival_was_never_written_is_kept_all_the_same(book: CallBook, store: Store) -> None:
    await book.ended("1.1", "how it ended, in far too many words")
    (call,) = await all_of(store, Call)
    assert call.ended_how == "how it ended, in far too many "


async def test_a_tip_is_sealed_and_kept_once(book: CallBook, store: Store, vaults: Vaults) -> None:
    for _ in range(2):
        await book.keep_tip("1.1", 7, "rotterdam", WAV, 12.5)
    (recording,) = await all_of(store, Recording)
    (tip,) = await all_of(store, Tip)
    assert vaults.police.open(Sealed(recording.sealed, recording.key_version), SOUND) == WAV
    assert (recording.call_id, recording.seconds) == ("1.1", 12.5)
    assert (tip.action_id, tip.room_id, tip.call_id, tip.source) == (7, "rotterdam", "1.1", "call")
    assert tip.recording_id == recording.id


async def test_facts_while_the_database_is_away_are_written_later_once(
    book: CallBook, away: CallBook, store: Store, spool: Path
) -> None:
    await whole_call(book, "direct")
    await whole_call(away, "late")
    await away.keep_tip("late", 7, "rotterdam", WAV, 12.5)
    assert len(await all_of(store, Call)) == 1
    assert await book.replay() == 7
    late, direct = sorted(await all_of(store, Call), key=lambda call: call.id == "direct")
    assert facts_of(late) == facts_of(direct)
    assert late.arrived_at == NOON
    assert len(await all_of(store, Tip)) == len(await all_of(store, Recording)) == 1
    assert not there(spool)
    assert await book.replay() == 0


async def test_a_caller_is_never_kept_waiting_by_a_stuck_database(book: CallBook, store: Store) -> None:
    async with stuck(store):
        begun = asyncio.get_running_loop().time()
        await whole_call(book)
        assert asyncio.get_running_loop().time() - begun < FACT_BOUND_S + 1
    assert await book.replay() == 6
    (call,) = await all_of(store, Call)
    assert (call.room_id, call.ended_how) == ("den-haag", "operator hung up")


async def test_after_a_stuck_database_everything_is_written_directly_again(
    book: CallBook, store: Store, spool: Path
) -> None:
    async with stuck(store):
        await book.answered("1.1")
    await book.replay()
    await book.ended("1.1", "caller hung up")
    assert not there(spool)
    assert [call.ended_how for call in await all_of(store, Call)] == ["caller hung up"]


async def test_a_late_fact_does_not_overwrite_a_newer_one(book: CallBook, away: CallBook, store: Store) -> None:
    await away.waiting("1.1", "rotterdam")
    await away.written()
    await book.connected("1.1", "den-haag", "den-haag-1")
    await book.replay()
    assert [(call.room_id, call.operator_id) for call in await all_of(store, Call)] == [("den-haag", "den-haag-1")]


async def test_nobody_can_read_in_the_spool_who_called_or_what_was_said(away: CallBook, spool: Path) -> None:
    await whole_call(away)
    await away.keep_tip("1.1", 7, "rotterdam", WAV, 12.5)
    kept = read(spool)
    unpacked = kept + b"".join(base64.b64decode(line.split(b":")[1]) for line in kept.split())
    for plain in (JAN[3:].encode(), b"what the caller saw", b"arrived_at", b"rotterdam"):
        assert plain not in unpacked
        assert base64.b64encode(plain)[:-4] not in unpacked
    assert others_may(spool) == 0


async def test_a_replay_that_breaks_off_begins_again_and_changes_nothing_twice(
    book: CallBook, away: CallBook, store: Store, spool: Path
) -> None:
    await whole_call(away, "1.1")
    with pytest.raises(Away):
        await away.replay()
    await whole_call(away, "1.2")
    assert there(spool.with_suffix(".replaying"))
    assert await book.replay() == 12
    assert [call.ended_how for call in await all_of(store, Call)] == ["operator hung up"] * 2
    assert names(spool.parent) == []


async def test_a_spool_on_a_full_disk_loses_the_fact_and_says_so_but_the_call_goes_on(
    vaults: Vaults, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store.open(f"postgresql+asyncpg://burgernet@127.0.0.1:{free_port()}/burgernet")
    with caplog.at_level(logging.ERROR):
        await CallBook(store, vaults, Path("/dev/full")).arrived("1.1", read_number(JAN), "08000011", NOON)
    await store.close()
    assert "call 1.1: a fact is lost" in caplog.text
    assert JAN not in caplog.text


async def test_while_facts_go_to_the_spool_no_number_goes_to_the_log(
    away: CallBook, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await whole_call(away)
    assert "a fact goes to the spool" in caplog.text
    assert JAN[3:] not in caplog.text


async def test_the_spool_is_emptied_by_itself_once_the_database_is_back(
    book: CallBook, away: CallBook, store: Store, spool: Path
) -> None:
    await whole_call(away)
    running = asyncio.create_task(book.run())
    async with asyncio.timeout(10):
        while names(spool.parent):  # noqa: ASYNC110 - there is nothing that tells
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.wait([running])
    assert [call.ended_how for call in await all_of(store, Call)] == ["operator hung up"]


# --- many at once ---------------------------------------------------------------------------------------------------


class Watched(Store):
    """A store that counts the transactions of writers."""

    transactions = 0

    @asynccontextmanager
    async def writing(self, lock_s: float = 10) -> AsyncIterator[AsyncSession]:
        self.transactions += 1
        async with super().writing(lock_s) as session:
            yield session


@pytest.fixture
async def watched(database_url: str) -> AsyncIterator[Watched]:
    opened = Watched.open(database_url)
    assert isinstance(opened, Watched)
    yield opened
    await opened.close()


async def test_many_calls_at_once_share_few_transactions(watched: Watched, vaults: Vaults, spool: Path) -> None:
    book = CallBook(watched, vaults, spool)
    await asyncio.gather(*(whole_call(book, f"1.{number}") for number in range(40)))
    await book.replay()
    calls = await all_of(watched, Call)
    assert {call.id for call in calls} == {f"1.{number}" for number in range(40)}
    assert {(call.room_id, call.ended_how) for call in calls} == {("den-haag", "operator hung up")}
    assert watched.transactions < 20


async def test_a_call_goes_on_before_its_match_is_written_and_loses_nothing_at_the_end(
    book: CallBook, store: Store
) -> None:
    async with stuck(store):
        begun = asyncio.get_running_loop().time()
        await book.matched("1.1", MATCH, "en")
        await book.waiting("1.1", "rotterdam")
        assert asyncio.get_running_loop().time() - begun < FACT_BOUND_S / 2
        await book.written()
    await book.replay()
    assert [(call.action_id, call.room_id) for call in await all_of(store, Call)] == [(7, "rotterdam")]


async def test_a_fact_that_the_database_refuses_takes_no_other_with_it(
    watched: Watched, vaults: Vaults, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    book = CallBook(watched, vaults, spool)
    too_early = {"arrived_at": "2026-05-01T12:00:00"}  # without a time zone
    await asyncio.gather(
        book.ended("1.1", "caller hung up"), book._write("1.2", **too_early), book.ended("1.3", "operator hung up")
    )
    await book.replay()
    assert {call.id for call in await all_of(watched, Call)} == {"1.1", "1.3"}
    assert "call 1.2: the database refuses a fact" in caplog.text
    assert names(spool.parent) == ["calls.unreadable"]


async def test_a_refused_fact_in_the_spool_holds_up_no_other(book: CallBook, store: Store, spool: Path) -> None:
    async with stuck(store):
        await asyncio.gather(book._write("1.1", arrived_at="2026-05-01T12:00:00"), book.ended("1.2", "no action"))
    await book.replay()
    assert [call.id for call in await all_of(store, Call)] == ["1.2"]
    assert names(spool.parent) == ["calls.unreadable"]


async def test_a_caller_who_is_gone_before_the_fact_is_written_is_in_the_book(book: CallBook, store: Store) -> None:
    arriving = asyncio.create_task(book.arrived("1.1", read_number(JAN), "08000011", NOON))
    await asyncio.sleep(0)
    arriving.cancel()
    await asyncio.wait([arriving])
    await book.written()
    await book.replay()
    assert [call.id for call in await all_of(store, Call)] == ["1.1"]


# --- by number --------------------------------------------------------------------------------------------------------

CIRCLE = {"type": "circle", "lat": 51.9225, "lon": 4.47917, "radius": 2000}
TEXTS = {"nl": ("de blauwe Golf", "Kijk uit naar een blauwe Golf.")}


class Town:
    """Open actions and who was told of them."""

    def __init__(self, store: Store, vaults: Vaults, actor: Actor) -> None:
        self.store, self.actor = store, actor
        self.desk, self.register = Desk(store), Register(store, vaults.register)

    async def action(self) -> OpenAction:
        return await self.desk.start_action(NewAction("look_out", "rotterdam", CIRCLE, TEXTS), self.actor)

    async def told(self, action: OpenAction, e164: str, state: str, distance: int = 300, channel: str = "sms") -> None:
        """A delivery of the action's alert to this number."""
        await self.register.add([entry(e164)], self.actor)
        contacts = await all_of(self.store, ContactPoint)
        found = await self.register.numbers_of([contact.id for contact in contacts if contact.id])
        (contact_id,) = [key for key, number in found.items() if number == e164]
        (message,) = await all_of(self.store, Message, action_id=action.id, kind="alert")
        assert message.id is not None
        async with self.store.writing() as session:
            session.add(
                Delivery(
                    message_id=message.id,
                    contact_point_id=contact_id,
                    channel=channel,
                    language="nl",
                    distance=distance,
                    state=state,
                )
            )


@pytest.fixture
def town(country: Store, vaults: Vaults, actor: Actor) -> Town:
    return Town(country, vaults, actor)


async def test_a_number_is_matched_to_the_open_actions_that_tried_to_reach_it(town: Town, book: CallBook) -> None:
    first, second, third = [await town.action() for _ in range(3)]
    await town.told(first, JAN, DeliveryState.SENDING, 4200)
    await town.told(second, JAN, DeliveryState.DELIVERED, 300)
    await town.told(second, PIET, DeliveryState.DELIVERED)
    await town.told(third, PIET, DeliveryState.SENT)
    assert {known.action.id: known.distance for known in await book.alerted_in(JAN)} == {first.id: 4200, second.id: 300}
    assert [known.action for known in await book.alerted_in(JAN) if known.distance == 300] == [second]
    assert await book.alerted_in("+31600000000") == []


async def test_only_a_number_to_which_an_attempt_began_counts_as_alerted(town: Town, book: CallBook) -> None:
    by_state = {state: await town.action() for state in DeliveryState}
    for state, action in by_state.items():
        await town.told(action, JAN, state)
    alerted = {known.action.id for known in await book.alerted_in(JAN)}
    assert {state for state, action in by_state.items() if action.id not in alerted} == {"pending", "cancelled"}


async def test_alerted_by_two_channels_the_nearest_place_counts(town: Town, book: CallBook) -> None:
    action = await town.action()
    await town.told(action, JAN, DeliveryState.SENT, 900)
    await town.told(action, JAN, DeliveryState.SENT, 100, channel="voice")
    assert [known.distance for known in await book.alerted_in(JAN)] == [100]


async def test_an_action_that_is_over_is_not_matched(town: Town, book: CallBook, actor: Actor) -> None:
    action = await town.action()
    await town.told(action, JAN, DeliveryState.DELIVERED)
    await town.desk.end_action(action.code, "none", TEXTS, actor)
    assert await book.alerted_in(JAN) == []


async def test_a_number_is_matched_in_mid_rotation_too(town: Town, country: Store, vaults: Vaults, spool: Path) -> None:
    old, new = b"1" * 32, b"2" * 32
    before = Vaults(Vault({1: old}), vaults.police)
    during = Vaults(Vault({1: old, 2: new}), vaults.police)
    action = await town.action()
    await Town(country, before, town.actor).told(action, JAN, DeliveryState.SENT)
    assert [known.action.id for known in await CallBook(country, during, spool).alerted_in(JAN)] == [action.id]


async def test_callers_of_one_moment_are_told_apart(town: Town, book: CallBook) -> None:
    first, second = await town.action(), await town.action()
    await town.told(first, JAN, DeliveryState.SENT, 100)
    await town.told(second, PIET, DeliveryState.SENT, 200)
    numbers = (JAN, PIET, "+31600000000", JAN)
    found = await asyncio.gather(*(book.alerted_in(number) for number in numbers))
    assert [[(known.action.id, known.distance) for known in of_one] for of_one in found] == [
        [(first.id, 100)],
        [(second.id, 200)],
        [],
        [(first.id, 100)],
    ]


async def test_each_caller_has_a_grace_of_its_own(town: Town, book: CallBook, actor: Actor) -> None:
    action = await town.action()
    await town.told(action, JAN, DeliveryState.DELIVERED)
    await town.desk.end_action(action.code, "none", TEXTS, actor)
    graces = (timedelta(0), timedelta(hours=1))
    found = await asyncio.gather(*(book.alerted_in(JAN, grace) for grace in graces))
    assert [[known.over for known in of_one] for of_one in found] == [[], [True]]


async def test_when_the_database_is_away_the_match_says_so_and_does_not_pretend(away: CallBook) -> None:
    with pytest.raises(Away):
        await away.alerted_in(JAN)


async def test_times_of_facts_are_of_the_moment_they_happened_not_of_the_replay(
    book: CallBook, away: CallBook, store: Store
) -> None:
    await away.arrived("1.1", read_number(None), "08000011", NOON - timedelta(days=1))
    await book.replay()
    assert [call.arrived_at for call in await all_of(store, Call)] == [NOON - timedelta(days=1)]


async def test_how_well_a_call_was_heard_is_kept_with_its_end(book: CallBook, store: Store) -> None:
    heard = {"caller": {"jitter_ms": 3.0, "loss": 0.02, "round_trip_ms": None}}
    await book.ended("1.1", "caller hung up", heard)
    await book.ended("1.2", "caller hung up", {})
    assert {call.id: call.quality for call in await all_of(store, Call)} == {"1.1": heard, "1.2": None}
