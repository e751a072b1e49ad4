"""What came in from citizens: calls (without their numbers) and tips. Every look is written in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from actions.listing import Place
from actions.models import Call
from actions.tips import Told
from web.access.tokens import Scope
from web.api.actions import NO_ACTION, visible
from web.api.answers import CallOut, CallsOut, TipOut, TipsOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.problem import Problem
from web.api.shapes import ActionPath, CallsQuery, RoomCallsQuery

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


async def list_calls(office: Office, asked: Asked, query: RoomCallsQuery) -> Reply[CallsOut]:
    room = query.room or asked.holder.room_id
    if room:
        asked.must_see(room)
    return await _calls(office, asked, query, room, None)


async def list_calls_of_action(office: Office, asked: Asked, path: ActionPath, query: CallsQuery) -> Reply[CallsOut]:
    await visible(office, asked, path.id)
    return await _calls(office, asked, query, None, path.id)


async def list_tips_of_action(office: Office, asked: Asked, path: ActionPath) -> Reply[TipsOut]:
    await visible(office, asked, path.id)
    return _tips(await office.tips.of_action(path.id, asked.by()))


async def list_tips(office: Office, asked: Asked) -> Reply[TipsOut]:
    if asked.holder.room_id:
        raise Problem(403, "tips of no action yet belong to no room: this takes a token for all rooms")
    return _tips(await office.tips.of_no_action(asked.by()))


async def _calls(
    office: Office, asked: Asked, query: CallsQuery, room: str | None, action_id: int | None
) -> Reply[CallsOut]:
    after = _place(query.after) if query.after else None
    found = await office.listing.calls(query.limit + 1, asked.by(), room, action_id, after)
    page = found[: query.limit]
    after_this = _cursor(page[-1][0]) if len(found) > query.limit else None
    return Reply(CallsOut(items=[_call(*one) for one in page], next=after_this))


def _cursor(call: Call) -> str:
    return f"{(call.arrived_at - EPOCH) // MICROSECOND}_{call.id}"


def _place(cursor: str) -> Place:
    microseconds, _, call_id = cursor.partition("_")
    return Place(EPOCH + int(microseconds) * MICROSECOND, call_id)


def _call(call: Call, exercise: bool) -> CallOut:
    names = {"action": call.action_id, "room": call.room_id, "operator": call.operator_id, "exercise": exercise}
    return CallOut.model_validate({**call.model_dump(), **names}, extra="ignore")


def _tips(found: Sequence[Told]) -> Reply[TipsOut]:
    return Reply(TipsOut(items=[_tip(told) for told in found]))


def _tip(told: Told) -> TipOut:
    names = {
        "room": told.room_id,
        "match_how": told.how,
        "match_confidence": told.confidence,
        "operator": told.operator_id,
    }
    return TipOut.model_validate({**vars(told), **names}, extra="ignore")


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("GET", "/calls", Scope.CALLS_READ, "List calls, newest first, without numbers", list_calls),
    Endpoint(
        "GET",
        "/actions/{id}/calls",
        Scope.CALLS_READ,
        "List the calls about an action, newest first, without numbers",
        list_calls_of_action,
        refuses=NO_ACTION,
    ),
    Endpoint(
        "GET",
        "/actions/{id}/tips",
        Scope.TIPS_READ,
        "List the tips of an action, newest first",
        list_tips_of_action,
        refuses=NO_ACTION,
    ),
    Endpoint("GET", "/tips", Scope.TIPS_READ, "List the tips of which nobody knows the action yet", list_tips),
)
