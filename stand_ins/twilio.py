"""A stand-in for Twilio's messaging API on loopback: the same addresses, forms, answers, errors and signed callbacks.

Nothing leaves the machine. It keeps all it received, so a test can see who was texted what, and it can be told to
behave badly: for one message, for one number, or from now on.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, encode_basic_auth, web

ROOT = "/2010-04-01/Accounts/{account}/Messages"
CALLBACK_BOUND_S = 5.0

# Error code: HTTP status and words. 30xxx come in callbacks only.
ERRORS = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21205: (400, "Url is not a valid URL"),
    21210: (400, "Phone number not verified"),
    21211: (400, "Invalid 'To' Phone Number"),
    21214: (400, "'To' phone number cannot be reached"),
    21215: (400, "Account not authorized to call this number"),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    21602: (400, "Message body is required"),
    21606: (400, "The 'From' phone number provided is not a valid message-capable Twilio phone number"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
}

Status = tuple[str, int | None]  # a message status, and the error code that comes with it


@dataclass(frozen=True)
class Behaviour:
    """How one message fares: what is answered, and which callbacks follow in which order."""

    answer_after_s: float = 0.0
    refuse: int | None = None  # this error instead of taking the message
    retry_after_s: int | None = None  # told with the error
    lose_answer: bool = False  # take the message, then close the connection without a word
    statuses: Sequence[Status] = (("queued", None), ("sent", None), ("delivered", None))
    callbacks_first: bool = False  # before the answer to the request
    callback_copies: int = 1
    forged: bool = False  # callbacks signed with another token
    apart_s: float = 0.0


GOOD = Behaviour()
SILENT = Behaviour(statuses=())
UNDELIVERED = Behaviour(statuses=(("queued", None), ("sent", None), ("undelivered", 30003)))
BACKWARDS = Behaviour(statuses=(("delivered", None), ("sent", None), ("queued", None)))
TOO_BUSY = Behaviour(refuse=20429, retry_after_s=1)
BROKEN = Behaviour(refuse=20500)


@dataclass
class Callback:
    """A callback as it was posted, and the HTTP status it got; None when nobody answered."""

    url: str
    form: dict[str, str]
    answer: int | None


@dataclass
class Twilio:
    """One account. `requests` counts every POST, also the refused; `messages` are those taken, oldest first."""

    account_sid: str
    auth_token: str
    usual: Behaviour = GOOD
    usual_for: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    on_request: Callable[[dict[str, str]], None] | None = None

    def __post_init__(self) -> None:
        self._next: deque[Behaviour] = deque()
        self._posting: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None
        self.url = ""

    def next(self, *behaviours: Behaviour) -> None:
        """The next messages fare like this, one behaviour each; then as usual again."""
        self._next.extend(behaviours)

    def texts_to(self, number: str) -> list[str]:
        """The bodies taken for a number, oldest first."""
        return [message["body"] for message in self.messages if message["to"] == number]

    async def brings(
        self, url: str, sender: str, to: str, body: str, sid: str = "", *, forged: bool = False
    ) -> int | None:
        """A telephone texts one of our numbers, and this is posted to `url`, signed. The HTTP status we answered; None
        when we did not. `sid`: as in an earlier one, to bring that one again."""
        form = {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "Body": body,
            "From": sender,
            "FromCountry": "NL",
            "MessageSid": sid or f"SM{secrets.token_hex(16)}",
            "NumMedia": "0",
            "NumSegments": str(len(body) // 153 + 1),
            "SmsStatus": "received",
            "To": to,
        }
        return await self._post(url, form, forged=forged)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serves until `stop`; `url` then tells where. Port 0: any free one."""
        app = web.Application()
        self._serve_api(app.router)
        self._session = ClientSession(timeout=ClientTimeout(total=CALLBACK_BOUND_S))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        for task in self._posting:
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def settled(self) -> None:
        """Returns when every callback under way has been posted."""
        while self._posting:
            await asyncio.gather(*self._posting)

    def _serve_api(self, router: web.UrlDispatcher) -> None:
        root = ROOT.format(account=self.account_sid)
        router.add_post(f"{root}.json", self._create)
        router.add_get(f"{root}.json", self._list)
        router.add_get(f"{root}/{{sid}}.json", self._fetch)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append(form)
        if self.on_request:
            self.on_request(form)
        if not self._admitted(request):
            return error(20003)
        behaviour = self._behaviour(form.get("To", ""))
        await asyncio.sleep(behaviour.answer_after_s)
        if refused := behaviour.refuse or _fault(form):
            return error(refused, behaviour.retry_after_s)
        message = self._take(form)
        posting = self._posting_of(message, form.get("StatusCallback"), behaviour)
        if behaviour.callbacks_first:
            await posting
        if behaviour.lose_answer:
            assert request.transport
            request.transport.abort()
        return web.json_response(message, status=201)

    async def _list(self, request: web.Request) -> web.Response:
        if not self._admitted(request):
            return error(20003)
        query = dict(request.query)
        found = [message for message in reversed(self.messages) if _asked_for(message, query)]
        size, page = min(int(query.get("PageSize", 50)), 1000), int(query.get("Page", 0))
        start = page * size
        more = start + size < len(found)
        following = urlencode({**query, "PageSize": size, "Page": page + 1})
        return web.json_response(
            {
                "messages": found[start : start + size],
                "page": page,
                "page_size": size,
                "start": start,
                "end": min(start + size, len(found)) - 1,
                "uri": str(request.rel_url),
                "next_page_uri": f"{request.path}?{following}" if more else None,
                "previous_page_uri": None,
            }
        )

    async def _fetch(self, request: web.Request) -> web.Response:
        if not self._admitted(request):
            return error(20003)
        for message in self.messages:
            if message["sid"] == request.match_info["sid"]:
                return web.json_response(message)
        return error(20404)

    def _admitted(self, request: web.Request) -> bool:
        expected = encode_basic_auth(self.account_sid, self.auth_token)
        return hmac.compare_digest(request.headers.get("Authorization", ""), expected)

    def _behaviour(self, number: str) -> Behaviour:
        return self._next.popleft() if self._next else self.usual_for.get(number, self.usual)

    def _take(self, form: dict[str, str]) -> dict[str, Any]:
        sid = f"SM{secrets.token_hex(16)}"
        uri = f"{ROOT.format(account=self.account_sid)}/{sid}"
        moment = format_datetime(datetime.now(UTC))
        message: dict[str, Any] = {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": form["Body"],
            "date_created": moment,
            "date_sent": None,
            "date_updated": moment,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form["From"],
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "queued",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": form["To"],
            "uri": f"{uri}.json",
        }
        self.messages.append(message)
        return message

    def _posting_of(self, message: dict[str, Any], url: str | None, behaviour: Behaviour) -> asyncio.Task[None]:
        return self._keep_posting(asyncio.create_task(self._run_statuses(message, url, behaviour)))

    def _keep_posting(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)
        return task

    async def _run_statuses(self, message: dict[str, Any], url: str | None, behaviour: Behaviour) -> None:
        for status, code in behaviour.statuses:
            await asyncio.sleep(behaviour.apart_s)
            message["status"], message["error_code"] = status, code
            if status in ("sent", "delivered"):
                message["date_sent"] = format_datetime(datetime.now(UTC))
            if url:
                for _ in range(behaviour.callback_copies):
                    await self._post(url, _callback_form(message), forged=behaviour.forged)

    async def _post(self, url: str, form: dict[str, str], *, forged: bool) -> int | None:
        assert self._session
        token = "of somebody else" if forged else self.auth_token
        headers = {"X-Twilio-Signature": signature(token, url, form)}
        answer = None
        try:
            async with self._session.post(url, data=form, headers=headers, allow_redirects=False) as response:
                answer = response.status
        except (ClientError, TimeoutError):
            pass  # noted as unanswered
        self.callbacks.append(Callback(url, form, answer))
        return answer


