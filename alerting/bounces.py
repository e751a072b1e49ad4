"""Mail that came back: which attempt it was, and what the servers on the way say of it (RFC 3464)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

from actions.models import DeliveryState
from alerting.channels.smtp_faults import NOT_WANTED, meaning
from alerting.errors import Fault, Whose
from alerting.receipts import Receipt

LARGEST = 1024 * 1024
# Parts of a mail that are looked at: a hostile one may nest thousands.
MOST_PARTS = 50
TOO_LATE = Fault(False, Whose.RECIPIENT, "the mail did not arrive in time: the servers on the way gave up")
_ATTEMPT = re.compile(r"<?([0-9a-f]{32})(?:@[^>\s]*>?|\Z)")


@dataclass(frozen=True)
class Bounce:
    """`receipt`: None for what decides nothing, such as a delay."""

    attempt_id: str
    receipt: Receipt | None


def read_bounce(raw: bytes) -> Bounce | None:
    """What a mail says about one of ours; None when it is no report about any. No mail, however odd, makes it fail."""
    try:
        parts = list(_parts(message_from_bytes(raw[:LARGEST], policy=policy.default)))
        attempt_id, report = _attempt_in(parts), _report_in(parts)
        return Bounce(attempt_id, _receipt(report)) if attempt_id and report else None
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None  # the parser of the library gives up on some mails in as many ways


def _parts(mail: Message) -> Iterator[Message]:
    for count, part in enumerate(mail.walk()):
        if count == MOST_PARTS:
            return
        yield part


def _attempt_in(parts: list[Message]) -> str | None:
    """By the id of the returned mail, or the envelope's that it was sent with."""
    for part in parts:
        names = [part.get("Original-Envelope-Id", ""), part.get("X-Original-Message-ID", "")]
        if part is not parts[0]:
            names.append(part.get("Message-ID", ""))
        if part.get_content_type() == "text/rfc822-headers" and isinstance(part, EmailMessage):
            names.append(message_from_bytes(part.get_payload(decode=True) or b"").get("Message-ID", ""))  # type: ignore[arg-type]
        for name in names:
            if found := _ATTEMPT.match(str(name).strip()):
                return found[1]
    return None


def _report_in(parts: list[Message]) -> Message | None:
    """The fields about our recipient."""
    return next((part for part in parts if part.get("Action") and part.get("Status")), None)


def _receipt(report: Message) -> Receipt | None:
    action, status = str(report["Action"]).strip().lower(), str(report["Status"]).strip()
    if action != "failed":
        return None
    words = f"{status} {report.get('Diagnostic-Code', '')}"
    fault = TOO_LATE if status.startswith("4.") else meaning(words) or NOT_WANTED
    return Receipt(DeliveryState.FAILED, None, status[:20], fault)
