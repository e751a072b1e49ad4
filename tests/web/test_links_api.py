"""Links for callers and photos of tips by the API: the number stands in no address and no answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from actions.books import Actor
from actions.link_tips import LinkTips
from actions.links import About, Purpose, Usable, issue
from actions.models import InboundText, OneTimeLink
from actions.numbers import read_number
from burgernet.base import Base
from tests.store.rows import all_of
from tests.web.asking import ACTION, Asking, Site
from web.access.tokens import Scope

CALLER = "+31612345678"
CALL = "burgernet-one-1"


@pytest.fixture
async def base(base: Base) -> Base:
    base.link_texts._able = True  # as with an account at a provider of texts
    return base


async def called(base: Base, number: str = CALLER) -> None:
    await base.book.arrived(CALL, read_number(number), "08000011", datetime.now(UTC))
    await base.book.connected(CALL, "rotterdam", "rotterdam-1")


async def test_a_caller_gets_a_link_and_neither_link_nor_number_is_told(base: Base, rotterdam: Asking) -> None:
    await called(base)
    answer = await rotterdam.post(f"/v1/calls/{CALL}/links", {"purpose": "photo"})
    assert (answer.status, set(answer.body)) == (201, {"purpose", "expiresAt"})
    (text,) = await all_of(base.store, InboundText)
    (link,) = await all_of(base.store, OneTimeLink)
    assert (text.answer, text.meaning, link.call_id, link.room_id) == ("photo_link", "link", CALL, "rotterdam")


async def test_a_withheld_caller_needs_a_number_given_and_gets_the_link_there(base: Base, rotterdam: Asking) -> None:
    await called(base, "anonymous")
    refused = await rotterdam.post(f"/v1/calls/{CALL}/links", {"purpose": "place"})
    assert (refused.status, "not known" in refused.faults[0]) == (400, True)
    given = {"purpose": "place", "number": "06 12345678", "language": "en"}
    assert (await rotterdam.post(f"/v1/calls/{CALL}/links", given)).status == 201
    (text,) = await all_of(base.store, InboundText)
    assert (text.answer, text.language) == ("place_link", "en")


async def test_a_call_of_another_room_is_not_there(base: Base, limburg: Asking) -> None:
    await called(base)
    assert (await limburg.post(f"/v1/calls/{CALL}/links", {"purpose": "photo"})).status == 404


async def test_a_photo_is_given_to_who_may_see_it_and_the_look_is_written_down(
    base: Base,
    actor: Actor,
    site: Site,
    rotterdam: Asking,
    limburg: Asking,
    token: Callable[..., Awaitable[str]],
) -> None:
    action = (await rotterdam.post("/v1/actions", {**ACTION, "start": True, "exercise": True})).body
    assert action["exercise"] is True
    async with base.store.writing() as session:
        about = About(action["id"], None, "rotterdam")
        link = issue(session, base.vaults.police, "text", Purpose.PHOTO, about, "nl", actor)
    usable = Usable(link.id, Purpose.PHOTO, "nl", about, action["code"], exercise=True)
    assert await LinkTips(base.store, base.vaults.police).photo(usable, b"\xff\xd8 a photo")
    (tip,) = (await rotterdam.get(f"/v1/actions/{action['id']}/tips")).body["items"]
    assert (tip["source"], tip["exercise"], len(tip["photos"])) == ("photo", True, 1)
    path = f"/v1/photos/{tip['photos'][0]}"
    url, secret = f"{site.url}{path}", rotterdam.secret
    async with site.client.get(url, headers={"Authorization": f"Bearer {secret}"}) as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert await answer.read() == b"\xff\xd8 a photo"
    assert (await limburg.get(path)).status == 404
    only_calls = site.asking(await token(Scope.CALLS_READ))
    assert (await only_calls.get(path)).status == 403
