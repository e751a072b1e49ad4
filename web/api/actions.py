"""Actions: drafts, start, update, end, reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from actions.areas import shown
from actions.desk import NewAction
from actions.drafts import Made, incident_of
from actions.listing import Listed
from actions.reach import BEST_FIRST, Counted, Reach, reach_of
from alerting.bell import action_changed
from web.access.tokens import Scope
from web.api.answers import ActionOut, ActionsOut, CountedOut, MessageReachOut, ReachOut, RingOut, WordsOut
from web.api.asked_action import new_action
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.problem import Problem
from web.api.shapes import (
    ActionPath,
    ActionsQuery,
    AlertBody,
    ExtensionBody,
    IncidentBody,
    NewActionBody,
    ResultBody,
    UpdateBody,
)

NO_ACTION = {404: "There is no such action in the rooms of this token"}
TOO_LATE = {409: "The action is at another step of its life"}


async def list_actions(office: Office, asked: Asked, query: ActionsQuery) -> Reply[ActionsOut]:
    room = query.room or asked.holder.room_id
    if room:
        asked.must_see(room)
    found = await office.listing.actions(query.limit + 1, room, query.status, query.before)
    more = len(found) > query.limit
    items = [_out(listed) for listed in found[: query.limit]]
    return Reply(ActionsOut(items=items, next=items[-1].id if more else None))


async def create_action(office: Office, asked: Asked, body: NewActionBody) -> Reply[ActionOut]:
    room = await room_of_new(office, asked, body.region, body.room)
    made = await office.drafts.make(new_action(body, room), asked.by(body.why), body.incident, start=body.start)
    if made.new and body.start:
        await action_changed(office.redis)
    return await _made(office, made)


async def report_incident(office: Office, asked: Asked, body: IncidentBody) -> Reply[ActionOut]:
    room = await room_of_new(office, asked, body.region, body.room or asked.holder.room_id)
    new = NewAction(body.kind, body.region, body.place.model_dump(), {"nl": (body.title, body.text)}, None, room)
    return await _made(office, await office.drafts.make(new, asked.by(body.why), body.number))


async def get_action(office: Office, asked: Asked, path: ActionPath) -> Reply[ActionOut]:
    return Reply(_out(await visible(office, asked, path.id)))


async def start_action(office: Office, asked: Asked, path: ActionPath, body: AlertBody) -> Reply[ActionOut]:
    await visible(office, asked, path.id)
    await office.drafts.start(path.id, asked.by(body.why), body.operator, _minutes(body.ends_after))
    return await _changed(office, asked, path.id)


async def update_action(office: Office, asked: Asked, path: ActionPath, body: UpdateBody) -> Reply[ActionOut]:
    await visible(office, asked, path.id)
    await office.desk.update_action(path.id, body.words.plain(), asked.by(body.why))
    return await _changed(office, asked, path.id)


async def end_action(office: Office, asked: Asked, path: ActionPath, body: ResultBody) -> Reply[ActionOut]:
    await visible(office, asked, path.id)
    await office.desk.end_action(path.id, body.outcome, body.words.plain(), asked.by(body.why))
    return await _changed(office, asked, path.id)


async def extend_action(office: Office, asked: Asked, path: ActionPath, body: ExtensionBody) -> Reply[ActionOut]:
    await visible(office, asked, path.id)
    await office.endings.extend(path.id, timedelta(minutes=body.minutes), asked.by(body.why))
    return await _changed(office, asked, path.id)


async def get_reach(office: Office, asked: Asked, path: ActionPath) -> Reply[ReachOut]:
    await visible(office, asked, path.id)
    reaches = await reach_of(office.store, path.id)
    return Reply(ReachOut(messages=[_reach_out(reach) for reach in reaches]))


async def visible(office: Office, asked: Asked, action_id: int) -> Listed:
    """The action. Raises Problem (404) when there is none, or it is somebody else's: that must not show."""
    listed = await office.listing.action(action_id)
    if listed is None or not asked.holder.sees(listed.action.room_id):
        raise Problem(404, f"there is no action {action_id}")
    return listed


