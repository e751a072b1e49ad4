"""Twilio's status callbacks: signed with our account's token over the public address, written to the database."""

from __future__ import annotations

import re
from functools import partial

from aiohttp import web

from actions.store import Away, Store
from actions.together import Together
from alerting.attempts import record_all
from alerting.channels.sms import receipt_of
from alerting.receipts import Receipt
from web.hooks.signed import SignedForms

STATUS = "/hooks/twilio/status"
LARGEST_FORM = 8 * 1024
_SID = re.compile(r"[A-Za-z0-9]{2,64}")
_CODE = re.compile(r"[0-9]{1,6}")


def routes(store: Store, auth_token: str, public_url: str) -> list[web.RouteDef]:
    """`public_url`: how Twilio reaches us. None without a token: with an empty one anybody could sign."""
    if not auth_token:
        return []
    forms = SignedForms(auth_token, public_url)
    together = Together(partial(record_all, store))

    async def status(request: web.Request) -> web.Response:
        form = await forms.read(request, LARGEST_FORM)
        try:
            known = await together.ask((request.match_info["attempt"], _receipt(form)))
        except Away:
            # Twilio repeats it; without an answer of ours it would too, only later.
            raise web.HTTPServiceUnavailable(text="the database is away") from None
        if not known:
            raise web.HTTPNotFound(text="no such attempt")
        return web.Response(status=204)

    return [web.post(f"{STATUS}/{{attempt:[0-9a-f]{{32}}}}", status)]


def _receipt(form: dict[str, str]) -> Receipt:
    """Raises HTTPBadRequest."""
    sid, code = form.get("MessageSid", ""), form.get("ErrorCode", "")
    receipt = receipt_of(form.get("MessageStatus", ""), sid, int(code) if _CODE.fullmatch(code) else None)
    if receipt is None or not _SID.fullmatch(sid):
        raise web.HTTPBadRequest(text="not a status callback")
    return receipt
