"""One-time links to callers, by text."""

from __future__ import annotations

from collections.abc import Sequence

from actions.links import Purpose
from actions.models import Call
from web.access.tokens import Scope
from web.api.answers import LinkOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.problem import Problem
from web.api.shapes import CallPath, LinkBody


async def send_link(office: Office, asked: Asked, path: CallPath, body: LinkBody) -> Reply[LinkOut]:
    async with office.store.reading() as session:
        call = await session.get(Call, path.id)
    if call is None or not (asked.holder.room_id is None or call.room_id == asked.holder.room_id):
        raise Problem(404, f"there is no call {path.id} in the rooms of this token")
    purpose, by = Purpose(body.purpose), asked.by(body.why)
    expires = await office.link_texts.for_call(path.id, purpose, by, body.number, body.language)
    return Reply(LinkOut(purpose=body.purpose, expires_at=expires), status=201)


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        "POST",
        "/calls/{id}/links",
        Scope.TIPS_WRITE,
        "Text somebody a link for one photo or place, which works once and for 15 minutes",
        send_link,
        gives={201: "The text is on its way"},
        refuses={404: "There is no such call in the rooms of this token"},
    ),
)
