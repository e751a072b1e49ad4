"""How a message reads on each channel: one file a way. Nothing is sent from here."""

from alerting.renditions.by_mail import Mail, mail
from alerting.renditions.by_push import Push, push
from alerting.renditions.by_text import GSM_7, GSM_7_TWO_PLACES, Text, is_plain, segments, text
from alerting.renditions.by_voice import voice, voice_in_short
from alerting.renditions.everything import Around, Rendition, renditions
from alerting.renditions.notice import EXERCISE, Notice
from alerting.renditions.on_board import Board, on_board
from alerting.renditions.on_mastodon import on_mastodon
from alerting.renditions.on_x import on_x

__all__ = [
    "EXERCISE",
    "GSM_7",
    "GSM_7_TWO_PLACES",
    "Around",
    "Board",
    "Mail",
    "Notice",
    "Push",
    "Rendition",
    "Text",
    "is_plain",
    "mail",
    "on_board",
    "on_mastodon",
    "on_x",
    "push",
    "renditions",
    "segments",
    "text",
    "voice",
    "voice_in_short",
]
