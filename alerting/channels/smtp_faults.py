"""What a mail server's refusals mean: whose fault, and whether another try helps."""

from __future__ import annotations

import re

from actions.reachability import Gone
from alerting.errors import Fault, Whose

NOT_THERE = Fault(True, Whose.PROVIDER, "the mail server cannot be reached: check BURGERNET_SMTP_HOST and its port")
NO_TLS = Fault(
    True, Whose.US, "no encrypted connection with the mail server: check BURGERNET_SMTP_SECURITY and its certificate"
)
NO_LOGIN = Fault(True, Whose.US, "the mail server refuses our log-in: check BURGERNET_SMTP_USER and its password")
SENDER = Fault(True, Whose.US, "the mail server does not take our sender: check BURGERNET_MAIL_FROM")
BUSY = Fault(True, Whose.PROVIDER, "the mail server takes no mail for a moment")
LATER = Fault(True, Whose.RECIPIENT, "the mailbox takes no mail for a moment")
NO_MAILBOX = Fault(False, Whose.RECIPIENT, "this mailbox does not exist", Gone.PERHAPS)
FULL = Fault(False, Whose.RECIPIENT, "this mailbox is full")
NOT_WANTED = Fault(False, Whose.RECIPIENT, "the mail server of this mailbox refuses our mail")
UNWANTED = Fault(False, Whose.PROVIDER, "the mail was taken for unwanted mail")
NO_RELAY = Fault(False, Whose.US, "our mail server does not send to this domain: allow us to relay")

# Enhanced codes (RFC 3463), the most exact first, without their class.
MEANINGS = {
    "1.1": NO_MAILBOX,
    "1.2": NO_MAILBOX,
    "1.3": NO_MAILBOX,
    "1.6": NO_MAILBOX,
    "1.10": NO_MAILBOX,
    "2.1": NO_MAILBOX,
    "2.2": FULL,
    "4.4": NO_MAILBOX,
    "7.1": NOT_WANTED,
}
_ENHANCED = re.compile(r"(?<![\d.])[245]\.(\d{1,3}\.\d{1,3})(?![\d.])")
NO_SUCH = {550, 551, 553}


def of_recipient(code: int, words: str) -> Fault:
    """A refusal of one mailbox."""
    if 400 <= code < 500:
        return LATER
    if "relay" in words.lower():
        return NO_RELAY
    return meaning(words) or (FULL if code == 552 else NO_MAILBOX if code in NO_SUCH else NOT_WANTED)


def of_message(code: int, words: str) -> Fault:
    """A refusal of the mail itself, after the mailbox was accepted."""
    if 400 <= code < 500:
        return BUSY
    found = meaning(words)
    return found if found in (NO_MAILBOX, FULL) else UNWANTED


def meaning(words: str) -> Fault | None:
    """What an enhanced status code in these words says; None when there is none that is known."""
    found = _ENHANCED.search(words)
    return MEANINGS.get(found[1]) if found else None
