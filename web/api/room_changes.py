"""What a duty officer changes: rooms, who serves a region, whom an operator serves, which room has an action."""

from __future__ import annotations

from collections.abc import Sequence

from actions.live import DUTY, wake
from actions.rooms import Rooms
from alerting.bell import action_changed
from web.access.tokens import Scope
from web.api.actions import NO_ACTION, visible
from web.api.answers import DutyOut, RoomBrief, RoomOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.problem import Problem
from web.api.rooms import get_room
from web.api.shapes import ActionPath, HandOverBody, OperatorBody, OperatorPath, RegionPath, RoomBody, RoomPath


async def change_room(office: Office, asked: Asked, path: RoomPath, body: RoomBody) -> Reply[RoomOut]:
    asked.must_see(path.id)
    rooms, by = Rooms(office.store), asked.by(body.why)
    if body.overflow is not None:
        await rooms.overflow(path.id, body.overflow, body.overflow_after, by)
    if body.wrap_up is not None:
        await rooms.wrap_up(path.id, body.wrap_up, by)
    if body.open is not None:
        await (rooms.open if body.open else rooms.close)(path.id, by)
    await wake(office.redis, DUTY)
    return await get_room(office, asked, path)


async def take_over(office: Office, asked: Asked, path: RegionPath, body: HandOverBody) -> Reply[RoomOut]:
    asked.must_see(body.room)
    region = (await office.desk.regions()).get(path.id)
    if region is None:
        raise Problem(404, f"there is no region {path.id}")
    asked.must_see(region.room_id)
    await Rooms(office.store).take_over(path.id, body.room, asked.by(body.why))
    await action_changed(office.redis)
    return await get_room(office, asked, RoomPath(id=body.room))


async def change_operator(office: Office, asked: Asked, path: OperatorPath, body: OperatorBody) -> Reply[DutyOut]:
    duties = {duty.operator_id: duty for duty in await office.desk.operators()}
    if path.id not in duties or not asked.holder.sees(duties[path.id].room_id):
        raise Problem(404, f"there is no operator {path.id} in the rooms of this token")
    rooms, by = Rooms(office.store), asked.by(body.why)
    duty = await rooms.change_operator(path.id, body.languages, body.skills, by)
    if body.serves == duty.room_id:
        duty = await rooms.take_back(path.id, by)
    elif body.serves:
        duty = await rooms.lend(path.id, body.serves, by)
    await wake(office.redis, DUTY)
    return Reply(
        DutyOut(
            id=duty.operator_id,
            room=duty.room_id,
            serves=duty.serves,
            languages=list(duty.languages),
            skills=list(duty.skills),
            on_duty_since=duty.since,
        )
    )


async def hand_over(office: Office, asked: Asked, path: ActionPath, body: HandOverBody) -> Reply[RoomBrief]:
    await visible(office, asked, path.id)
    await Rooms(office.store).hand_over(path.id, body.room, asked.by(body.why))
    await action_changed(office.redis)
    room = (await office.desk.rooms())[body.room]
    return Reply(RoomBrief(id=room.id, name=room.name))


NO_ROOM = {404: "There is no such room"}
ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        "POST",
        "/rooms/{id}/changes",
        Scope.ROOMS_WRITE,
        "Close or open a room, set who helps it out and how long a wrap-up lasts",
        change_room,
        refuses=NO_ROOM,
    ),
    Endpoint(
        "POST",
        "/regions/{id}/takeovers",
        Scope.ROOMS_WRITE,
        "Let a room serve a region, with its open actions and their callers",
        take_over,
        refuses={404: "There is no such region"},
    ),
    Endpoint(
        "POST",
        "/operators/{id}/changes",
        Scope.ROOMS_WRITE,
        "Lend an operator to another room, change languages and skills",
        change_operator,
        refuses={404: "There is no such operator in the rooms of this token"},
    ),
    Endpoint(
        "POST",
        "/actions/{id}/handovers",
        Scope.ACTIONS_WRITE,
        "Hand an action over to another room: its callers, those in line too, go there",
        hand_over,
        refuses=NO_ACTION,
    ),
)
