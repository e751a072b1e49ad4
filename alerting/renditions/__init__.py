"""How a message reads on each channel: one file a way. Nothing is sent from here."""

from alerting.renditions.by_text import GSM_7, GSM_7_TWO_PLACES, Text, segments, text
from alerting.renditions.by_voice import voice, voice_in_short
from alerting.renditions.notice import EXERCISE, Notice

__all__ = [
    "EXERCISE",
    "GSM_7",
    "GSM_7_TWO_PLACES",
    "Notice",
    "Text",
    "segments",
    "text",
    "voice",
    "voice_in_short",
]
