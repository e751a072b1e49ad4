"""Twilio's status callbacks: signed with our account's token over the public address, written to the database."""

from __future__ import annotations

import re
from functools import partial

from aiohttp import web
from twilio.request_validator import RequestValidator

from actions.store import Away, Store
from alerting.attempts import record_all
from alerting.channels.sms import receipt_of
from alerting.receipts import Receipt
from alerting.together import Together

STATUS = "/hooks/twilio/status"
LARGEST_FORM = 8 * 1024
_SID = re.compile(r"[A-Za-z0-9]{2,64}")
_CODE = re.compile(r"[0-9]{1,6}")


def routes(store: Store, auth_token: str, public_url: str) -> list[web.RouteDef]:
    """`public_url`: how Twilio reaches us; a signature is over that, not over what a proxy made of it. None without a
    token: with an empty one anybody could sign."""
    if not auth_token:
        return []
    validator = RequestValidator(auth_token)
    public = public_url.rstrip("/")
    together = Together(partial(record_all, store))

    async def status(request: web.Request) -> web.Response:
        form = await _form(request)
        if not validator.validate(f"{public}{request.path_qs}", form, request.headers.get("X-Twilio-Signature", "")):
            raise web.HTTPForbidden(text="the signature does not fit")
        try:
            known = await together.ask((request.match_info["attempt"], _receipt(form)))
        except Away:
            # Twilio repeats it; without an answer of ours it would too, only later.
            raise web.HTTPServiceUnavailable(text="the database is away") from None
        if not known:
            raise web.HTTPNotFound(text="no such attempt")
        return web.Response(status=204)

    return [web.post(f"{STATUS}/{{attempt:[0-9a-f]{{32}}}}", status)]


async def _form(request: web.Request) -> dict[str, str]:
    """The fields of a form. Raises HTTPBadRequest, HTTPRequestEntityTooLarge."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPBadRequest(text="not a form")
    if (request.content_length or 0) > LARGEST_FORM:
        raise web.HTTPRequestEntityTooLarge(LARGEST_FORM, request.content_length or 0)
    try:
        return {name: str(value) for name, value in (await request.post()).items()}
    except (ValueError, LookupError):
        raise web.HTTPBadRequest(text="not a form") from None


def _receipt(form: dict[str, str]) -> Receipt:
    """Raises HTTPBadRequest."""
    sid, code = form.get("MessageSid", ""), form.get("ErrorCode", "")
    receipt = receipt_of(form.get("MessageStatus", ""), sid, int(code) if _CODE.fullmatch(code) else None)
    if receipt is None or not _SID.fullmatch(sid):
        raise web.HTTPBadRequest(text="not a status callback")
    return receipt
