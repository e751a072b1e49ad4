"""Photos of tips. Every look is written in the audit."""

from __future__ import annotations

from collections.abc import Sequence

from actions.desk import Refused
from web.access.tokens import Scope
from web.api.endpoint import Asked, Endpoint, Jpeg, Office, Reply
from web.api.problem import Problem
from web.api.shapes import PhotoPath


async def get_photo(office: Office, asked: Asked, path: PhotoPath) -> Reply[Jpeg]:
    try:
        return Reply(Jpeg(content=await office.tips.photo(path.id, asked.by(), asked.holder.room_id)))
    except Refused as refused:
        raise Problem(404, str(refused)) from None


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        "GET",
        "/photos/{id}",
        Scope.TIPS_READ,
        "A photo of a tip",
        get_photo,
        gives={200: "The photo"},
        refuses={404: "There is no such photo in the rooms of this token"},
    ),
)
