"""Text messages by Twilio."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from twilio.base.exceptions import TwilioException

from actions.models import DeliveryState
from actions.reachability import Gone
from alerting.channels import Sending
from alerting.channels.twilio_client import TwilioClient
from alerting.errors import Fault, SendError, Unanswered, Whose
from alerting.receipts import Receipt
from alerting.renditions import text

# The newest messages to one number: more than there can be in one attempt's time.
LOOK_BACK = 50
CLOCKS_APART = timedelta(seconds=30)

STATES = {
    "accepted": DeliveryState.SENT,
    "scheduled": DeliveryState.SENT,
    "queued": DeliveryState.SENT,
    "sending": DeliveryState.SENT,
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.DELIVERED,
    "undelivered": DeliveryState.FAILED,
    "failed": DeliveryState.FAILED,
    "canceled": DeliveryState.FAILED,
}

# Twilio's error codes that tell more than "it failed".
FAULTS = {
    20003: Fault(True, Whose.US, "Twilio does not know our account: check BURGERNET_TWILIO_ACCOUNT_SID and its token"),
    20005: Fault(True, Whose.US, "our Twilio account is not active: look in its console"),
    21211: Fault(False, Whose.RECIPIENT, "this is no telephone number", Gone.CERTAIN),
    21408: Fault(False, Whose.US, "our Twilio account may not text this country: allow it in the account"),
    21606: Fault(True, Whose.US, "our sender cannot text: check BURGERNET_TWILIO_SENDER"),
    21610: Fault(False, Whose.RECIPIENT, "this number answered STOP"),
    21612: Fault(False, Whose.RECIPIENT, "this number cannot be reached from our sender"),
    21614: Fault(False, Whose.RECIPIENT, "this number takes no texts"),
    21617: Fault(False, Whose.US, "the text is too long: 1,600 characters at most"),
    30001: Fault(True, Whose.PROVIDER, "Twilio's queue was full"),
    30002: Fault(True, Whose.US, "our Twilio account is suspended"),
    30003: Fault(True, Whose.RECIPIENT, "the telephone was off or out of reach"),
    30004: Fault(False, Whose.RECIPIENT, "the carrier or the owner blocks our messages"),
    30005: Fault(False, Whose.RECIPIENT, "this number is not in use", Gone.CERTAIN),
    30006: Fault(False, Whose.RECIPIENT, "this is a land line, or its carrier takes no texts"),
    30007: Fault(False, Whose.PROVIDER, "the carrier took the message for unwanted mail"),
    30008: Fault(True, Whose.PROVIDER, "the carrier did not say why it failed"),
}
# Faults that every next message would meet too: somebody gets the time to repair it, and nobody's attempts are used up.
NOBODY_GETS_THROUGH = frozenset({20003, 20005, 21606, 30002})
REPAIR_S = 30.0
# What the client raises for an answer that is not what Twilio's interface promises.
UNREADABLE = (ValueError, AttributeError, KeyError, TypeError)


class TwilioSms:
    """`sender`: our number or name. `callback_url`: the public address, up to the id of the attempt, at which Twilio
    tells what became of it. `free_number` as people read it."""

    provider = "twilio"

    def __init__(self, client: TwilioClient, sender: str, callback_url: str, free_number: str) -> None:
        self._messages = client.rest.messages
        self._sender, self._callback_url, self._free_number = sender, callback_url, free_number

    async def send(self, sending: Sending) -> Receipt:
        """Raises SendError, Unanswered."""
        try:
            taken = await self._messages.create_async(
                to=sending.to,
                from_=self._sender,
                body=self._body(sending),
                status_callback=f"{self._callback_url}/{sending.attempt_id}",
            )
        except TwilioException as refused:
            raise _refusal(getattr(refused, "code", None)) from refused
        except UNREADABLE as unclear:
            raise Unanswered("Twilio's answer cannot be read") from unclear
        if not taken.sid:
            raise Unanswered("Twilio's answer holds no message")
        return _receipt(taken)

    async def find(self, sending: Sending) -> Receipt | None:
        """Looks among the newest messages to this number. Raises Unanswered.

        Not by day of sending: what Twilio took and has not sent yet has none."""
        try:
            newest = await self._messages.page_async(to=sending.to, page_size=LOOK_BACK)
            found = [message for message in newest if self._is_it(message, sending)]
        except (TwilioException, SendError, *UNREADABLE) as refused:
            raise Unanswered("Twilio does not tell what it sent") from refused
        return _receipt(found[0]) if found else None

    def _is_it(self, message: Any, sending: Sending) -> bool:
        since = sending.started_at - CLOCKS_APART
        known = message.sid in sending.others
        return not known and message.date_created >= since and message.body == self._body(sending)

    def _body(self, sending: Sending) -> str:
        return text(sending.notice, self._free_number).body


def receipt_of(status: str, sid: str, error_code: int | None) -> Receipt | None:
    """What a status of Twilio means; None for a status that does not exist."""
    state = STATES.get(status)
    if state is None:
        return None
    fault = fault_of(error_code) if state is DeliveryState.FAILED else None
    return Receipt(state, sid, status, fault)


def fault_of(code: int | None) -> Fault:
    return FAULTS.get(code or 0) or Fault(
        True, Whose.PROVIDER, f"Twilio could not deliver it (error {code or 'unknown'})"
    )


def _receipt(message: Any) -> Receipt:
    return receipt_of(message.status, message.sid, message.error_code) or Receipt(DeliveryState.SENT, message.sid)


def _refusal(code: int | None) -> SendError:
    return SendError(fault_of(code), REPAIR_S if code in NOBODY_GETS_THROUGH else 0.0)
