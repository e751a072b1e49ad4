"""What is wrong now, as all processes see it."""

from __future__ import annotations

from collections.abc import Sequence

from watch.board import Board, BoardAway
from web.access.tokens import Scope
from web.api.answers import AlarmOut, AlarmsOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.problem import Problem


async def list_alarms(office: Office, asked: Asked) -> Reply[AlarmsOut]:
    """A token for one room sees what is wrong with that room."""
    try:
        found = await Board(office.redis).alarms()
    except BoardAway as away:
        raise Problem(503, "Redis does not answer; try again", headers={"Retry-After": "5"}) from away
    seen = [alarm for alarm in found if asked.holder.room_id in (None, alarm.subject)]
    return Reply(AlarmsOut(items=[AlarmOut.model_validate(alarm, from_attributes=True) for alarm in seen]))


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("GET", "/alarms", Scope.ALARMS_READ, "What is wrong now, the worst first", list_alarms),
)
