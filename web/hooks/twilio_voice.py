"""A voice alert by Twilio, turn by turn: it tells what was heard or pressed, and fetches what is to be said next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlencode

from aiohttp import web
from redis.asyncio import Redis

from actions.books import Actor
from actions.call_book import CallBook
from actions.live import wake
from actions.matching import Match, OpenAction
from actions.models import DeliveryState, MessageKind, now
from actions.numbers import read_number
from actions.store import Away, Store
from actions.tips import Tips
from actions.together import Together
from actions.withdrawals import Withdrawals
from actions.wordings import Wordings
from alerting.about import About, about
from alerting.attempts import record_all
from alerting.keys import AGAIN, KEY_S, NO_MORE, TIMES, TIP, TO_THE_ROOM
from alerting.left_tips import NOTHING_LEFT, RECORDINGS
from alerting.receipts import Receipt
from alerting.renditions import voice, voice_in_short
from web.hooks.signed import SignedForms
from web.hooks.twilio_calls import LARGEST_FORM, SID
from web.hooks.twiml import Lines, Part, Sound, Spoken, Words

log = logging.getLogger(__name__)

CONVERSATION = "/hooks/twilio/voice"
SWITCH_LANGUAGE = "*"
# Twilio gives up after 15 s.
TURN_S = 10.0
NOTHING_SAID = {"", "0"}
BY = Actor("participant", "voice alert", "key 9")


@dataclass(frozen=True)
class Turn:
    """What Twilio told: its call, its form, and where the conversation stands (from our own signed address)."""

    attempt_id: str
    sid: str
    form: dict[str, str]
    language: str
    told: int


@dataclass(frozen=True)
class Hearers:
    """What the conversations have at hand. `sip`: the address of the free number at our exchange; empty: nobody can be
    connected. `longest_s` bounds a call."""

    store: Store
    redis: Redis
    book: CallBook
    tips: Tips
    words: Words
    sip: str
    longest_s: int


def routes(hearers: Hearers, auth_token: str, public_url: str) -> list[web.RouteDef]:
    """`public_url`: how Twilio reaches us. None without a token: with an empty one anybody could sign."""
    if not auth_token:
        return []
    talk = Conversation(hearers, SignedForms(auth_token, public_url), public_url)
    here = f"{CONVERSATION}/{{attempt:[0-9a-f]{{32}}}}"
    turns = {
        "": talk.answered,
        "/pressed": talk.pressed,
        "/withdrawn": talk.withdrawn,
        "/connected": talk.connected,
        "/recorded": talk.recorded,
    }
    return [
        *(web.post(f"{here}{path}", partial(talk.turn, turn)) for path, turn in turns.items()),
        web.post(f"{here}/recording", talk.recording),
        web.get(f"{here}/sound/{{language:[a-z]{{2}}}}", talk.sound),
    ]


class Conversation:
    def __init__(self, hearers: Hearers, forms: SignedForms, public_url: str) -> None:
        self._at, self._forms, self._public = hearers, forms, public_url.rstrip("/")
        self._withdrawals = Withdrawals(hearers.store)
        self._reports = Together(partial(record_all, hearers.store))

    async def turn(self, what: Callable[[Turn, About], Awaitable[Lines]], request: web.Request) -> web.Response:
        """One turn, however it goes: whoever listens is never left in silence."""
        turn = await self._read(request)
        try:
            async with asyncio.timeout(TURN_S):
                lines = await what(turn, await self._about(turn))
        except Away as fault:
            log.warning("call %s: no database (%s)", turn.sid, type(fault).__name__)
            lines = self._lines(turn).play("not-now").hang_up()
        return web.Response(text=str(lines), content_type="text/xml")

    async def answered(self, turn: Turn, found: About) -> Lines:
        """Somebody, or something, came to the telephone."""
        turn = replace(turn, language=found.language)
        number, shown = read_number(turn.form.get("To")), turn.form.get("From", "")
        await self._report(turn, DeliveryState.SENT)
        await self._at.book.placed(turn.sid, turn.attempt_id, number, shown, now())
        if found.of_no_use:
            return await self._already_over(turn)
        lines = self._lines(turn)
        if found.notice.kind == MessageKind.RESULT:
            return await self._ends(turn, lines.tell(self._message(turn, found)), "told")
        return self._tell(turn, found, lines, 1)

    async def pressed(self, turn: Turn, found: About) -> Lines:
        key = turn.form.get("Digits", "")[:1]
        if not key:
            return await self._silent(turn, found)
        await self._report(turn, DeliveryState.CONFIRMED)
        if key == NO_MORE:
            await self._withdrawals.from_action(turn.attempt_id, BY)
            return self._lines(turn).ask([], "withdrawn", KEY_S, self._address(turn, "withdrawn")).hang_up()
        if found.action is None:
            return await self._already_over(turn)
        if key in (TO_THE_ROOM, TIP):
            return await self._obey(turn, found.action, key)
        return await self._again(turn, found, key)

    async def withdrawn(self, turn: Turn, _: About) -> Lines:
        """A second 9 signs off for good."""
        if turn.form.get("Digits") != NO_MORE:
            return await self._ends(turn, self._lines(turn), "withdrew from the action")
        await self._withdrawals.for_good(turn.attempt_id, BY)
        return await self._ends(turn, self._lines(turn).play("signed-off-for-good"), "signed off")

    async def connected(self, turn: Turn, found: About) -> Lines:
        """The call to our exchange is over, or never came about: then a tip can be left here."""
        if turn.form.get("DialCallStatus") in ("completed", "answered"):
            return await self._ends(turn, self._lines(turn), "was connected")
        if found.action is None:
            return await self._already_over(turn)
        return await self._record(turn, found.action, "leave-tip")

    async def recorded(self, turn: Turn, _: About) -> Lines:
        if turn.form.get("RecordingDuration", "") in NOTHING_SAID:
            return await self._ends(turn, self._lines(turn).play("tip-empty"), NOTHING_LEFT)
        lines = await self._ends(turn, self._lines(turn).play("tip-thanks"), "tip left")
        await wake(self._at.redis, RECORDINGS)
        return lines

    async def recording(self, request: web.Request) -> web.Response:
        """A recording can be fetched, said also when its speaker hung up. Nothing is fetched here."""
        turn = await self._read(request)
        try:
            await self._about(turn)
        except Away:
            raise web.HTTPServiceUnavailable(text="the database is away") from None
        if turn.form.get("RecordingDuration", "") not in NOTHING_SAID:
            await self._at.book.ended(turn.sid, "tip left")
            await wake(self._at.redis, RECORDINGS)
        return web.Response(status=204)

    async def sound(self, request: web.Request) -> web.Response:
        """The operator's own recording of a message, to be played. Not signed: thousands hear it, and the id of an
        attempt cannot be guessed."""
        try:
            wordings = await Wordings(self._at.store).of_attempt(request.match_info["attempt"])
        except Away:
            raise web.HTTPServiceUnavailable(text="the database is away") from None
        wording = wordings.get(request.match_info["language"])
        if wording is None or wording.wav is None:
            raise web.HTTPNotFound(text="no such recording")
        return web.Response(body=wording.wav, content_type="audio/wav")

    def _tell(self, turn: Turn, found: About, lines: Lines, told: int) -> Lines:
        heard = self._address(turn, "pressed", told=told)
        return lines.ask(self._message(turn, found), "alert-keys", KEY_S, heard).hang_up()

    def _message(self, turn: Turn, found: About) -> list[Part]:
        """In the language of the turn as far as there is one: the operator's own recording, or else its text."""
        notice = found.in_language(turn.language)
        opening, *message, closing = (Spoken(sentence, notice.language) for sentence in voice(notice))
        if notice.language in found.recorded:
            own = Sound(f"{self._public}{CONVERSATION}/{turn.attempt_id}/sound/{notice.language}")
            return [opening, own, closing]
        return [opening, *message, closing]

    async def _again(self, turn: Turn, found: About, key: str) -> Lines:
        """Told once more: on request, in the other language, or because the key means nothing."""
        if key == SWITCH_LANGUAGE:
            turn = replace(turn, language=self._at.words.other_language(turn.language))
        lines = self._lines(turn)
        if key not in (AGAIN, SWITCH_LANGUAGE):
            lines.play("wrong-key")
        if turn.told >= TIMES:
            return await self._ends(turn, lines, "told")
        return self._tell(turn, found, lines, turn.told + 1)

    async def _silent(self, turn: Turn, found: About) -> Lines:
        """No key. A machine has come to the end of its greeting by now: it gets the short message."""
        if found.of_no_use:
            return await self._already_over(turn)
        if found.state != DeliveryState.MACHINE:
            return await self._ends(turn, self._lines(turn), "told, no key")
        short = voice_in_short(found.notice, self._at.words.free_number)
        return await self._ends(turn, self._lines(turn).tell([Spoken(short, found.language)]), "told a machine")

    async def _obey(self, turn: Turn, action: OpenAction, key: str) -> Lines:
        match = Match(action, "alert", 1.0, (f"the hearer of its alert pressed {key}",))
        await self._at.book.matched(turn.sid, match, turn.language)
        if key == TIP:
            return await self._record(turn, action, "tip-after-alert")
        caller = read_number(turn.form.get("To")).e164
        if not self._at.sip or caller is None:
            return await self._record(turn, action, "leave-tip")
        after = self._address(turn, "connected")
        return self._lines(turn).play("connecting").connect(self._at.sip, caller, self._at.longest_s, after)

    async def _record(self, turn: Turn, action: OpenAction, invitation: str) -> Lines:
        """That there is something to tell is kept at once; the recording follows."""
        await self._at.tips.pressed(turn.sid, action.id, action.room_id)
        recorded, ready = self._address(turn, "recorded"), self._address(turn, "recording")
        return self._lines(turn).play(invitation).record(recorded, ready).play("tip-empty").hang_up()

    async def _already_over(self, turn: Turn) -> Lines:
        return await self._ends(turn, self._lines(turn).play("already-over"), "the action ended meanwhile")

    async def _ends(self, turn: Turn, lines: Lines, how: str) -> Lines:
        await self._at.book.ended(turn.sid, how)
        return lines.hang_up()

    async def _about(self, turn: Turn) -> About:
        """Raises HTTPNotFound, what the database raises."""
        found = await about(self._at.store, turn.attempt_id)
        if found is None:
            raise web.HTTPNotFound(text="no such attempt")
        return found

    async def _report(self, turn: Turn, state: DeliveryState) -> None:
        await self._reports.ask((turn.attempt_id, Receipt(state, turn.sid)))

    async def _read(self, request: web.Request) -> Turn:
        """Raises HTTPBadRequest, HTTPForbidden, HTTPRequestEntityTooLarge."""
        form = await self._forms.read(request, LARGEST_FORM)
        sid, language, told = form.get("CallSid", ""), request.query.get("language", "nl"), request.query.get("told")
        if not SID.fullmatch(sid) or language not in self._at.words.prompts:
            raise web.HTTPBadRequest(text="not a turn of a call")
        times = int(told) if told and told.isascii() and told.isdigit() and len(told) < 3 else TIMES
        return Turn(request.match_info["attempt"], sid, form, language, times)

    def _lines(self, turn: Turn) -> Lines:
        return Lines(self._at.words, turn.language)

    def _address(self, turn: Turn, then: str, **more: int) -> str:
        query = urlencode({"language": turn.language, **more})
        return f"{self._public}{CONVERSATION}/{turn.attempt_id}/{then}?{query}"
