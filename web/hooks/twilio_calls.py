"""What Twilio tells about a call it placed for us: how it ended, and whether a machine answered."""

from __future__ import annotations

import re
from functools import partial

from aiohttp import web
from sqlmodel import select

from actions.call_book import CallBook
from actions.models import Attempt, Call, DeliveryState
from actions.store import Away, Store
from actions.together import Together
from alerting.attempts import record_all
from alerting.channels.twilio_voice import MACHINES, receipt_of
from alerting.receipts import Receipt
from web.hooks.signed import SignedForms

STATUS = "/hooks/twilio/voice-status"
ANSWERED_BY = "/hooks/twilio/voice/{attempt:[0-9a-f]{32}}/answered-by"
LARGEST_FORM = 8 * 1024
SID = re.compile(r"CA[0-9a-f]{32}")
_CODE = re.compile(r"[0-9]{1,6}")


def routes(store: Store, book: CallBook, auth_token: str, public_url: str) -> list[web.RouteDef]:
    """`public_url`: how Twilio reaches us. None without a token: with an empty one anybody could sign."""
    if not auth_token:
        return []
    reports = Reports(store, book, SignedForms(auth_token, public_url))
    return [
        web.post(f"{STATUS}/{{attempt:[0-9a-f]{{32}}}}", reports.status),
        web.post(ANSWERED_BY, reports.answered_by),
    ]


class Reports:
    def __init__(self, store: Store, book: CallBook, forms: SignedForms) -> None:
        self._store, self._book, self._forms = store, book, forms
        self._together = Together(partial(record_all, store))

    async def status(self, request: web.Request) -> web.Response:
        form = await self._forms.read(request, LARGEST_FORM)
        receipt = _receipt(form)
        return await self._written(request.match_info["attempt"], receipt, form["CallSid"])

    async def answered_by(self, request: web.Request) -> web.Response:
        form = await self._forms.read(request, LARGEST_FORM)
        sid = form.get("CallSid", "")
        if not SID.fullmatch(sid) or "AnsweredBy" not in form:
            raise web.HTTPBadRequest(text="not about who answered")
        machine = form["AnsweredBy"].startswith(MACHINES)
        state = DeliveryState.MACHINE if machine else DeliveryState.SENT
        return await self._written(request.match_info["attempt"], Receipt(state, sid), sid)

    async def _written(self, attempt_id: str, receipt: Receipt, sid: str) -> web.Response:
        try:
            if receipt.state is DeliveryState.ANSWERED and await self._a_machine_answered(attempt_id):
                receipt = Receipt(DeliveryState.MACHINE, sid, receipt.provider_status)
            known = await self._together.ask((attempt_id, receipt))
            if known and receipt.provider_status == "completed" and not await self._is_booked(sid):
                await self._book.ended(sid, "caller hung up")
        except Away:
            # Twilio repeats it; without an answer of ours it would too, only later.
            raise web.HTTPServiceUnavailable(text="the database is away") from None
        if not known:
            raise web.HTTPNotFound(text="no such attempt")
        return web.Response(status=204)

    async def _a_machine_answered(self, attempt_id: str) -> bool:
        """Told while the call went on: "completed" says nothing about it any more."""
        async with self._store.reading() as session:
            state = (await session.exec(select(Attempt.state).where(Attempt.id == attempt_id))).first()
        return state == DeliveryState.MACHINE

    async def _is_booked(self, sid: str) -> bool:
        """Whether the conversation itself wrote down how it ended."""
        async with self._store.reading() as session:
            return (await session.exec(select(Call.ended_at).where(Call.id == sid))).first() is not None


def _receipt(form: dict[str, str]) -> Receipt:
    """Raises HTTPBadRequest."""
    sid, code = form.get("CallSid", ""), form.get("ErrorCode", "")
    error = int(code) if _CODE.fullmatch(code) else None
    receipt = receipt_of(form.get("CallStatus", ""), sid, form.get("AnsweredBy", ""), error)
    if receipt is None or not SID.fullmatch(sid):
        raise web.HTTPBadRequest(text="not a status callback")
    return receipt
