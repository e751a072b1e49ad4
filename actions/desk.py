"""The action desk: starting, updating and ending an action, and who is on duty in which room."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.areas import placed
from actions.books import Actor, record, tell
from actions.duty import Duty, Room, as_duty, as_room
from actions.geography import Area, BadArea
from actions.growing import put_on
from actions.lifecycle import fault_in_step, fault_in_update
from actions.matching import OpenAction, Postcodes
from actions.models import (
    Action,
    AreaCode,
    ControlRoom,
    Kind,
    Message,
    MessageKind,
    MessageSound,
    MessageText,
    Operator,
    PostcodeRange,
    Region,
    Status,
    now,
)
from actions.options import Options
from actions.pictures import illustrate
from actions.search import Search
from actions.sounds import NOTHING_RECORDED, Sounds, faults_in_sounds
from actions.store import Store
from actions.texts import Texts as Texts
from actions.texts import faults_in_texts

# How long a message of each kind is worth sending.
LIFETIME = {
    Kind.AMBER: timedelta(hours=24),
    Kind.MISSING_CHILD: timedelta(hours=12),
    Kind.LOOK_OUT: timedelta(hours=4),
    Kind.INVESTIGATION: timedelta(days=7),
    Kind.INFORMATION: timedelta(days=1),
}
RESULT_LIFETIME = timedelta(hours=24)
SHORTEST_OPEN, LONGEST_OPEN = timedelta(minutes=1), timedelta(days=14)
CODE_TRIES = 50
HELP_NUMBERS = {"112", "113", "116", "144"}
NO_FREE_CODE = "no free code was found: end an action that is over, then try again"


class Refused(Exception):
    """A request that cannot be granted. `faults`: every reason, in words that tell what to do. Nothing was changed."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


class OutOfStep(Refused):
    """The action is at another step of its life than this asks for."""


@dataclass(frozen=True)
class NewAction:
    kind: str
    region_id: str
    area: object
    texts: Texts
    started_by: str | None = None
    room_id: str | None = None  # the room that serves the region, unless said otherwise
    sounds: Sounds = field(default_factory=dict)
    exercise: bool = False  # reaches participants of exercises alone
    ends_after: timedelta | None = None  # so long after its start it ends by itself; None: as its kind is set
    picture: bytes | None = None  # as pictures.read_picture gives it
    options: Options = field(default_factory=Options)
    search: Search | None = None  # the area then follows it


