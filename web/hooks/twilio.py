"""Twilio's status callbacks: signed with our account's token over the public address, written to the database."""

from __future__ import annotations

import re

from aiohttp import web
from twilio.request_validator import RequestValidator

from actions.store import Away, Store
from alerting.channels.sms import receipt_of
from alerting.queue import record

STATUS = "/hooks/twilio/status"
_ATTEMPT = re.compile(r"[0-9a-f]{32}")
_SID = re.compile(r"[A-Za-z0-9]{2,64}")


def routes(store: Store, auth_token: str, public_url: str) -> list[web.RouteDef]:
    """`public_url`: how Twilio reaches us; a signature is over that, not over what a proxy made of it."""
    validator = RequestValidator(auth_token)
    public = public_url.rstrip("/")

    async def status(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signature = request.headers.get("X-Twilio-Signature", "")
        if not validator.validate(f"{public}{request.path_qs}", form, signature):
            raise web.HTTPForbidden(text="the signature does not fit")
        attempt_id, sid, code = request.match_info["attempt"], form.get("MessageSid", ""), form.get("ErrorCode", "")
        receipt = receipt_of(form.get("MessageStatus", ""), sid, int(code) if code.isdecimal() else None)
        if receipt is None or not _ATTEMPT.fullmatch(attempt_id) or not _SID.fullmatch(sid):
            raise web.HTTPBadRequest(text="not a status callback")
        try:
            known = await record(store, attempt_id, receipt)
        except Away:
            # Twilio repeats it; without an answer of ours it would too, only later.
            raise web.HTTPServiceUnavailable(text="the database is away") from None
        return web.Response(status=204) if known else web.Response(status=404, text="no such attempt")

    return [web.post(f"{STATUS}/{{attempt}}", status)]
