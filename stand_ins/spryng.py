"""A stand-in for Spryng's REST interface on loopback: the same addresses, JSON, answers, errors and delivery reports.

Nothing leaves the machine. It keeps all it received, so a test can see who was texted what, and it can be told to
behave badly: for one message, for one number, or from now on.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, web

ROOT = "/v1/messages"
REPORT_BOUND_S = 5.0
A_PAGE = 15
WORDS = {
    401: "Unauthenticated.",
    402: "Insufficient credits.",
    404: "Not found.",
    429: "Too Many Attempts.",
    500: "Server Error",
    503: "Service Unavailable",
}
MSISDN = re.compile(r"[1-9][0-9]{7,14}")
ORIGINATOR = re.compile(r"[A-Za-z0-9 ]{1,11}|[0-9]{1,14}")

Report = tuple[str, str]  # STATUS and REASONCODE
DELIVERED: Report = ("10", "0")
UNREACHABLE: Report = ("20", "20")


@dataclass(frozen=True)
class Behaviour:
    """How one message fares: what is answered, and which delivery reports follow in which order."""

    answer_after_s: float = 0.0
    refuse: int | None = None  # this HTTP status instead of taking the message
    retry_after_s: int | None = None  # told with it
    lose_answer: bool = False  # take the message, then close the connection without a word
    garble: bool = False  # take the message, and answer something that is no JSON
    reports: Sequence[Report] = (DELIVERED,)
    reports_first: bool = False  # before the answer to the request
    copies: int = 1
    forged: bool = False  # reports to an address with another secret
    apart_s: float = 0.0


GOOD = Behaviour()
SILENT = Behaviour(reports=())
UNDELIVERED = Behaviour(reports=(UNREACHABLE,))
TOO_BUSY = Behaviour(refuse=429, retry_after_s=1)
BROKEN = Behaviour(refuse=500)


@dataclass
class Spryng:
    """One account. `report_url` is what its owner set in the portal, with the secret in it. `requests` are all POSTs,
    also the refused; `messages` those taken, oldest first; `reports` what was told, with the HTTP status it got."""

    key: str
    report_url: str = ""
    usual: Behaviour = GOOD
    usual_for: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    reports: list[tuple[dict[str, str], int | None]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    on_request: Callable[[dict[str, Any]], None] | None = None

    def __post_init__(self) -> None:
        self._next: deque[Behaviour] = deque()
        self._telling: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None
        self.url = ""

    def next(self, *behaviours: Behaviour) -> None:
        """The next messages fare like this, one behaviour each; then as usual again."""
        self._next.extend(behaviours)

    def texts_to(self, number: str) -> list[str]:
        """The bodies taken for a number (+31...), oldest first."""
        return [message["body"] for message in self.messages if message["to"] == number.lstrip("+")]

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Serves until `stop`; `url` then tells where. Port 0: any free one."""
        app = web.Application()
        app.router.add_post(ROOT, self._create)
        app.router.add_get(ROOT, self._list)
        app.router.add_get(f"{ROOT}/{{id}}", self._show)
        self._session = ClientSession(timeout=ClientTimeout(total=REPORT_BOUND_S))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def settled(self) -> None:
        """Returns when every delivery report under way has been told."""
        while self._telling:
            await asyncio.gather(*self._telling)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _create(self, request: web.Request) -> web.StreamResponse:
        given: dict[str, Any] = await request.json()
        self.requests.append(given)
        if self.on_request:
            self.on_request(given)
        if not self._admitted(request):
            return error(401)
        number = str((given.get("recipients") or [""])[0])
        behaviour = self._next.popleft() if self._next else self.usual_for.get(f"+{number}", self.usual)
        await asyncio.sleep(behaviour.answer_after_s)
        if behaviour.refuse:
            return error(behaviour.refuse, behaviour.retry_after_s)
        if faults := _faults(given):
            return web.json_response({"message": "The given data was invalid.", "errors": faults}, status=422)
        message = self._take(given, number)
        telling = self._keep(asyncio.create_task(self._tell_all(message, behaviour)))
        if behaviour.reports_first:
            await telling
        if behaviour.lose_answer:
            assert request.transport
            request.transport.abort()
        return web.Response(text="<html>") if behaviour.garble else web.json_response(_shown(message))

    async def _list(self, request: web.Request) -> web.Response:
        if not self._admitted(request):
            return error(401)
        query = dict(request.query)
        self.asked.append(query)
        fields = {"reference": "reference", "originator": "originator", "recipient_number": "to"}
        wanted = {field: query[f"filters[{name}]"] for name, field in fields.items() if f"filters[{name}]" in query}
        found = [
            _shown(message)
            for message in reversed(self.messages)
            if all(message[field] == value for field, value in wanted.items())
        ]
        size, page = int(query.get("limit", A_PAGE)), int(query.get("page", 1))
        first = (page - 1) * size
        rows = found[first : first + size]
        last = max(1, -(-len(found) // size))
        return web.json_response(
            {
                "total": len(found),
                "per_page": size,
                "current_page": page,
                "last_page": last,
                "next_page_url": f"{self.url}/messages?page={page + 1}" if page < last else None,
                "prev_page_url": f"{self.url}/messages?page={page - 1}" if page > 1 else None,
                "from": first + 1 if rows else None,
                "to": first + len(rows) if rows else None,
                "data": rows,
            }
        )

    async def _show(self, request: web.Request) -> web.Response:
        if not self._admitted(request):
            return error(401)
        found = [message for message in self.messages if message["id"] == request.match_info["id"]]
        return web.json_response(_shown(found[0])) if found else error(404)

    def _admitted(self, request: web.Request) -> bool:
        return hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self.key}")

    def _take(self, given: dict[str, Any], number: str) -> dict[str, Any]:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        message: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "encoding": given.get("encoding", "auto"),
            "originator": given["originator"],
            "body": given["body"],
            "reference": given.get("reference"),
            "credits": 1.0,
            "scheduled_at": moment,
            "canceled_at": None,
            "created_at": moment,
            "updated_at": moment,
            "links": [],
            "to": number,
        }
        self.messages.append(message)
        return message

    def _keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        return task

    async def _tell_all(self, message: dict[str, Any], behaviour: Behaviour) -> None:
        for status, reason in behaviour.reports:
            await asyncio.sleep(behaviour.apart_s)
            for _ in range(behaviour.copies if self.report_url else 0):
                await self._tell(message["reference"], status, reason, forged=behaviour.forged)

    async def _tell(self, reference: str, status: str, reason: str, *, forged: bool) -> None:
        assert self._session
        report = {"STATUS": status, "REASONCODE": reason, "REFERENCE": reference}
        url = f"{self.report_url.rpartition('/')[0]}/{'0' * 32}" if forged else self.report_url
        answer = None
        try:
            async with self._session.get(url, params=report, allow_redirects=False) as response:
                answer = response.status
        except (ClientError, TimeoutError):
            pass  # noted as unanswered
        self.reports.append((report, answer))


def error(status: int, retry_after_s: int | None = None) -> web.Response:
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return web.json_response({"message": WORDS[status]}, status=status, headers=headers)


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "to"}


def _faults(given: dict[str, Any]) -> dict[str, list[str]]:
    """As its framework names them: by field, and by place in a list."""
    faults = {name: [f"The {name} field is required."] for name in ("body", "originator") if not given.get(name)}
    if given.get("originator") and not ORIGINATOR.fullmatch(str(given["originator"])):
        faults["originator"] = ["The originator format is invalid."]
    if given.get("encoding", "auto") not in ("plain", "unicode", "auto"):
        faults["encoding"] = ["The selected encoding is invalid."]
    for place, number in enumerate(given.get("recipients") or [""]):
        if not MSISDN.fullmatch(str(number)):
            faults[f"recipients.{place}"] = [f"The recipients.{place} is invalid."]
    return faults
