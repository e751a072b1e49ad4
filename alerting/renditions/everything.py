"""Every rendition of a message, to be looked at before or after it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerting.renditions import on_mastodon, on_x
from alerting.renditions.by_mail import mail
from alerting.renditions.by_push import LARGEST, push
from alerting.renditions.by_text import text
from alerting.renditions.by_voice import voice
from alerting.renditions.notice import Notice
from alerting.renditions.on_board import MOST, on_board

SHORTENED = "too long: words were left out at the end"
# Each reader has an address of his own to sign off at.
ANYBODY = "unsubscribe/..."


@dataclass(frozen=True)
class Rendition:
    """`way`: voice, text, push, mail, x, mastodon, board. `length` is in `unit`, of at most `most` (None: no bound).
    `remarks`: what an operator should know of it."""

    way: str
    language: str
    text: str
    length: int
    unit: str
    most: int | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Around:
    """What renditions hold besides the message. `free_number` as people read it; `link`: where more is to be read;
    `public`: the address at which our own pages are; `picture`: the address of the picture."""

    free_number: str
    link: str
    public: str
    picture: str | None = None


def renditions(notice: Notice, around: Around) -> list[Rendition]:
    """How this notice reads by every way."""
    return [
        Rendition(way, notice.language, text, length, unit, most, remarks)
        for way, text, length, unit, most, remarks in _each(notice, around)
    ]


def _each(notice: Notice, around: Around) -> Iterator[tuple[str, str, int, str, int | None, tuple[str, ...]]]:
    number, sign_off = around.free_number, f"{around.public}/{ANYBODY}"
    told = " ".join(voice(notice))
    yield "voice", told, len(told.split()), "words", None, ()
    texted = text(notice, number)
    yield "text", texted.body, texted.segments, "segments", None, ()
    pushed = push(notice, number, around.link, sign_off, None, around.picture)
    yield "push", f"{pushed.title}\n{pushed.body}", len(pushed.payload()), "bytes", LARGEST, _cut(pushed.whole)
    mailed = mail(notice, number, sign_off, around.picture)
    yield "mail", f"{mailed.subject}\n\n{mailed.plain}", len(mailed.plain), "signs", None, ()
    for way, posted, count, most in (
        ("x", on_x.on_x(notice, number, around.link), on_x.weight, on_x.MOST),
        ("mastodon", on_mastodon.on_mastodon(notice, number, around.link), on_mastodon.length, on_mastodon.MOST),
    ):
        yield way, posted.text, count(posted.text), "signs", most, _cut(posted.whole)
    board = on_board(notice, number)
    yield "board", board.text, len(board.text), "signs", MOST, board.lacks


def _cut(whole: bool) -> tuple[str, ...]:
    return () if whole else (SHORTENED,)
