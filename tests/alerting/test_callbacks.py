"""What Twilio calls back: signed, or refused; early, twice, backwards, late, never: the outcome is what happened."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from actions.models import DeliveryState
from actions.store import Store
from stand_ins.twilio import BACKWARDS, GOOD, SILENT, Behaviour, signature
from tests.alerting.works import TOKEN, Works, called_back, once_each
from web.hooks.twilio import STATUS, routes

S = DeliveryState
SID = f"SM{'a' * 32}"
# What never comes as far as the database differs on none.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def post(url: str, form: Mapping[str, str] | bytes, *, token: str = TOKEN, kind: str = "") -> int:
    """The HTTP status of a callback, signed over what it says."""
    headers = {"X-Twilio-Signature": signature(token, url, dict(form) if isinstance(form, Mapping) else {})}
    if kind:
        headers["Content-Type"] = kind
    async with ClientSession() as session, session.post(url, data=form, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(GOOD, id="as they should"),
        pytest.param(replace(GOOD, callbacks_first=True), id="before the answer"),
        pytest.param(replace(GOOD, callback_copies=3), id="three times each"),
        pytest.param(BACKWARDS, id="backwards"),
        pytest.param(replace(BACKWARDS, callbacks_first=True), id="backwards and before the answer"),
        pytest.param(replace(GOOD, apart_s=0.3), id="late"),
        pytest.param(replace(GOOD, lose_answer=True), id="instead of an answer"),
    ],
)
async def test_however_the_callbacks_come_everybody_has_it_and_is_texted_once(
    works: Works, behaviour: Behaviour
) -> None:
    works.twilio.usual = behaviour
    action = await works.alerts(8)
    async with works.working():
        await works.come_to(action, S.DELIVERED)
        await works.twilio.settled()
    assert works.texted() == once_each(8)
    assert Counter(callback.answer for callback in works.twilio.callbacks).keys() == {204}


async def test_forged_callbacks_are_refused_and_change_nothing(works: Works) -> None:
    works.twilio.usual = replace(GOOD, forged=True)
    action = await works.alerts(3)
    async with works.working():
        await works.come_to(action, S.SENT)
        await works.twilio.settled()
    assert {callback.answer for callback in works.twilio.callbacks} == {403}
    assert {row.state for row in await works.town.rows(action)} == {S.SENT}


async def test_a_callback_hours_later_still_finds_its_attempt(works: Works) -> None:
    works.twilio.usual = SILENT
    action = await works.alerts(1)
    async with works.working():
        await works.come_to(action, S.SENT)
    await works.town.ends(action)
    (attempt,) = await works.town.attempts()
    url = f"{works.public_url}{STATUS}/{attempt.id}"
    assert await post(url, {"MessageSid": SID, "MessageStatus": "delivered"}) == 204
    assert (await works.town.row(action, 0)).state == S.DELIVERED


@ON_SQLITE
@pytest.mark.parametrize(
    ("path", "form", "token", "kind", "expected"),
    [
        pytest.param(
            f"/{'0' * 32}", {"MessageSid": SID, "MessageStatus": "sent"}, TOKEN, "", 404, id="unknown attempt"
        ),
        pytest.param("/1-or-1", {"MessageSid": SID, "MessageStatus": "sent"}, TOKEN, "", 404, id="no attempt at all"),
        pytest.param("", {"MessageSid": SID, "MessageStatus": "sent"}, TOKEN, "", 404, id="no attempt in the address"),
        pytest.param(f"/{'0' * 32}", {"MessageSid": SID, "MessageStatus": "sent"}, "no", "", 403, id="another token"),
        pytest.param(f"/{'0' * 32}", {}, "", "", 403, id="an empty token"),
        pytest.param(f"/{'0' * 32}", {}, TOKEN, "application/x-www-form-urlencoded", 400, id="nothing"),
        pytest.param(f"/{'0' * 32}", {"MessageSid": SID}, TOKEN, "", 400, id="no status"),
        pytest.param(f"/{'0' * 32}", {"MessageSid": SID, "MessageStatus": "exploded"}, TOKEN, "", 400, id="odd status"),
        pytest.param(f"/{'0' * 32}", {"MessageStatus": "sent"}, TOKEN, "", 400, id="no message id"),
        pytest.param(f"/{'0' * 32}", {"MessageSid": "x'--", "MessageStatus": "sent"}, TOKEN, "", 400, id="odd id"),
        pytest.param(f"/{'0' * 32}", b'{"a": 1}', TOKEN, "application/json", 400, id="no form"),
        pytest.param(
            f"/{'0' * 32}", b"--x--", TOKEN, "multipart/form-data; boundary=x", 400, id="another kind of form"
        ),
        pytest.param(
            f"/{'0' * 32}", b"a=1", TOKEN, "application/x-www-form-urlencoded; charset=klingon", 403, id="odd charset"
        ),
        pytest.param(f"/{'0' * 32}", b"a=%ff&\xff", TOKEN, "application/x-www-form-urlencoded", 403, id="bytes"),
        pytest.param(f"/{'0' * 32}", {"Body": "x" * 200_000}, TOKEN, "", 413, id="too large"),
    ],
)
async def test_what_is_no_callback_is_refused(
    works: Works, path: str, form: Mapping[str, str] | bytes, token: str, kind: str, expected: int
) -> None:
    assert await post(f"{works.public_url}{STATUS}{path}", form, token=token, kind=kind) == expected


@ON_SQLITE
@pytest.mark.parametrize("code", ["9" * 5000, "٣", "-1", "1e3", ""])
async def test_an_odd_error_code_is_an_unknown_error(works: Works, code: str) -> None:
    works.twilio.usual = SILENT
    action = await works.alerts(1)
    async with works.working():
        await works.come_to(action, S.SENT)
    (attempt,) = await works.town.attempts()
    form = {"MessageSid": SID, "MessageStatus": "failed", "ErrorCode": code}
    assert await post(f"{works.public_url}{STATUS}/{attempt.id}", form) == 204
    row = await works.town.row(action, 0)
    assert row.state == S.SENDING  # to be tried again
    assert row.reason == "Twilio could not deliver it (error unknown)"


@ON_SQLITE
async def test_other_ways_of_asking_are_not_allowed(works: Works) -> None:
    async with ClientSession() as session, session.get(f"{works.public_url}{STATUS}/{'0' * 32}") as answer:
        assert answer.status == 405


@ON_SQLITE
async def test_hundreds_of_forged_callbacks_do_not_keep_a_real_one_waiting(works: Works) -> None:
    works.twilio.usual = SILENT
    action = await works.alerts(1)
    async with works.working():
        await works.come_to(action, S.SENT)
    (attempt,) = await works.town.attempts()
    url = f"{works.public_url}{STATUS}/{attempt.id}"
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    forged = [asyncio.create_task(post(url, {**form, "n": str(n)}, token="guess")) for n in range(300)]
    assert await post(url, form) == 204
    assert set(await asyncio.gather(*forged)) == {403}
    assert (await works.town.row(action, 0)).state == S.DELIVERED


@ON_SQLITE
async def test_with_the_database_away_twilio_is_asked_to_come_back(works: Works) -> None:
    gone = Store.open("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with called_back(gone) as url:
        form = {"MessageSid": SID, "MessageStatus": "sent"}
        assert await post(f"{url}{STATUS}/{'0' * 32}", form) == 503
    await gone.close()


@ON_SQLITE
async def test_without_a_token_there_is_no_address_to_call_back(works: Works) -> None:
    assert routes(works.town.store, "", works.public_url) == []


async def test_callbacks_at_once_for_many_are_all_written(works: Works) -> None:
    works.twilio.usual = SILENT
    action = await works.alerts(60)
    async with works.working(side_by_side=60):
        await works.come_to(action, S.SENT)
    attempts = await works.town.attempts()
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    answers = await asyncio.gather(*(post(f"{works.public_url}{STATUS}/{one.id}", form) for one in attempts * 2))
    assert set(answers) == {204}
    assert {row.state for row in await works.town.rows(action)} == {S.DELIVERED}
