"""The stand-in for Twilio with telephone calls too: it rings a scripted callee, fetches TwiML and follows it.

What is fetched is signed, as are the callbacks; a recording is made, told of and served until it is deleted.
"""

from __future__ import annotations

import asyncio
import io
import secrets
import wave
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree

from aiohttp import ClientError, web

from stand_ins.twilio import Behaviour, Twilio, error, signature

ACCOUNT = "/2010-04-01/Accounts/{account}"
APPLICATION_ERROR = "An application error has occurred. Goodbye."
LONGEST_TALK = 50  # turns
NEVER_ANSWERED = ("busy", "no-answer", "failed")
SAMPLE_RATE = 8000

Next = tuple[str, dict[str, str]] | None  # the address of the next turn, and what is told there


@dataclass(frozen=True)
class Callee:
    """Who is called. `ends`: completed, or busy, no-answer, failed when nobody comes to the telephone. `keys`: one for
    each time that one is asked for; "" or none left is silence. `hangs_up_at`: instead of answering the nth question,
    from 0; `breaks_off`: hangs up in the middle of the recording. `room`: how a call to a SIP address ends."""

    ends: str = "completed"
    answered_by: str = "human"
    keys: Sequence[str] = ()
    hangs_up_at: int | None = None
    says_s: int = 3
    breaks_off: bool = False
    room: str = "completed"


@dataclass
class PhoneCall:
    """A call that was taken. `heard`: language and words; `played`: files; `dialled`: SIP address and the number shown
    to it; `fetched`: the HTTP status of each turn."""

    row: dict[str, Any]
    form: dict[str, str]
    callee: Callee
    heard: list[tuple[str, str]] = field(default_factory=list)
    played: list[bytes] = field(default_factory=list)
    dialled: list[tuple[str, str]] = field(default_factory=list)
    fetched: list[int | None] = field(default_factory=list)
    asked: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def sid(self) -> str:
        return str(self.row["sid"])

    def words(self) -> str:
        return " ".join(words for _, words in self.heard)

    def key(self) -> str:
        """What is pressed now; hanging up ends the call."""
        place, self.asked = self.asked, self.asked + 1
        if place == self.callee.hangs_up_at:
            self.ended.set()
        return self.callee.keys[place] if place < len(self.callee.keys) else ""


