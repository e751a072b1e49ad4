"""One thing the API can do: its address, who may ask, and the function that does it.

What it takes and gives is read from that function's own annotations, for serving and for the OpenAPI document alike:

    async def update(office: Office, asked: Asked, path: ActionPath, body: UpdateBody) -> Reply[ActionOut]
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from pydantic import BaseModel
from redis.asyncio import Redis

from actions.books import Actor
from actions.desk import Desk
from actions.drafts import Drafts
from actions.endings import Endings
from actions.listing import Listing
from actions.sightings import Sightings
from actions.store import Store
from actions.tips import Tips
from alerting.audience.preview import Carrier
from alerting.bounds import Tariffs
from alerting.inbound.link_texts import LinkTexts
from alerting.renditions import Around
from web.access.tokens import Holder, Scope
from web.api.problem import Problem

M = TypeVar("M", bound=BaseModel)
INPUTS = ("path", "query", "body")


@dataclass(frozen=True)
class Office:
    """What the endpoints need at hand."""

    store: Store
    redis: Redis
    desk: Desk
    drafts: Drafts
    listing: Listing
    tips: Tips
    around: Around
    tariffs: Tariffs
    endings: Endings
    link_texts: LinkTexts
    sightings: Sightings
    carriers: Mapping[str, Carrier]


@dataclass(frozen=True)
class Asked:
    """Who asks, and from where."""

    holder: Holder
    origin: str

    def by(self, why: str | None = None) -> Actor:
        """In whose name this is done, for the audit."""
        return Actor(self.holder.actor, f"api {self.origin}", why or "asked through the API")

    def must_see(self, room_id: str) -> None:
        """Raises Problem (403) for somebody else's room."""
        if not self.holder.sees(room_id):
            raise Problem(403, f"this token is for room {self.holder.room_id}")


@dataclass(frozen=True)
class Reply(Generic[M]):
    body: M
    status: int = 200
    location: str | None = None


class Jpeg(BaseModel):
    """An answer that is a picture, and no JSON."""

    content: bytes


@dataclass(frozen=True)
class Endpoint:
    """`gives` and `refuses`: the answers by status, beyond those that every endpoint may give (see description)."""

    method: str
    path: str  # below /v1
    scope: Scope
    summary: str
    work: Callable[..., Awaitable[Reply[Any]]]
    gives: Mapping[int, str] = field(default_factory=lambda: {200: "As asked"})
    refuses: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def takes(self) -> Mapping[str, type[BaseModel]]:
        """What it takes, by where that stands in a request: path, query, body."""
        return {name: shape for name, shape in self._hints.items() if name in INPUTS}

    @cached_property
    def answer(self) -> type[BaseModel]:
        shape: type[BaseModel] = get_args(self._hints["return"])[0]
        return shape

    @cached_property
    def _hints(self) -> Mapping[str, Any]:
        return get_type_hints(self.work)
