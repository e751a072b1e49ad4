"""Operators' notes on calls."""

from __future__ import annotations

from collections.abc import Sequence

from actions.models import Call
from web.access.tokens import Scope
from web.api.answers import NoteOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.problem import Problem
from web.api.shapes import CallPath, NoteBody


async def note_on_call(office: Office, asked: Asked, path: CallPath, body: NoteBody) -> Reply[NoteOut]:
    async with office.store.reading() as session:
        call = await session.get(Call, path.id)
    if call is None or not (asked.holder.room_id is None or call.room_id == asked.holder.room_id):
        raise Problem(404, f"there is no call {path.id} in the rooms of this token")
    note = await office.tips.note_on_call(path.id, body.text, asked.by(body.why), body.operator)
    return Reply(NoteOut(id=note, call=path.id), status=201)


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        "POST",
        "/calls/{id}/notes",
        Scope.TIPS_WRITE,
        "Keep an operator's note on a call, and with its action's tips",
        note_on_call,
        gives={201: "The note is kept"},
        refuses={404: "There is no such call in the rooms of this token"},
    ),
)
