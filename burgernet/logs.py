"""Logs: lines of text or of JSON, in which no telephone number stands."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from enum import StrEnum

HIDDEN = "[number]"
# Ids of 32 hexadecimal digits are kept whole, whatever digits they hold. Numbers: E.164 with +, 00 or %2B; Dutch
# national; E.164 of the Netherlands without a sign.
_NUMBER = re.compile(
    r"""(?P<id>\b[0-9a-f]{32}\b)
    |(?<![\d+])(?:\+|%2[Bb]|00)[1-9](?:[ ().-]{0,2}\d){6,14}(?!\d)
    |(?<![\d.])\(?0[1-9](?:[ ().-]{0,2}\d){7,8}(?!\d)
    |(?<![\d.])31[1-9]\d{8}(?!\d)""",
    re.VERBOSE,
)
# What the words of a message name before a value: "call %s: ...".
_NAMED = re.compile(r"(?:\b(call|attempt|action) )?%[-+ #0]*\d*(?:\.\d+)?[sdrfgx]")


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def masked(line: str) -> str:
    """The line without telephone numbers."""
    return _NUMBER.sub(lambda found: found["id"] or HIDDEN, line)


class Text(logging.Formatter):
    """One event a line, for people; a traceback follows on lines of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class JsonLine(logging.Formatter):
    """One event a line: time (UTC), level, logger, message, `error` with its traceback, and the ids that the message
    names: call, attempt, action."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
            **_ids(record),
        }
        if record.exc_info:
            event["error"] = masked(self.formatException(record.exc_info))
        return json.dumps(event, ensure_ascii=False)


def set_up(form: LogFormat) -> None:
    """Sends every event of this process to stderr in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine() if form is LogFormat.JSON else Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _ids(record: logging.LogRecord) -> dict[str, str]:
    if not isinstance(record.args, tuple):
        return {}
    names = [found[1] for found in _NAMED.finditer(record.msg)] if isinstance(record.msg, str) else []
    return {name: masked(str(value)) for name, value in zip(names, record.args, strict=False) if name}
