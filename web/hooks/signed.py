"""Forms that a provider posts, signed with our account's token over the public address."""

from __future__ import annotations

from urllib.parse import parse_qsl

from aiohttp import web
from twilio.request_validator import RequestValidator

MOST_FIELDS = 200


class SignedForms:
    """`public_url`: how the provider reaches us; a signature is over that, not over what a proxy made of it."""

    def __init__(self, auth_token: str, public_url: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._public = public_url.rstrip("/")

    async def read(self, request: web.Request, largest: int) -> dict[str, str]:
        """The fields of a form of at most `largest` bytes, whose signature fits. Raises HTTPBadRequest,
        HTTPForbidden, HTTPRequestEntityTooLarge."""
        form = await _fields(request, largest)
        signature = request.headers.get("X-Twilio-Signature", "")
        if not self._validator.validate(f"{self._public}{request.path_qs}", form, signature):
            raise web.HTTPForbidden(text="the signature does not fit")
        return form


async def _fields(request: web.Request, largest: int) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPBadRequest(text="not a form")
    if (request.content_length or 0) > largest or len(sent := await request.read()) > largest:
        raise web.HTTPRequestEntityTooLarge(largest)
    try:
        return dict(parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise web.HTTPBadRequest(text="not a form") from None