class Desk:
    """The transactions on actions and duty. Each checks first, then changes all or nothing, with its audit row.
    `open_for`: how long an action of a kind stays open unless said otherwise."""

    def __init__(self, store: Store, open_for: Mapping[Kind, timedelta] = LIFETIME) -> None:
        self._store, self._open_for = store, open_for

    async def start_action(self, new: NewAction, actor: Actor) -> OpenAction:
        """Opens an action with its alert message and a spoken code unique among the open ones. Raises Refused."""
        new, area = await checked(self._store, new)
        for _ in range(CODE_TRIES):
            try:
                return await self._start(new, area, actor)
            except IntegrityError:
                continue
        raise Refused([NO_FREE_CODE])

    async def update_action(
        self, which: str | int, texts: Texts, actor: Actor, sounds: Sounds = NOTHING_RECORDED
    ) -> None:
        """Sends a changed description to everybody alerted. `which`: the spoken code of the action, or its id. Raises
        Refused."""
        _refuse(faults_in_texts(texts) + faults_in_sounds(sounds, texts))
        async with self._store.writing() as session:
            action = await held(session, which)
            refuse_step(fault_in_update(action.status))
            await _stop_messages(session, action)
            deadline = now() + LIFETIME[Kind(action.kind)]
            message = await _add_message(session, action, MessageKind.UPDATE, texts, sounds, deadline)
            record(session, actor, "update", "action", action.id)
            tell(session, "action.updated", action.id, message=message.id, exercise=action.exercise)

    async def end_action(
        self, which: str | int, outcome: str, texts: Texts, actor: Actor, sounds: Sounds = NOTHING_RECORDED
    ) -> None:
        """Ends an action: nothing pending is sent any more; the result goes to everybody alerted. `which`: its spoken
        code, or its id. Raises Refused."""
        _refuse(faults_in_texts(texts) + faults_in_sounds(sounds, texts))
        async with self._store.writing() as session:
            action = await held(session, which)
            refuse_step(fault_in_step(action.status, Status.ENDED, outcome))
            await close_action(session, action, outcome, texts, actor, sounds)

    async def open_actions(self) -> list[OpenAction]:
        """All open actions, newest first."""
        async with self._store.reading() as session:
            return await open_actions(session, col(Action.status) == Status.OPEN)

    async def list_actions(self, status: str | None = None) -> list[Action]:
        """Actions, newest first; of one status if given."""
        query = select(Action).order_by(col(Action.created_at).desc())
        async with self._store.reading() as session:
            return list(await session.exec(query.where(Action.status == status) if status else query))

    async def sign_on(self, operator_id: str, actor: Actor) -> Duty:
        """Puts an operator on duty in the own room. Raises Refused for a stranger."""
        return await self._change_duty(operator_id, now(), actor, "sign on")

    async def sign_off(self, operator_id: str, actor: Actor) -> Duty:
        """Takes an operator off duty. Raises Refused for a stranger."""
        return await self._change_duty(operator_id, None, actor, "sign off")

    async def operators(self) -> list[Duty]:
        """Every operator, on duty or not."""
        async with self._store.reading() as session:
            return [as_duty(operator) for operator in await session.exec(select(Operator).order_by(Operator.id))]

    async def rooms(self) -> dict[str, Room]:
        """Control rooms by id."""
        async with self._store.reading() as session:
            return {room.id: as_room(room) for room in await session.exec(select(ControlRoom))}

    async def regions(self) -> dict[str, Region]:
        """The ten units by id."""
        async with self._store.reading() as session:
            return {region.id: region for region in await session.exec(select(Region))}

    async def area_codes(self) -> dict[str, tuple[str, ...]]:
        """For each land-line area code the regions it reaches into, its own first."""
        async with self._store.reading() as session:
            return {row.code: (row.region_id, *row.also) for row in await session.exec(select(AreaCode))}

    async def postcodes(self) -> tuple[Postcodes, ...]:
        """The regions of the four-digit postcodes."""
        async with self._store.reading() as session:
            rows = await session.exec(select(PostcodeRange))
            return tuple(Postcodes(row.first, row.last, (row.region_id, *row.also)) for row in rows)

    async def _start(self, new: NewAction, area: Area, actor: Actor) -> OpenAction:
        async with self._store.writing() as session:
            action = await add_action(session, new, area)
            open_for = new.ends_after or self._open_for[Kind(new.kind)]
            started = await set_going(session, action, new.texts, actor, open_for, new.sounds)
            if new.picture:
                await illustrate(session, action, new.picture)
            return started

    async def _change_duty(self, operator_id: str, since: datetime | None, actor: Actor, verb: str) -> Duty:
        async with self._store.writing() as session:
            operator = await session.get(Operator, operator_id)
            if operator is None:
                raise Refused([f"operator {operator_id!r} is not known; `burgernet seed` makes them"])
            operator.signed_on_at, operator.paused_at = since, None
            record(session, actor, verb, "operator", operator_id)
            tell(session, "operator.duty", operator_id, on=since is not None)
            return as_duty(operator)


async def open_actions(session: AsyncSession, condition: Any) -> list[OpenAction]:
    """The open actions under a condition, newest first, with the titles and bodies of their alert."""
    return [as_open(action, texts) for action, texts in await told(session, Action.status == Status.OPEN, condition)]