async def room_of_new(office: Office, asked: Asked, region: str, room: str | None) -> str | None:
    """The room of a new action. Raises Problem (403) for somebody else's."""
    if room is None and (known := (await office.desk.regions()).get(region)):
        room = known.room_id
    if room:
        asked.must_see(room)
    return room


async def _made(office: Office, made: Made) -> Reply[ActionOut]:
    listed = await office.listing.action(made.action.id or 0)
    assert listed is not None
    return Reply(_out(listed), 201 if made.new else 200, f"/v1/actions/{made.action.id}")


async def _changed(office: Office, asked: Asked, action_id: int) -> Reply[ActionOut]:
    await action_changed(office.redis)
    return Reply(_out(await visible(office, asked, action_id)))


def _reach_out(reach: Reach) -> MessageReachOut:
    return MessageReachOut(
        **_counted(reach),
        message=reach.message_id,
        kind=reach.message_kind,
        people=CountedOut(**_counted(reach.people or Counted())),
        rings=[RingOut(ring=ring, **_counted(counted)) for ring, counted in reach.rings.items()],
        ways={channel: CountedOut(**_counted(counted)) for channel, counted in reach.ways.items()},
        channels=reach.channels,
        reasons=reach.reasons,
    )


def _counted(counted: Counted) -> dict[str, Any]:
    return {"total": counted.total, **{meaning: getattr(counted, meaning) for meaning in BEST_FIRST}}


def _minutes(given: int | None) -> timedelta | None:
    return None if given is None else timedelta(minutes=given)


def _out(listed: Listed) -> ActionOut:
    action = listed.action
    return ActionOut.model_validate(
        {
            **action.model_dump(),
            "area": shown(action.area),
            "code": action.code or None,
            "room": action.room_id,
            "region": action.region_id,
            "operator": action.started_by,
            "incident": incident_of(action),
            "words": {language: WordsOut(title=title, text=text) for language, (title, text) in listed.texts.items()},
        },
        extra="ignore",
    )


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("GET", "/actions", Scope.ACTIONS_READ, "List actions, newest first", list_actions),
    Endpoint(
        "POST",
        "/actions",
        Scope.ACTIONS_WRITE,
        "Draft an action, or start it at once",
        create_action,
        gives={200: "This incident is an action already: as it is now", 201: "The new action"},
    ),
    Endpoint("GET", "/actions/{id}", Scope.ACTIONS_READ, "One action", get_action, refuses=NO_ACTION),
    Endpoint(
        "POST",
        "/actions/{id}/alerts",
        Scope.ACTIONS_WRITE,
        "Start a draft: its alert goes out and callers are put through",
        start_action,
        gives={200: "The open action"},
        refuses=NO_ACTION | TOO_LATE,
    ),
    Endpoint(
        "POST",
        "/actions/{id}/updates",
        Scope.ACTIONS_WRITE,
        "Update an open action: everybody alerted hears the changed description",
        update_action,
        gives={200: "The open action"},
        refuses=NO_ACTION | TOO_LATE,
    ),
    Endpoint(
        "POST",
        "/actions/{id}/results",
        Scope.ACTIONS_WRITE,
        "End an action: nothing more is sent, and everybody alerted hears the result",
        end_action,
        gives={200: "The ended action"},
        refuses=NO_ACTION | TOO_LATE,
    ),
    Endpoint(
        "POST",
        "/actions/{id}/extensions",
        Scope.ACTIONS_WRITE,
        "Let an open action stay open for longer before it ends by itself",
        extend_action,
        gives={200: "The open action"},
        refuses=NO_ACTION | TOO_LATE,
    ),
    Endpoint(
        "GET",
        "/actions/{id}/reach",
        Scope.ACTIONS_READ,
        "The honest reach of an action: who was reached, how, and who was not and why",
        get_reach,
        refuses=NO_ACTION,
    ),
    Endpoint(
        "POST",
        "/incidents",
        Scope.INCIDENTS_WRITE,
        "Report an incident from a control room's own system: it becomes a draft",
        report_incident,
        gives={200: "This incident was reported before: the action it became", 201: "The new draft"},
    ),
)