@dataclass
class TwilioVoice(Twilio):
    """`callees` by number. `picks_up`: cleared, every telephone rings on. `before_key` runs before each question is
    answered. `recordings`: what is kept, by its id: the call's id and the sound."""

    callees: dict[str, Callee] = field(default_factory=dict)
    usual_callee: Callee = field(default_factory=Callee)
    calls: list[PhoneCall] = field(default_factory=list)
    call_requests: list[dict[str, str]] = field(default_factory=list)
    recordings: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    picks_up: asyncio.Event = field(default_factory=asyncio.Event)
    before_key: Callable[[PhoneCall], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.picks_up.set()

    def calls_to(self, number: str) -> list[PhoneCall]:
        """The oldest first."""
        return [call for call in self.calls if call.row["to"] == number]

    def _serve_api(self, router: web.UrlDispatcher) -> None:
        super()._serve_api(router)
        root = ACCOUNT.format(account=self.account_sid)
        router.add_post(f"{root}/Calls.json", self._place)
        router.add_get(f"{root}/Calls.json", self._list_calls)
        router.add_get(f"{root}/Calls/{{sid}}.json", self._fetch_call)
        router.add_post(f"{root}/Calls/{{sid}}.json", self._update_call)
        router.add_get(f"{root}/Recordings.json", self._list_recordings)
        router.add_get(f"{root}/Recordings/{{sid}}.wav", self._sound)
        router.add_delete(f"{root}/Recordings/{{sid}}.json", self._delete_recording)

    # --- the API -----------------------------------------------------------------------------------------------------

    async def _place(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.call_requests.append(form)
        if not self._admitted(request):
            return error(20003)
        behaviour = self._behaviour(form.get("To", ""))
        await asyncio.sleep(behaviour.answer_after_s)
        if refused := behaviour.refuse or _fault(form):
            return error(refused, behaviour.retry_after_s)
        call = PhoneCall(self._row(form), form, self.callees.get(form["To"], self.usual_callee))
        self.calls.append(call)
        self._keep_posting(asyncio.create_task(self._live(call, behaviour)))
        if behaviour.lose_answer:
            assert request.transport
            request.transport.abort()
        return web.json_response(call.row, status=201)

    async def _list_calls(self, request: web.Request) -> web.Response:
        if not self._admitted(request):
            return error(20003)
        query = request.query
        found = [
            call.row
            for call in reversed(self.calls)
            if query.get("To", call.row["to"]) == call.row["to"]
            and query.get("From", call.row["from"]) == call.row["from"]
        ]
        return _page("calls", found[: int(query.get("PageSize", 50))])

    async def _fetch_call(self, request: web.Request) -> web.Response:
        call = self._asked_for(request)
        return web.json_response(call.row) if call else error(20404)

    async def _update_call(self, request: web.Request) -> web.Response:
        """`canceled` ends a call that nobody answered yet, `completed` any."""
        call, wish = self._asked_for(request), (await request.post()).get("Status")
        if call is None:
            return error(20404)
        endable = {"canceled": ("queued", "ringing"), "completed": ("queued", "ringing", "in-progress")}
        if call.row["status"] not in endable.get(str(wish), ()):
            return error(21220)
        if call.row["status"] != "in-progress":
            call.row["status"] = "canceled"
        call.ended.set()
        return web.json_response(call.row)

    async def _list_recordings(self, request: web.Request) -> web.Response:
        if not self._admitted(request):
            return error(20003)
        wanted = request.query.get("CallSid")
        found = [
            {"sid": sid, "call_sid": call, "status": "completed"}
            for sid, (call, _) in self.recordings.items()
            if wanted in (None, call)
        ]
        return _page("recordings", found)

    async def _sound(self, request: web.Request) -> web.Response:
        if not self._admitted(request):
            return error(20003)
        kept = self.recordings.get(request.match_info["sid"])
        return web.Response(body=kept[1], content_type="audio/x-wav") if kept else error(20404)

    async def _delete_recording(self, request: web.Request) -> web.Response:
        if not self._admitted(request):
            return error(20003)
        gone = self.recordings.pop(request.match_info["sid"], None)
        return web.Response(status=204) if gone else error(20404)

    def _asked_for(self, request: web.Request) -> PhoneCall | None:
        if not self._admitted(request):
            return None
        return next((call for call in self.calls if call.sid == request.match_info["sid"]), None)

    def _row(self, form: dict[str, str]) -> dict[str, Any]:
        moment = format_datetime(datetime.now(UTC))
        return {
            "account_sid": self.account_sid,
            "answered_by": None,
            "api_version": "2010-04-01",
            "date_created": moment,
            "date_updated": moment,
            "direction": "outbound-api",
            "from": form["From"],
            "sid": f"CA{secrets.token_hex(16)}",
            "status": "queued",
            "to": form["To"],
        }

    # --- the call ----------------------------------------------------------------------------------------------------

    async def _live(self, call: PhoneCall, behaviour: Behaviour) -> None:
        call.row["status"] = "ringing"
        await _first(self.picks_up, call.ended)
        if not call.ended.is_set():
            never = call.callee.ends in NEVER_ANSWERED
            call.row["status"] = call.callee.ends if never else "in-progress"
            if not never:
                await self._talk(call)
                call.row["status"] = "completed"
        if url := call.form.get("StatusCallback"):
            for _ in range(behaviour.callback_copies):
                await self._post(url, self._form(call, CallDuration="1"), forged=behaviour.forged)

    async def _talk(self, call: PhoneCall) -> None:
        following: Next = (call.form["Url"], {})
        for turn in range(LONGEST_TALK):
            if following is None or call.ended.is_set():
                return
            twiml = await self._turn(call, *following)
            if twiml is None:
                call.heard.append(("en-US", APPLICATION_ERROR))
                return
            if turn == 0:
                await self._tell_who_answered(call)
            following = await self._follow(call, twiml)
        raise AssertionError("a conversation without an end")

    async def _tell_who_answered(self, call: PhoneCall) -> None:
        if url := call.form.get("AsyncAmdStatusCallback"):
            await self._post(url, self._form(call, AnsweredBy=call.callee.answered_by), forged=False)

    async def _turn(self, call: PhoneCall, url: str, told: dict[str, str]) -> ElementTree.Element | None:
        """What is to be done next; None when we were told nothing that can be followed."""
        assert self._session
        form = self._form(call, **told)
        headers = {"X-Twilio-Signature": signature(self.auth_token, url, form)}
        try:
            async with self._session.post(url, data=form, headers=headers) as answer:
                call.fetched.append(answer.status)
                return ElementTree.fromstring(await answer.text()) if answer.status == 200 else None  # noqa: S314
        except (ClientError, TimeoutError, ElementTree.ParseError):
            call.fetched.append(None)
            return None

    async def _follow(self, call: PhoneCall, twiml: ElementTree.Element) -> Next:
        """Verb after verb, until one leads to the next turn; None at the end."""
        for verb in twiml:
            match verb.tag:
                case "Say" | "Play":
                    await self._hear(call, verb)
                case "Gather" if following := await self._gather(call, verb):
                    return following
                case "Dial":
                    call.dialled.append((verb.findtext("Sip", ""), verb.attrib["callerId"]))
                    return verb.attrib["action"], {"DialCallStatus": call.callee.room}
                case "Record" if call.callee.says_s:
                    return await self._record(call, verb)
                case "Hangup":
                    return None
            if call.ended.is_set():
                return None
        return None

    async def _hear(self, call: PhoneCall, verb: ElementTree.Element) -> None:
        if verb.tag == "Say":
            call.heard.append((verb.attrib["language"], verb.text or ""))
            return
        assert self._session
        async with self._session.get(verb.text or "") as answer:
            call.played.append(await answer.read() if answer.status == 200 else b"")

    async def _gather(self, call: PhoneCall, verb: ElementTree.Element) -> Next:
        for said in verb:
            await self._hear(call, said)
        if self.before_key:
            await self.before_key(call)
        key = call.key()
        if call.ended.is_set() or not (key or verb.get("actionOnEmptyResult") == "true"):
            return None
        return verb.attrib["action"], {"Digits": key}

    async def _record(self, call: PhoneCall, verb: ElementTree.Element) -> Next:
        sid, seconds = f"RE{secrets.token_hex(16)}", str(call.callee.says_s)
        self.recordings[sid] = (call.sid, _sound_of(call.callee.says_s))
        url = f"{self.url}{ACCOUNT.format(account=self.account_sid)}/Recordings/{sid}"
        told = {"RecordingSid": sid, "RecordingUrl": url, "RecordingDuration": seconds}
        if ready := verb.get("recordingStatusCallback"):
            await self._post(ready, self._form(call, RecordingStatus="completed", **told), forged=False)
        if call.callee.breaks_off:
            await self._turn(call, verb.attrib["action"], {**told, "Digits": "hangup"})
            return None
        return verb.attrib["action"], {**told, "Digits": "#"}

    def _form(self, call: PhoneCall, **more: str) -> dict[str, str]:
        return {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": call.sid,
            "CallStatus": str(call.row["status"]),
            "Direction": "outbound-api",
            "From": str(call.row["from"]),
            "To": str(call.row["to"]),
            **more,
        }


def _fault(form: dict[str, str]) -> int | None:
    to = form.get("To", "")
    if not (to.startswith("+") and to[1:].isdigit() and 8 <= len(to) <= 16):
        return 21211
    if not form.get("From", "").startswith("+"):
        return 21210
    return None if form.get("Url", "").startswith("http") else 21205


def _page(name: str, rows: list[dict[str, Any]]) -> web.Response:
    return web.json_response({name: rows, "page": 0, "page_size": len(rows), "next_page_uri": None, "uri": ""})


def _sound_of(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        sound.writeframes(b"\x01\x10" * SAMPLE_RATE * seconds)
    return file.getvalue()


async def _first(*events: asyncio.Event) -> None:
    """Returns when one of them is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
