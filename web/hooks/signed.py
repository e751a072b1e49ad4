"""Forms that a provider posts, signed with our account's token over the public address."""

from __future__ import annotations

from urllib.parse import parse_qsl

from aiohttp import web
from twilio.request_validator import RequestValidator

MOST_FIELDS = 200


async def signed_form(request: web.Request, validator: RequestValidator, public: str) -> dict[str, str]:
    """The fields of a form whose signature fits. `public`: the address under which the provider reaches us, without a
    slash at the end. Raises HTTPBadRequest, HTTPForbidden, HTTPRequestEntityTooLarge."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPBadRequest(text="not a form")
    sent = (await request.read()).decode("utf-8", "replace")
    try:
        form = dict(parse_qsl(sent, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise web.HTTPBadRequest(text="not a form") from None
    if not validator.validate(f"{public}{request.path_qs}", form, request.headers.get("X-Twilio-Signature", "")):
        raise web.HTTPForbidden(text="the signature does not fit")
    return form
