"""Voice alerts by our own telephone exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from actions.call_book import CallBook
from actions.live import OpenActions
from actions.models import DeliveryState, MessageKind
from actions.store import Away, Store
from alerting.attempts import record
from alerting.channels import Sending
from alerting.channels.ringing import NO_EXERCISES, NOT_ANSWERED, RING_S
from alerting.errors import Fault, SendError, Unanswered, Whose
from alerting.receipts import Receipt
from telephony.ari import AriAway
from telephony.calls import Call
from telephony.controller import Controller
from telephony.legs import Hangup, first_of
from telephony.outbound import AllInUse, MayNotCall, Outgoing

log = logging.getLogger(__name__)

PAUSE_S = 1.0
# Of the time for one attempt half is for the ringing: alerting.dispatcher.
ATTEMPT_S = 2 * (RING_S + 10)

TRUNK_FULL = Fault(True, Whose.US, "all our outbound channels are in use")
# What the database takes; the controller's name is in front.
LONGEST_ID = 64
NO_TRUNK = Fault(False, Whose.US, "there is no trunk for calls: set BURGERNET_TRUNK_CONTACTS")
AWAY = Fault(True, Whose.US, "our telephone exchange is away")


Report = Callable[[DeliveryState], Awaitable[None]]
Talk = Callable[[Call, Sending, Report], Awaitable[None]]


class AsteriskVoice:
    """Rings through the first of `trunks` (an exercise: of `exercise_trunks`, and no other) that takes it, and shows
    `caller_id`. `talk` leads the conversation of each
    call that is answered, and reports what is learnt in it; until then an answered attempt is "sent"."""

    provider = "asterisk"

    def __init__(
        self,
        controller: Controller,
        store: Store,
        actions: OpenActions,
        book: CallBook,
        trunks: tuple[str, ...],
        exercise_trunks: tuple[str, ...],
        caller_id: str,
        talk: Talk,
    ) -> None:
        self._controller, self._store, self._actions, self._book = controller, store, actions, book
        self._trunks, self._exercise_trunks, self._caller_id, self._talk = trunks, exercise_trunks, caller_id, talk
        self._calls: set[asyncio.Task[Receipt]] = set()

    @property
    def there(self) -> bool:
        """Whether our exchange can be asked for a call to the public network at this moment."""
        return bool(self._trunks) and self._controller.ari.connected.is_set()

    async def send(self, sending: Sending) -> Receipt:
        """Returns when the telephone was answered, or not. Raises SendError, Unanswered."""
        trunks = self._exercise_trunks if sending.notice.exercise else self._trunks
        if not trunks:
            raise SendError(NO_EXERCISES if sending.notice.exercise else NO_TRUNK)
        if not self._controller.ari.connected.is_set():
            raise SendError(AWAY, PAUSE_S)
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        call = asyncio.create_task(self._placed(sending, trunks, answered), name=sending.attempt_id)
        self._calls.add(call)
        call.add_done_callback(self._over)
        await first_of(call, answered, bound_s=None)
        return self._sent(sending) if answered.done() else call.result()

    async def find(self, sending: Sending) -> Receipt | None:
        """Whether an attempt that nobody leads any more rang, was answered, or still goes on. Raises Unanswered."""
        try:
            if await self._controller.is_there(self._controller.leg_of(sending.attempt_id)):
                raise Unanswered("the call still goes on")
        except AriAway as away:
            raise Unanswered(AWAY.operator_message) from away
        return self._sent(sending) if await self._book.was_placed(sending.attempt_id) else None

    async def _placed(self, sending: Sending, trunks: tuple[str, ...], answered: asyncio.Future[None]) -> Receipt:
        async def conversation(call: Call) -> None:
            answered.set_result(None)
            report = partial(self._report, sending.attempt_id)
            try:
                await self._talk(call, sending, report)
            except (Hangup, AriAway):
                raise
            except Exception:
                await report(DeliveryState.FAILED)  # so that a text follows
                raise

        outgoing = Outgoing(sending.to, trunks, self._caller_id, RING_S, sending.attempt_id)
        try:
            how = await self._controller.place(outgoing, conversation, self._until_over(sending))
        except AllInUse as full:
            raise SendError(TRUNK_FULL, PAUSE_S) from full
        except MayNotCall as refused:
            raise SendError(Fault(False, Whose.US, str(refused))) from refused
        except AriAway as away:
            raise Unanswered(AWAY.operator_message) from away
        return NOT_ANSWERED.get(how) or self._sent(sending)

    def _until_over(self, sending: Sending) -> asyncio.Future[None]:
        """Done when it is no use any more to let the telephone ring. A result is always of use."""
        if sending.notice.kind == MessageKind.RESULT:
            return asyncio.get_running_loop().create_future()
        return self._actions.over(sending.notice.code)

    async def _report(self, attempt_id: str, state: DeliveryState) -> None:
        try:
            await record(self._store, attempt_id, Receipt(state))
        except Away as fault:
            log.warning("attempt %s: %s could not be recorded (%s)", attempt_id, state, type(fault).__name__)

    def _sent(self, sending: Sending) -> Receipt:
        return Receipt(DeliveryState.SENT, self._controller.leg_of(sending.attempt_id)[:LONGEST_ID])

    def _over(self, call: asyncio.Task[Receipt]) -> None:
        self._calls.discard(call)
        if not call.cancelled() and (fault := call.exception()):
            known = isinstance(fault, SendError | Unanswered)
            log.log(
                logging.INFO if known else logging.ERROR,
                "%s: %s",
                call.get_name(),
                fault,
                exc_info=None if known else fault,
            )