async def told(session: AsyncSession, *conditions: Any) -> list[tuple[Action, dict[str, tuple[str, str]]]]:
    """The actions under these conditions, open or over, newest first, with the texts of their alert."""
    query = (
        select(Action, MessageText)
        .join(Message, (col(Message.action_id) == Action.id) & (col(Message.kind) == MessageKind.ALERT))
        .join(MessageText, col(MessageText.message_id) == Message.id)
        .where(*conditions)
        .order_by(col(Action.started_at).desc(), col(Action.id).desc())
        # Read every two seconds by each process, and an area may have thousands of points.
        .options(defer(Action.area))  # type: ignore[arg-type]
    )
    texts: dict[int, dict[str, tuple[str, str]]] = {}
    actions: dict[int, Action] = {}
    for action, words in await session.exec(query):
        assert action.id is not None
        actions[action.id] = action
        texts.setdefault(action.id, {})[words.language] = (words.title, words.body)
    return [(action, texts[key]) for key, action in actions.items()]


async def checked(store: Store, new: NewAction) -> tuple[NewAction, Area]:
    """An action in which nothing is wrong, its area as it is kept, and that area. Raises Refused with every fault."""
    faults = faults_in_texts(new.texts) + faults_in_sounds(new.sounds, new.texts)
    if new.kind not in set(Kind):
        faults.append(f"kind {new.kind!r} is not known: use {', '.join(Kind)}")
    faults += faults_in_time(new.ends_after) if new.ends_after is not None else []
    faults += new.options.faults() + (new.search.faults(now()) if new.search else [])
    async with store.reading() as session:
        faults += await _strangers(session, new)
    try:
        new = replace(new, area=await placed(store, new.area))
        # An area of many points takes a while: calls go on meanwhile.
        area = await asyncio.to_thread(Area.parse, new.area)
    except BadArea as bad:
        raise Refused([*faults, *bad.faults]) from None
    _refuse(faults)
    return new, area


async def add_action(session: AsyncSession, new: NewAction, area: Area) -> Action:
    """Adds the row of an action that was checked, as a draft without code."""
    action = as_action(new, area, await session.get_one(Region, new.region_id))
    session.add(action)
    await session.flush()
    return action


def as_action(new: NewAction, area: Area, region: Region) -> Action:
    """The row of an action that was checked, in no database yet."""
    x, y = area.centre
    action = Action(
        code="",
        kind=new.kind,
        status=Status.DRAFT,
        organisation_id=region.organisation_id,
        room_id=new.room_id or region.room_id,
        region_id=region.id,
        started_by=new.started_by,
        area=_as_json(new.area),
        x=x,
        y=y,
        exercise=new.exercise,
    )
    new.options.put_on(action)
    if new.search:
        put_on(action, new.search, now())
    return action


async def set_going(
    session: AsyncSession,
    action: Action,
    texts: Texts,
    actor: Actor,
    open_for: timedelta,
    sounds: Sounds = NOTHING_RECORDED,
) -> OpenAction:
    """Opens a draft, with its alert and a spoken code. Raises OutOfStep; IntegrityError when the code is in use: try
    again in another transaction."""
    refuse_step(fault_in_step(action.status, Status.OPEN))
    action.code, action.status, action.started_at, action.draft_texts = _new_code(), Status.OPEN, now(), None
    action.ends_at = action.started_at + open_for
    deadline = action.started_at + LIFETIME[Kind(action.kind)]
    message = await _add_message(session, action, MessageKind.ALERT, texts, sounds, deadline)
    record(session, actor, "start", "action", action.id)
    tell(session, "action.started", action.id, code=action.code, message=message.id, exercise=action.exercise)
    return as_open(action, texts)


