"""Signing off with one click (RFC 8058). A mail program posts; people see a page with a button, since programs that
look for viruses follow every link."""

from __future__ import annotations

from aiohttp import web

from actions.store import Away, Store
from alerting.channels.email import UNSUBSCRIBE
from alerting.passes import Passes, Use
from alerting.signing_off import sign_off
from web.participants.page import page
from web.participants.visitors import Visitors

BUTTON = '<form method="post"><button type="submit">{words}</button></form>'
ASK = [
    (
        "nl",
        "Afmelden",
        "<p>Wilt u geen berichten van Burgernet meer op dit adres?</p>" + BUTTON.format(words="Meld mij af"),
    ),
    (
        "en",
        "Unsubscribe",
        "<p>Do you want no more Burgernet messages at this address?</p>" + BUTTON.format(words="Unsubscribe me"),
    ),
]
DONE = [
    ("nl", "U bent afgemeld", "<p>U krijgt op dit adres geen berichten van Burgernet meer.</p>"),
    ("en", "You are unsubscribed", "<p>You get no more Burgernet messages at this address.</p>"),
]
UNKNOWN = [
    ("nl", "Deze link werkt niet meer", "<p>Neem de link uit het nieuwste bericht dat u kreeg.</p>"),
    ("en", "This link works no more", "<p>Take the link in the newest message that you got.</p>"),
]
LATER = [
    ("nl", "Het lukt nu niet", "<p>Probeer het over een minuut nog eens.</p>"),
    ("en", "This does not work now", "<p>Try again in a minute.</p>"),
]


def routes(store: Store, passes: Passes, visitors: Visitors) -> list[web.RouteDef]:
    async def ask(request: web.Request) -> web.Response:
        await visitors.let_in(request)
        return page("Burgernet", ASK) if _attempt(request) else page("Burgernet", UNKNOWN, 404)

    async def leave(request: web.Request) -> web.Response:
        await visitors.let_in(request)
        attempt_id = _attempt(request)
        try:
            known = attempt_id is not None and await sign_off(store, attempt_id)
        except Away:
            return page("Burgernet", LATER, 503)
        return page("Burgernet", DONE) if known else page("Burgernet", UNKNOWN, 404)

    def _attempt(request: web.Request) -> str | None:
        return passes.read(Use.SIGN_OFF, request.match_info["pass"])

    address = f"{UNSUBSCRIBE}/{{pass:[A-Za-z0-9_-]{{20,120}}}}"
    return [web.get(address, ask), web.post(address, leave)]
