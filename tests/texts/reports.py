"""Reports of a provider, as it would post them, signed or not so well signed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession

from actions.models import Attempt
from stand_ins.twilio import SILENT, signature
from tests.texts.conftest import TOKEN
from tests.texts.wave import Wave
from web.hooks.twilio import STATUS

SID = "SM00000000000000000000000000000001"
FORM = "application/x-www-form-urlencoded"


async def one_sent(wave: Wave) -> Attempt:
    """An attempt of which the provider said nothing but that it took it."""
    wave.twilio.usual = SILENT
    await wave.alerts(1)
    await wave.sends()
    (attempt,) = await wave.attempts()
    return attempt


async def post(
    url: str, form: dict[str, str], *, token: str = TOKEN, signed_url: str | None = None, **more: Any
) -> int:
    """The HTTP status that a callback gets."""
    headers = {"X-Twilio-Signature": signature(token, signed_url or url, form), "Content-Type": FORM, **more}
    async with ClientSession() as session, session.post(url, data=urlencode(form), headers=headers) as response:
        return response.status


async def tells(wave: Wave, attempt: Attempt, status: str, code: str = "", **more: Any) -> int:
    form = {"MessageSid": SID, "MessageStatus": status} | ({"ErrorCode": code} if code else {})
    return await post(f"{wave.public_url}{STATUS}/{attempt.id}", form, **more)
