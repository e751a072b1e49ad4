"""Mail, by an SMTP server. Bounces find their attempt by the id of the mail, which is the attempt's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from actions.contacts import read_mail
from actions.models import DeliveryState, MessageKind, now
from alerting.channels import Sending
from alerting.channels.dkim_key import DkimKey
from alerting.channels.post_office import Envelope, PostOffice
from alerting.errors import Fault, SendError, Whose
from alerting.passes import Passes, Use
from alerting.previews import picture_url
from alerting.receipts import Receipt
from alerting.renditions import mail

UNSUBSCRIBE = "/unsubscribe"
NO_ADDRESS = Fault(False, Whose.RECIPIENT, "this is no mail address")


@dataclass(frozen=True)
class Letterhead:
    """`sender`: NAME <ADDRESS>, or the address alone; `bounces`: the address at which returned mail arrives. `public`:
    the address at which our pages are. `free_number` as people read it."""

    sender: str
    bounces: str
    public: str
    free_number: str

    @property
    def address(self) -> str:
        return parseaddr(self.sender)[1]


class Email:
    provider = "smtp"

    def __init__(self, office: PostOffice, head: Letterhead, passes: Passes, key: DkimKey | None) -> None:
        self._office, self._head, self._passes, self._key = office, head, passes, key

    async def send(self, sending: Sending) -> Receipt:
        """Raises SendError, Unanswered."""
        envelope = Envelope(sending.attempt_id, self._head.bounces or self._head.address, sending.to)
        message = await asyncio.to_thread(self._written, sending)
        return Receipt(DeliveryState.SENT, None, await self._office.take(envelope, message))

    def _written(self, sending: Sending) -> bytes:
        """The whole mail, signed where there is a key. Raises SendError."""
        plain = _letter(sending, self._head, self._passes).as_bytes()
        return self._key.signed(plain) if self._key else plain


def _letter(sending: Sending, head: Letterhead, passes: Passes) -> EmailMessage:
    notice = sending.notice
    sign_off = f"{head.public}{UNSUBSCRIBE}/{passes.make(Use.SIGN_OFF, sending.attempt_id)}"
    words = mail(notice, head.free_number, sign_off, picture_url(head.public, notice))
    # Lines of base64 or quoted-printable: no server on the way needs to change it, which would break the signature.
    letter = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    name, address = parseaddr(head.sender)
    letter["From"] = Address(name, addr_spec=address)
    if read_mail(sending.to) != sending.to:
        raise SendError(NO_ADDRESS)
    letter["To"] = Address(addr_spec=sending.to)
    letter["Subject"] = words.subject
    letter["Date"] = format_datetime(now())
    letter["Message-ID"] = f"<{sending.attempt_id}@{address.rpartition('@')[2]}>"
    letter["Content-Language"] = notice.language
    letter["Auto-Submitted"] = "auto-generated"
    letter["Precedence"] = "bulk"
    letter["X-Auto-Response-Suppress"] = "All"
    letter["List-Unsubscribe"] = f"<{sign_off}>"
    letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if notice.kind != MessageKind.RESULT:
        letter["Importance"] = "high"
    letter.set_content(words.plain)
    letter.add_alternative(words.html, subtype="html")
    return letter