def signature(token: str, url: str, form: dict[str, str]) -> str:
    """The X-Twilio-Signature of a form posted to `url`: HMAC-SHA1 over the address and the sorted fields."""
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def _callback_form(message: dict[str, Any]) -> dict[str, str]:
    form = {
        "AccountSid": message["account_sid"],
        "ApiVersion": message["api_version"],
        "From": message["from"],
        "MessageSid": message["sid"],
        "MessageStatus": message["status"],
        "SmsSid": message["sid"],
        "SmsStatus": message["status"],
        "To": message["to"],
    }
    return form if message["error_code"] is None else {**form, "ErrorCode": str(message["error_code"])}


def _fault(form: dict[str, str]) -> int | None:
    to = form.get("To", "")
    if not (to.startswith("+") and to[1:].isdigit() and 8 <= len(to) <= 16):
        return 21211
    if not form.get("From"):
        return 21606
    if not form.get("Body"):
        return 21602
    return 21617 if len(form["Body"]) > 1600 else None


def _asked_for(message: dict[str, Any], query: dict[str, str]) -> bool:
    if query.get("To", message["to"]) != message["to"] or query.get("From", message["from"]) != message["from"]:
        return False
    sent = message["date_sent"]
    bounds = [(name[8:], value[:10]) for name, value in query.items() if name.startswith("DateSent")]
    if bounds and sent is None:
        return False
    day = datetime.strptime(sent, "%a, %d %b %Y %H:%M:%S %z").date().isoformat() if sent else ""
    return all({"": day == bound, "<": day <= bound, ">": day >= bound}[sign] for sign, bound in bounds)


def error(code: int, retry_after_s: int | None = None) -> web.Response:
    status, words = ERRORS[code]
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    more = f"https://www.twilio.com/docs/errors/{code}"
    return web.json_response(
        {"code": code, "message": words, "more_info": more, "status": status}, status=status, headers=headers
    )
