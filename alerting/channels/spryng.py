"""Text messages by Spryng: its REST interface (JSON, version 1), with our attempt's id as reference."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    TCPConnector,
)

from actions.models import DeliveryState
from actions.reachability import Gone
from alerting.channels import Sending
from alerting.channels.twilio_client import pause_of
from alerting.errors import Fault, SendError, TooMany, Unanswered, Whose
from alerting.receipts import Receipt
from alerting.renditions import is_plain, text

API = "https://rest.spryngsms.com/v1"
ANSWER_S, CONNECT_S = 10.0, 5.0
PAUSE_S = 5.0
# Faults that every next message would meet too: somebody gets the time to repair it.
REPAIR_S = 30.0
ID = re.compile(r"[A-Za-z0-9-]{2,64}")

TOO_MANY = Fault(True, Whose.PROVIDER, "Spryng takes no more messages for a moment")
NOT_THERE = Fault(True, Whose.PROVIDER, "Spryng cannot be reached: check the network and BURGERNET_SPRYNG_API_URL")
NO_NUMBER = Fault(False, Whose.RECIPIENT, "Spryng says that this is no telephone number", Gone.CERTAIN)
NOT_OURS = Fault(False, Whose.US, "Spryng does not take this text")

# An answer that refuses, by HTTP status.
REFUSED = {
    401: Fault(True, Whose.US, "Spryng does not know our key: check BURGERNET_SPRYNG_API_KEY"),
    402: Fault(True, Whose.US, "our Spryng account has no credit left: top it up"),
    403: Fault(True, Whose.US, "our Spryng account may not do this: look in its portal"),
    404: Fault(True, Whose.US, "Spryng's interface is not there: check BURGERNET_SPRYNG_API_URL"),
    405: Fault(True, Whose.US, "Spryng's interface is not there: check BURGERNET_SPRYNG_API_URL"),
}
# A message that it finds faulty (422), by the field that it names.
FAULTY = {
    "recipients": NO_NUMBER,
    "originator": Fault(True, Whose.US, "Spryng refuses our sender: check BURGERNET_SPRYNG_SENDER"),
}
# A delivery report: STATUS, and why it failed: REASONCODE.
DELIVERED, FAILED = "10", "20"
REASONS = {
    "20": Fault(True, Whose.RECIPIENT, "the telephone was off or out of reach"),
    "21": Fault(False, Whose.RECIPIENT, "this number is not in use", Gone.CERTAIN),
    "22": Fault(True, Whose.PROVIDER, "the carrier could not deliver it"),
    "31": Fault(False, Whose.RECIPIENT, "this number is on the list of those who want no texts"),
    "32": Fault(False, Whose.US, "our sender is not registered in the country of this number: ask Spryng"),
}


class SpryngSms:
    """`key` as Spryng gave it; `sender`: our number or name. `free_number` as people read it."""

    provider = "spryng"

    def __init__(self, key: str, sender: str, free_number: str, api_url: str = API) -> None:
        self._key, self._sender, self._free_number = key, sender.lstrip("+"), free_number
        self._messages = f"{api_url.rstrip('/')}/messages"
        self._session: ClientSession | None = None

    async def send(self, sending: Sending) -> Receipt:
        """Raises SendError, Unanswered."""
        body = text(sending.notice, self._free_number).body
        message = {
            "encoding": "plain" if is_plain(body) else "unicode",
            "body": body,
            "route": "business",
            "originator": self._sender,
            "recipients": [sending.to.lstrip("+")],
            "reference": sending.attempt_id,
        }
        return _receipt(await self._asked("POST", json=message))

    async def find(self, sending: Sending) -> Receipt | None:
        """Looks for the attempt's own reference. Raises Unanswered."""
        try:
            listed = await self._asked("GET", params={"filters[reference]": sending.attempt_id})
        except SendError as refused:
            raise Unanswered("Spryng does not tell what it sent") from refused
        if not isinstance(messages := listed.get("data"), list):
            raise Unanswered("Spryng's answer cannot be read")
        for message in messages:
            # Not left to the filter alone: one that were ignored would show texts of other people.
            if isinstance(message, dict) and message.get("reference") == sending.attempt_id:
                return _receipt(message)
        return None

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def _asked(self, method: str, **what: Any) -> dict[str, Any]:
        """What it answers. Raises Unanswered when nobody knows what became of it; SendError, with a pause, when it was
        not reached, or everybody would be refused."""
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        try:
            async with self._opened().request(
                method, self._messages, headers=headers, allow_redirects=False, **what
            ) as answer:
                if answer.status == 429:
                    raise TooMany(TOO_MANY, pause_of(answer.headers.get("Retry-After", "")))
                found = await answer.json(content_type=None) if answer.status < 500 else None
        except (ClientConnectorError, ConnectionTimeoutError) as fault:
            raise SendError(NOT_THERE, PAUSE_S) from fault
        except (ClientError, OSError, TimeoutError, ValueError) as fault:
            raise Unanswered(f"no answer from Spryng that can be read ({type(fault).__name__})") from fault
        if answer.status == 422:
            raise _faulty(found)
        if answer.status in REFUSED:
            raise SendError(REFUSED[answer.status], REPAIR_S)
        if not answer.ok or not isinstance(found, dict):
            raise Unanswered(f"Spryng answered {answer.status}")
        return found

    def _opened(self) -> ClientSession:
        if self._session is None:
            bounds = ClientTimeout(total=ANSWER_S, connect=CONNECT_S)
            # How many side by side is the dispatcher's to say: a wait for a connection would look like a provider away.
            self._session = ClientSession(timeout=bounds, connector=TCPConnector(limit=0))
        return self._session


def receipt_of(status: str, reason: str) -> Receipt:
    """What a delivery report means: any other status than the two that end it is on the way."""
    if status == DELIVERED:
        return Receipt(DeliveryState.DELIVERED, provider_status=status)
    if status == FAILED:
        return Receipt(DeliveryState.FAILED, provider_status=f"{status} {reason}".strip(), fault=fault_of(reason))
    return Receipt(DeliveryState.SENT, provider_status=status)


def fault_of(reason: str) -> Fault:
    why = f"reason {reason}" if reason else "it did not say why"
    return REASONS.get(reason) or Fault(True, Whose.PROVIDER, f"Spryng could not deliver it ({why})")


def _receipt(message: dict[str, Any]) -> Receipt:
    """Of a message that it took. Raises Unanswered."""
    known = str(message.get("id", ""))
    if not ID.fullmatch(known):
        raise Unanswered("Spryng's answer holds no message")
    return Receipt(DeliveryState.SENT, known)


def _faulty(found: Any) -> SendError:
    """The first field that it names decides; one of ours keeps everybody waiting."""
    named = found.get("errors") if isinstance(found, dict) else None
    fields = {str(name).partition(".")[0] for name in named} if isinstance(named, dict) else set()
    fault = next((FAULTY[name] for name in ("originator", "recipients") if name in fields), NOT_OURS)
    return SendError(fault, REPAIR_S if fault.whose_fault is Whose.US and fault.retryable else 0.0)
