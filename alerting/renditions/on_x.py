"""A message as a post on X: short, with a link. Nothing is posted from here."""

from __future__ import annotations

import re
import unicodedata

from alerting.renditions.fitting import Fitted
from alerting.renditions.notice import Notice
from alerting.renditions.posting import post

MOST = 280
# Whatever its length, an address counts as much as the short one that it is replaced by.
ADDRESS_COUNTS = 23
ADDRESS = re.compile(r"https?://\S+")
# These scripts and signs count once, all others twice. An emoji of several signs counts more here than there: a post
# is never longer than we say.
ONCE = (range(0x1100), range(0x2000, 0x200E), range(0x2010, 0x2020), range(0x2032, 0x2038))


def on_x(notice: Notice, free_number: str, link: str) -> Fitted:
    """The notice as a post of at most 280, as X counts."""
    return post(notice, free_number, link, lambda text: weight(text) <= MOST)


def weight(text: str) -> int:
    """The length of a post as X counts it."""
    rest, addresses = ADDRESS.subn("", unicodedata.normalize("NFC", text))
    return ADDRESS_COUNTS * addresses + sum(1 if any(ord(sign) in once for once in ONCE) else 2 for sign in rest)