async def close_action(
    session: AsyncSession,
    action: Action,
    outcome: str,
    texts: Texts,
    actor: Actor,
    sounds: Sounds = NOTHING_RECORDED,
) -> None:
    """Ends an action that is held: what is pending stops, and its result waits to be sent."""
    action.status, action.ended_at, action.outcome = Status.ENDED, now(), outcome
    await _stop_messages(session, action)
    deadline = now() + RESULT_LIFETIME
    message = await _add_message(session, action, MessageKind.RESULT, texts, sounds, deadline)
    record(session, actor, "end", "action", action.id)
    tell(session, "action.ended", action.id, outcome=outcome, message=message.id, exercise=action.exercise)


async def held(session: AsyncSession, which: str | int) -> Action:
    """The action with this spoken code (the newest that had it) or id, held until the transaction ends: nobody else
    starts, ends or updates it meanwhile. Raises Refused."""
    query = select(Action).order_by(col(Action.status).desc(), col(Action.created_at).desc()).limit(1).with_for_update()
    # A draft has no code yet.
    this = col(Action.id) == which if isinstance(which, int) else (col(Action.code) == which) & (col(Action.code) != "")
    action = (await session.exec(query.where(this))).first()
    if action is None:
        raise Refused([f"no action has code {which!r}; `burgernet action list` shows them"])
    return action


def refuse_step(fault: str | None) -> None:
    """Raises OutOfStep when there is a fault."""
    if fault:
        raise OutOfStep([fault])


async def _strangers(session: AsyncSession, new: NewAction) -> list[str]:
    faults = []
    if await session.get(Region, new.region_id) is None:
        faults.append(f"region {new.region_id!r} is not known; `burgernet seed` loads the ten units")
    if new.started_by and await session.get(Operator, new.started_by) is None:
        faults.append(f"operator {new.started_by!r} is not known")
    if new.room_id and await session.get(ControlRoom, new.room_id) is None:
        faults.append(f"control room {new.room_id!r} is not known")
    return faults


def faults_in_time(open_for: timedelta) -> list[str]:
    """Why an action cannot stay open for so long; empty when it can."""
    if SHORTEST_OPEN <= open_for <= LONGEST_OPEN:
        return []
    return [f"an action stays open for 1 minute to {LONGEST_OPEN // timedelta(minutes=1)} minutes"]


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise Refused(faults)


def _new_code() -> str:
    """Three digits that are easy to say; 0 and 9 first are keys of the menus. Never a number that means help."""
    while (code := str(100 + secrets.randbelow(800))) in HELP_NUMBERS:
        pass
    return code


async def _stop_messages(session: AsyncSession, action: Action) -> None:
    messages = await session.exec(
        select(Message).where(Message.action_id == action.id, col(Message.stopped_at).is_(None))
    )
    for message in messages:
        message.stopped_at = now()


async def _add_message(
    session: AsyncSession, action: Action, kind: MessageKind, texts: Texts, sounds: Sounds, deadline: datetime
) -> Message:
    assert action.id is not None
    message = Message(action_id=action.id, kind=kind, deadline=deadline)
    session.add(message)
    await session.flush()
    assert message.id is not None
    for language, (title, body) in texts.items():
        session.add(MessageText(message_id=message.id, language=language, title=title, body=body))
    for language, wav in sounds.items():
        session.add(MessageSound(message_id=message.id, language=language, wav=wav))
    return message


def as_open(action: Action, texts: Texts) -> OpenAction:
    """A started action as conversations and the matcher know it."""
    assert action.id is not None
    assert action.started_at is not None
    return OpenAction(
        id=action.id,
        code=action.code,
        kind=action.kind,
        room_id=action.room_id,
        region_id=action.region_id,
        started_by=action.started_by,
        started_at=action.started_at,
        titles={language: title for language, (title, _) in texts.items()},
        bodies={language: body for language, (_, body) in texts.items()},
        x=action.x,
        y=action.y,
        exercise=action.exercise,
    )


def _as_json(area: object) -> dict[str, Any]:
    assert isinstance(area, Mapping)
    return dict(area)
