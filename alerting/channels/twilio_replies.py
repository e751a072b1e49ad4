"""Answers to texts by Twilio. They are no deliveries: no attempt rows, no status callbacks."""

from __future__ import annotations

from datetime import datetime, timedelta

from twilio.base.exceptions import TwilioException

from alerting.channels.sms import fault_of
from alerting.channels.twilio_client import TwilioClient
from alerting.errors import SendError, Unanswered

# The newest messages to one number: more than there can be in the time in which an answer is useful.
LOOK_BACK = 50
CLOCKS_APART = timedelta(seconds=30)


class TwilioReplies:
    """`sender`: our number, as in the alerts."""

    def __init__(self, client: TwilioClient, sender: str) -> None:
        self._messages, self._sender = client.rest.messages, sender

    async def reply(self, e164: str, body: str) -> str:
        """Sends a text; Twilio's id of it. Raises SendError, Unanswered."""
        try:
            taken = await self._messages.create_async(to=e164, from_=self._sender, body=body)
        except TwilioException as refused:
            if getattr(refused, "status", 400) >= 500:
                raise Unanswered("Twilio failed") from refused
            raise SendError(fault_of(getattr(refused, "code", None))) from refused
        except ValueError as unclear:
            raise Unanswered("Twilio's answer cannot be read") from unclear
        return str(taken.sid)

    async def replied(self, e164: str, body: str, since: datetime, others: frozenset[str]) -> str | None:
        """Twilio's id of this text, the first since it was asked for; None when it never came there. Raises
        Unanswered."""
        try:
            newest = list(await self._messages.page_async(to=e164, page_size=LOOK_BACK))
        except (TwilioException, SendError, ValueError) as refused:
            raise Unanswered("Twilio does not tell what it sent") from refused
        for message in reversed(newest):
            new = message.sid not in others and message.date_created >= since - CLOCKS_APART
            if new and message.body == body:
                return str(message.sid)
        return None
