"""Voice alerts by Twilio: it rings, and fetches from us, turn by turn, what is said to who answers."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from twilio.base.exceptions import TwilioException

from actions.models import DeliveryState
from actions.reachability import Gone
from alerting.channels import Sending
from alerting.channels.ringing import NO_EXERCISES, NOT_ANSWERED, RING_S
from alerting.channels.sms import CLOCKS_APART, LOOK_BACK, NOBODY_GETS_THROUGH, REPAIR_S
from alerting.channels.sms import FAULTS as FAULTS_OF_THE_ACCOUNT
from alerting.channels.twilio_client import TwilioClient
from alerting.errors import Fault, SendError, Unanswered, Whose
from alerting.receipts import Receipt

log = logging.getLogger(__name__)

# What a call can lead to that is not more than "under way" or "answered".
NOBODY = {
    "busy": NOT_ANSWERED["busy"],
    "no-answer": NOT_ANSWERED["no_answer"],
    "canceled": replace(NOT_ANSWERED["stopped"], state=DeliveryState.FAILED),
}
UNDER_WAY = frozenset({"queued", "initiated", "ringing", "in-progress"})
MACHINES = ("machine", "fax")

# Twilio's error codes that tell more than "it failed".
FAULTS = {
    20003: FAULTS_OF_THE_ACCOUNT[20003],
    20005: FAULTS_OF_THE_ACCOUNT[20005],
    10004: Fault(True, Whose.PROVIDER, "Twilio has too many calls of ours under way"),
    13224: Fault(False, Whose.RECIPIENT, "this is no telephone number", Gone.CERTAIN),
    13227: Fault(False, Whose.US, "our Twilio account may not call this country: allow it in the account"),
    21205: Fault(True, Whose.US, "Twilio cannot fetch from BURGERNET_PUBLIC_URL: is it on the internet?"),
    21210: Fault(True, Whose.US, "Twilio does not know our caller ID as ours: check BURGERNET_TWILIO_CALLER_ID"),
    21211: Fault(False, Whose.RECIPIENT, "this is no telephone number", Gone.CERTAIN),
    21212: Fault(True, Whose.US, "our caller ID is no telephone number: check BURGERNET_TWILIO_CALLER_ID"),
    21214: Fault(False, Whose.RECIPIENT, "this number cannot be called"),
    21215: Fault(False, Whose.US, "our Twilio account may not call this country: allow it in the account"),
    21216: Fault(False, Whose.US, "our Twilio account may not call this number"),
    21217: Fault(False, Whose.RECIPIENT, "this is no telephone number", Gone.CERTAIN),
}
NO_CALL_GETS_THROUGH = NOBODY_GETS_THROUGH | {10004, 21205, 21210, 21212}


class TwilioVoice:
    """`caller_id`: a number (E.164) of ours that Twilio may show. `conversation_url` and `status_url`: the public
    addresses, up to the id of the attempt, from which Twilio fetches what is said and at which it tells how the call
    ended. `longest_s` bounds a call."""

    provider = "twilio"

    def __init__(
        self, client: TwilioClient, caller_id: str, conversation_url: str, status_url: str, longest_s: int
    ) -> None:
        self._calls = client.rest.calls
        self._caller_id, self._longest_s = caller_id, longest_s
        self._conversation_url, self._status_url = conversation_url, status_url

    async def send(self, sending: Sending) -> Receipt:
        """Returns when Twilio took the call; it rings later. Raises SendError, Unanswered.

        Whether a machine answered is told while the message is told: nobody waits in silence for it. An exercise never
        goes by this way, which leads to everybody."""
        if sending.notice.exercise:
            raise SendError(NO_EXERCISES)
        conversation = f"{self._conversation_url}/{sending.attempt_id}"
        try:
            taken = await self._calls.create_async(
                to=sending.to,
                from_=self._caller_id,
                url=conversation,
                status_callback=f"{self._status_url}/{sending.attempt_id}",
                timeout=int(RING_S),
                time_limit=self._longest_s,
                machine_detection="Enable",
                async_amd="true",
                async_amd_status_callback=f"{conversation}/answered-by",
            )
        except TwilioException as refused:
            raise _refusal(getattr(refused, "code", None)) from refused
        except ValueError as unclear:
            raise Unanswered("Twilio's answer cannot be read") from unclear
        return _receipt(taken)

    async def find(self, sending: Sending) -> Receipt | None:
        """Looks among the newest calls to this number. Raises Unanswered."""
        try:
            newest = await self._calls.page_async(to=sending.to, from_=self._caller_id, page_size=LOOK_BACK)
        except (TwilioException, SendError, ValueError) as refused:
            raise Unanswered("Twilio does not tell whom it called") from refused
        since = sending.started_at - CLOCKS_APART
        for call in newest:
            if call.sid not in sending.others and call.date_created >= since:
                return _receipt(call)
        return None

    async def stop_ringing(self, sid: str) -> None:
        """Ends a call that nobody answered yet; one that was answered goes on. Raises SendError, Unanswered."""
        try:
            await self._calls(sid).update_async(status="canceled")
        except TwilioException as refused:
            # Answered, or over, meanwhile.
            log.info("call %s rings on or is over: Twilio's error %s", sid, getattr(refused, "code", "unknown"))
        except ValueError as unclear:
            raise Unanswered("Twilio's answer cannot be read") from unclear


def receipt_of(status: str, sid: str, answered_by: str, error_code: int | None) -> Receipt | None:
    """What a status of a call means; None for a status that does not exist. A call that was answered and in which no
    key was pressed ends as "completed" too."""
    if status in UNDER_WAY:
        return Receipt(DeliveryState.SENT, sid, status)
    if status == "completed":
        machine = answered_by.startswith(MACHINES)
        return Receipt(DeliveryState.MACHINE if machine else DeliveryState.ANSWERED, sid, status)
    if status == "failed":
        return Receipt(DeliveryState.FAILED, sid, status, fault_of(error_code))
    nobody = NOBODY.get(status)
    return replace(nobody, provider_id=sid, provider_status=status) if nobody else None


def fault_of(code: int | None) -> Fault:
    why = f"error {code}" if code else "it did not say why"
    return FAULTS.get(code or 0) or Fault(True, Whose.PROVIDER, f"Twilio could not put the call through ({why})")


def _receipt(call: Any) -> Receipt:
    known = receipt_of(call.status, call.sid, call.answered_by or "", None)
    return known or Receipt(DeliveryState.SENT, call.sid)


def _refusal(code: int | None) -> SendError:
    return SendError(fault_of(code), REPAIR_S if code in NO_CALL_GETS_THROUGH else 0.0)
