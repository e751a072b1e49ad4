"""The pages behind one-time links. The secret in the address is the whole proof: no cookie, no session, and so nothing
that a page of somebody else could make a browser send along (no CSRF). Looking at a page does not use its link up:
telephones look at links by themselves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from importlib.resources import files

from aiohttp import web

from actions.link_tips import LinkTips
from actions.links import SECRET_SIGNS, Purpose, Usable, usable
from actions.photos import NoPhoto, made_safe
from actions.store import Away, Store
from web.access.origin import address_of
from web.access.rate import Rate
from web.links import page
from web.links.sent import TooLarge, photo_in, seen_in
from web.links.words import LANGUAGES, WORDS

log = logging.getLogger(__name__)

ROOT = "/t"
# From one address in a minute: a mobile carrier has thousands of people behind one, and nobody guesses 168 bits.
MOST_A_MINUTE = 300
# Photos in memory at one moment, how long a browser waits for its turn, and may take to send one.
SIDE_BY_SIDE, TURN_S, SENT_S = 4, 20.0, 120.0
WORK_S = 10.0
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "geolocation=(self), camera=(self)",
    "X-Robots-Tag": "noindex",
}
FILES = {page.STYLE: ("links.css", "text/css"), page.SCRIPT: ("place.js", "text/javascript")}


class LinkPages:
    """`free_number` as people read it. `proxies`: whom we believe about where a request comes from."""

    def __init__(self, store: Store, tips: LinkTips, rate: Rate, proxies: Collection[str], free_number: str) -> None:
        self._store, self._tips, self._rate = store, tips, rate
        self._proxies, self._free_number = proxies, free_number
        self._turns = asyncio.Semaphore(SIDE_BY_SIDE)

    def routes(self) -> list[web.RouteDef]:
        address = f"{ROOT}/{{secret:[A-Za-z0-9_-]{{{SECRET_SIGNS}}}}}"
        return [
            web.get(address, self._shown),
            web.post(address, self._sent),
            *(web.get(path, _file(*file)) for path, file in FILES.items()),
            web.get(f"{ROOT}/{{anything:.*}}", self._nothing),
        ]

    async def _shown(self, request: web.Request) -> web.Response:
        link = await self._link(request)
        return self._gone(request) if link is None else _html(page.form(link, _language(request, link)))

    async def _sent(self, request: web.Request) -> web.Response:
        link = await self._link(request)
        if link is None:
            return self._gone(request)
        language = _language(request, link)
        try:
            taken = await (self._photo if link.purpose is Purpose.PHOTO else self._place)(request, link)
        except NoPhoto:
            return _html(page.form(link, language, WORDS[language].no_photo), 400)
        except TooLarge:
            return _html(page.form(link, language, WORDS[language].too_large), 413)
        except (TimeoutError, *Away) as fault:
            log.warning("something sent by a link was not taken: %s", type(fault).__name__)
            return _html(page.form(link, language, WORDS[language].busy), 503)
        if taken is None:
            return _html(page.form(link, language, WORDS[language].no_place), 400)
        return _html(page.thanks(language, exercise=link.exercise)) if taken else self._gone(request)

    async def _photo(self, request: web.Request, link: Usable) -> bool:
        """Raises NoPhoto, ValueError, TooLarge, TimeoutError, what the database raises."""
        async with asyncio.timeout(TURN_S):
            await self._turns.acquire()
        try:
            async with asyncio.timeout(SENT_S):
                given = await photo_in(request)
                jpeg = await asyncio.to_thread(made_safe, given)
                return await self._tips.photo(link, jpeg)
        finally:
            self._turns.release()

    async def _place(self, request: web.Request, link: Usable) -> bool | None:
        """None when no place was named."""
        async with asyncio.timeout(WORK_S):
            seen = seen_in(await request.post())
            return None if seen is None else await self._tips.place(link, seen)

    async def _link(self, request: web.Request) -> Usable | None:
        """Raises HTTPTooManyRequests, HTTPServiceUnavailable."""
        language = _language(request)
        wait_s = await self._rate.asked(f"link:{address_of(request, self._proxies)}", MOST_A_MINUTE)
        if wait_s:
            raise _refused(web.HTTPTooManyRequests, language, wait_s)
        try:
            async with asyncio.timeout(WORK_S):
                return await usable(self._store, request.match_info["secret"])
        except Away as fault:
            log.warning("a link could not be looked up: %s", type(fault).__name__)
            raise _refused(web.HTTPServiceUnavailable, language, 5) from None

    async def _nothing(self, request: web.Request) -> web.Response:
        return self._gone(request)

    def _gone(self, request: web.Request) -> web.Response:
        return _html(page.gone(_language(request), self._free_number), 404)


def _file(name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    content = (files("web.links") / "files" / name).read_text("utf-8")

    async def serve(_: web.Request) -> web.Response:
        return web.Response(text=content, content_type=kind, headers={"Cache-Control": "public, max-age=3600"})

    return serve


def _language(request: web.Request, link: Usable | None = None) -> str:
    """What the address asks for, else the link's own; of a link that does not work the browser's: it must not show
    whether there was one."""
    asked = request.query.get("lang", "")
    if asked in LANGUAGES:
        return asked
    if link:
        return link.language if link.language in LANGUAGES else LANGUAGES[0]
    return "en" if request.headers.get("Accept-Language", "nl").lower().startswith("en") else "nl"


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)


def _refused(kind: type[web.HTTPException], language: str, wait_s: int) -> web.HTTPException:
    return kind(text=page.busy(language), content_type="text/html", headers={**HEADERS, "Retry-After": str(wait_s)})
