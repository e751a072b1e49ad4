"""A message as a post on Mastodon: short, with a link. Nothing is posted from here."""

from __future__ import annotations

import unicodedata

from alerting.renditions.fitting import Fitted
from alerting.renditions.notice import Notice
from alerting.renditions.on_x import ADDRESS, ADDRESS_COUNTS
from alerting.renditions.posting import post

# What a server takes unless it is set up otherwise.
MOST = 500


def on_mastodon(notice: Notice, free_number: str, link: str) -> Fitted:
    """The notice as a post of at most 500, as Mastodon counts."""
    return post(notice, free_number, link, lambda text: length(text) <= MOST)


def length(text: str) -> int:
    """The length of a post as Mastodon counts it, or more: signs that are written as several count as those."""
    rest, addresses = ADDRESS.subn("", unicodedata.normalize("NFC", text))
    return ADDRESS_COUNTS * addresses + len(rest)
