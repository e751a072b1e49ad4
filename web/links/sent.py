"""What a browser sends by a one-time link: one photo, or one place. Bounded in bytes, parts and time."""

from __future__ import annotations

import math
from collections.abc import Mapping

from aiohttp import BodyPartReader, MultipartReader, web

from actions.link_tips import Position, Seen
from actions.photos import LARGEST, NoPhoto
from actions.tips import readable
from web.links.page import LONGEST_WORDS
from web.links.words import MINUTES_AGO

# Beside the photo: the limits of the parts, and a second, empty file field.
AROUND_IT = 64 * 1024
MOST_PARTS = 6
PIECE = 64 * 1024
FURTHEST_M = 100_000


class TooLarge(Exception):
    """More came than a photo may have."""


async def photo_in(request: web.Request) -> bytes:
    """The first file that is not empty; b"" when there is none. Raises TooLarge, NoPhoto."""
    if request.content_type != "multipart/form-data":
        raise NoPhoto("no form with a file")
    if (request.content_length or 0) > LARGEST + AROUND_IT:
        raise TooLarge
    try:
        return await _first_file(await request.multipart(), LARGEST + AROUND_IT)
    except ValueError as broken:
        raise NoPhoto("a form that cannot be read") from broken


async def _first_file(parts: MultipartReader, left: int) -> bytes:
    for _ in range(MOST_PARTS):
        part = await parts.next()
        if part is None:
            return b""
        if not isinstance(part, BodyPartReader):
            raise ValueError("a form within a form")
        content = await _content(part, left)
        left -= len(content)
        if content and part.name == "photo":
            return content
    raise ValueError("too many parts")


async def _content(part: BodyPartReader, most: int) -> bytes:
    kept = bytearray()
    while piece := await part.read_chunk(PIECE):
        kept += piece
        if len(kept) > min(most, LARGEST):
            raise TooLarge
    return bytes(kept)


def seen_in(form: Mapping[str, object]) -> Seen | None:
    """Where and when, of the fields of a form; None when they name no place."""
    position = _position(form)
    words = readable(" ".join(str(form.get("words", "")).split()))[:LONGEST_WORDS]
    if position is None and not any(sign.isalnum() for sign in words):
        return None
    minutes = str(form.get("minutes", "0"))
    ago = int(minutes) if minutes in map(str, MINUTES_AGO) else 0
    return Seen(position, words, ago)


def _position(form: Mapping[str, object]) -> Position | None:
    try:
        lat, lon, accuracy = (float(str(form.get(name, ""))) for name in ("lat", "lon", "accuracy"))
    except ValueError:
        return None
    if not (math.isfinite(accuracy) and -90 <= lat <= 90 and -180 <= lon <= 180):
        return None
    return Position(lat, lon, min(max(math.ceil(accuracy), 0), FURTHEST_M))
