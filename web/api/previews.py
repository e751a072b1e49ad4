"""Looking ahead: what the start of an action would do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from actions.geography import Area
from alerting.audience.preview import Preview, preview
from alerting.bounds import EURO
from web.access.tokens import Scope
from web.api.actions import room_of_new
from web.api.answers import ChannelPreviewOut, PreviewOut, RingPreviewOut
from web.api.asked_action import new_action
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.outline import outline
from web.api.shapes import ActionBody


async def preview_action(office: Office, asked: Asked, body: ActionBody) -> Reply[PreviewOut]:
    room = await room_of_new(office, asked, body.region, body.room)
    found = await preview(office.store, new_action(body, room), office.carriers, office.around.free_number)
    return Reply(_out(found, await asyncio.to_thread(_drawn, found.area)))


def _drawn(area: Mapping[str, Any]) -> dict[str, Any]:
    return outline(Area.parse(area))


def _out(found: Preview, area: dict[str, Any]) -> PreviewOut:
    return PreviewOut(
        at=found.at,
        exact=found.exact,
        people=round(found.people),
        contact_points=round(found.contact_points),
        channels={
            name: ChannelPreviewOut(
                now=round(channel.now),
                later=round(channel.later),
                seconds=round(channel.seconds, 1),
                euros=round(channel.micro_euros / EURO, 2),
            )
            for name, channel in found.channels.items()
        },
        rings=[
            RingPreviewOut(ring=ring.number, metres=ring.metres, deliveries=round(ring.deliveries))
            for ring in found.rings
        ],
        woken_by_choice=round(found.woken_by_choice),
        woken_for_reason=round(found.woken_for_reason),
        left_asleep=round(found.left_asleep),
        area=area,
    )


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        "POST",
        "/action-previews",
        Scope.ACTIONS_READ,
        "Look ahead: whom an action would reach, when, how fast and for how much",
        preview_action,
    ),
)
