"""What an event looks like on the wire: a CloudEvent 1.0 (NL GOV profile) as a Server-Sent Event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic.alias_generators import to_camel

from actions.journal import News
from actions.reach import BEST_FIRST, Counted, Reach
from actions.waves import Wave

PREFIX = "nl.burgernet"
PROGRESS = f"{PREFIX}.action.progress"
SKIPPED = f"{PREFIX}.events.skipped"
# What a browser waits before it comes back, in milliseconds.
RETRY = b"retry: 3000\n\n"
HEARTBEAT = b": still here\n\n"


class Form:
    """`source`: the URN of this deployment. `root`: the public address of the API, with its version."""

    def __init__(self, source: str, root: str) -> None:
        self._source, self._root = source, root

    def news(self, news: News) -> bytes:
        """One event of the journal. Its id is the Last-Event-ID."""
        data = {to_camel(name): value for name, value in news.data.items()} | {"room": news.room_id}
        event = self._event(str(news.id), type_of(news.kind), news.at, news.subject, data)
        if news.kind.startswith("action."):
            event["dataref"] = f"{self._root}/actions/{news.subject}"
        return _sent(event, news.id)

    def wave(self, wave: Wave, at: datetime) -> bytes:
        """How far an action's wave is. It leaves the Last-Event-ID as it is: nobody needs an old one."""
        data = {
            "code": wave.code,
            "room": wave.room_id,
            "status": wave.status,
            "exercise": wave.exercise,
            "calls": wave.calls,
            "tips": wave.tips,
            "total": wave.total,
            "decided": wave.decided,
            "pace": round(wave.pace, 1),
            "messages": [_message(reach) for reach in wave.messages],
        }
        unique = f"{wave.action_id}-{int(at.timestamp() * 1_000_000)}"
        event = self._event(f"progress-{unique}", PROGRESS, at, str(wave.action_id), data)
        return _sent(event | {"dataref": f"{self._root}/actions/{wave.action_id}/reach"})

    def skipped(self, asked: int, oldest: int, at: datetime) -> bytes:
        """What came after the event that a client knows is not kept any more: it must read everything anew."""
        event = self._event(f"skipped-{asked}", SKIPPED, at, "events", {"after": str(asked), "oldest": str(oldest)})
        return _sent(event)

    def _event(self, id_: str, kind: str, at: datetime, subject: str, data: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": id_,
            "source": self._source,
            "type": kind,
            "subject": subject,
            "time": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": dict(data),
        }


def type_of(kind: str) -> str:
    """The CloudEvents type of a kind of the journal: action.handed_over is nl.burgernet.action.handed-over."""
    return f"{PREFIX}.{kind.replace('_', '-')}"


def _message(reach: Reach) -> dict[str, Any]:
    return {
        "message": reach.message_id,
        "kind": reach.message_kind,
        **_counted(reach),
        "rings": [{"ring": ring, **_counted(counted)} for ring, counted in reach.rings.items()],
        "ways": {way: _counted(counted) for way, counted in reach.ways.items()},
    }


def _counted(counted: Counted) -> dict[str, int]:
    return {"total": counted.total, **{to_camel(meaning): getattr(counted, meaning) for meaning in BEST_FIRST}}


def _sent(event: Mapping[str, Any], last_event_id: int | None = None) -> bytes:
    """JSON holds no line end, so one line is enough."""
    known = f"id: {last_event_id}\n" if last_event_id is not None else ""
    return f"{known}event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
