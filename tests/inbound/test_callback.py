"""The callback itself: who may post it, what it survives, and that it counts once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote_from_bytes, urlencode

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import InboundText
from actions.seed import seed
from actions.store import Store
from actions.vault import Vaults
from stand_ins.twilio import Twilio, signature
from tests.inbound.line import ANNA, ME, OUR_NUMBER, Clock, Line, open_line
from tests.store.rows import all_of, audited, execute
from web.hooks.inbound import INBOUND, routes

SID = "SM" + "a" * 32
FORM = "application/x-www-form-urlencoded"


async def test_a_forged_signature_changes_nothing(line: Line) -> None:
    await line.takes_part(ANNA)
    assert await line.twilio.brings(line.url, ANNA, OUR_NUMBER, "STOP", forged=True) == 403
    assert not await line.signed_off(ANNA)
    assert await line.texts() == []


async def test_a_missing_signature_and_one_of_other_words_are_refused(line: Line) -> None:
    form = _form("STOP")
    signed = signature(line.twilio.auth_token, line.url, form)
    assert await _posted(line, urlencode(form).encode(), {}) == 403
    changed = urlencode({**form, "Body": "START"}).encode()
    assert await _posted(line, changed, {"X-Twilio-Signature": signed}) == 403
    assert await _posted(line, urlencode(form).encode(), {"X-Twilio-Signature": "%%%"}) == 403
    assert await _posted(line, urlencode(form).encode(), {"X-Twilio-Signature": signed}) == 204


async def test_the_signature_is_over_the_public_address_whatever_the_proxy_made_of_it(line: Line) -> None:
    form = _form("STOP")
    async with line.serving("https://burgernet.example/"):
        public = signature(line.twilio.auth_token, f"https://burgernet.example{INBOUND}", form)
        inside = signature(line.twilio.auth_token, line.url, form)
        assert await _posted(line, urlencode(form).encode(), {"X-Twilio-Signature": inside}) == 403
        assert await _posted(line, urlencode(form).encode(), {"X-Twilio-Signature": public}) == 204


def test_without_a_token_there_is_no_callback_that_anybody_could_sign(line_without_http: Line) -> None:
    line = line_without_http
    assert routes(line.reception(), line.redis, "", "https://burgernet.example") == []


async def test_a_repeated_callback_changes_nothing(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    for _ in range(3):
        await line.texted(ANNA, "Gezien bij de brug", SID)
    assert len(await line.tips(action)) == len(await line.texts()) == 1
    assert len(await line.answered(ANNA)) == 1
    await line.texted(ANNA, "Gezien bij de brug", SID)
    assert len(await line.answered(ANNA)) == 1


async def test_a_stop_repeated_after_a_start_signs_nobody_off_again(line: Line) -> None:
    await line.takes_part(ANNA)
    await line.texted(ANNA, "STOP", SID)
    await line.texted(ANNA, "START")
    await line.texted(ANNA, "STOP", SID)
    assert not await line.signed_off(ANNA)


async def test_callbacks_of_one_text_at_the_same_moment_count_once(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    await asyncio.gather(*(line.texted(ANNA, "Gezien bij de brug", SID) for _ in range(12)))
    assert len(await line.tips(action)) == len(await line.texts()) == 1
    assert len(await line.answered(ANNA)) == 1
    assert [verb for _, _, verb, _, _ in await audited(line.store)].count("collect") == 1


async def test_callbacks_of_one_text_through_two_web_roles_count_once(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    first = line.url
    async with line.serving():
        urls = [first, line.url] * 4
        posted = (line.twilio.brings(url, ANNA, OUR_NUMBER, "Gezien bij de brug", SID) for url in urls)
        assert set(await asyncio.gather(*posted)) == {204}
    assert len(await line.tips(action)) == 1


async def test_while_the_database_is_away_the_provider_is_told_to_come_back(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await line.takes_part(ANNA)

    @asynccontextmanager
    async def away() -> AsyncIterator[AsyncSession]:
        raise OSError("the database is away")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(line.store, "writing", away)
        assert await line.twilio.brings(line.url, ANNA, OUR_NUMBER, "STOP", SID) == 503
    await line.texted(ANNA, "STOP", SID)
    assert await line.signed_off(ANNA)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_while_no_connection_to_the_database_is_free_the_provider_is_told_to_come_back(
    line: Line, postgres_url: str
) -> None:
    engine = create_async_engine(postgres_url, pool_size=1, max_overflow=0, pool_timeout=0.2)
    line.store = Store(engine)
    async with line.serving(), engine.connect():
        assert await line.twilio.brings(line.url, ANNA, OUR_NUMBER, "STOP", SID) == 503
    async with line.serving():
        await line.texted(ANNA, "STOP", SID)
    await line.store.close()


async def test_what_cannot_be_written_whole_is_not_written_at_all(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    table = "inbound_text" if line.store.dialect == "sqlite" else "police.inbound_text"
    await execute(line.store, f"ALTER TABLE {table} RENAME TO gone")
    assert await line.twilio.brings(line.url, ANNA, OUR_NUMBER, "Gezien bij de brug", SID) == 503
    await execute(line.store, f"ALTER TABLE {table.replace('inbound_text', 'gone')} RENAME TO inbound_text")
    assert await line.tips(action) == []
    await line.texted(ANNA, "Gezien bij de brug", SID)
    assert len(await line.tips(action)) == 1


async def test_without_redis_a_text_is_taken_all_the_same(line: Line) -> None:
    line.redis = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1)
    async with line.serving():
        await line.texted(ANNA, "STOP")
    await line.redis.aclose()
    assert await line.answered(ANNA) == [line.words("stopped")]


@pytest.mark.parametrize("sid", ["", "SM 1", "../x", "x" * 65, "é" * 10, "'; drop table tip; --"])
async def test_a_text_without_a_proper_id_is_refused(line: Line, sid: str) -> None:
    form = {**_form("STOP"), "MessageSid": sid}
    assert await _signed(line, form) == 400
    assert await line.texts() == []


@pytest.mark.parametrize("left_out", ["From", "To", "Body"])
async def test_a_field_that_is_missing_is_as_one_that_is_empty(line: Line, left_out: str) -> None:
    form = {name: value for name, value in _form("Hallo").items() if name != left_out}
    assert await _signed(line, form) == 204
    assert len(await line.texts()) == 1


async def test_bytes_that_are_no_text_are_taken_as_signs(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    body = b"gezien \xff\xfe bij de brug"
    sent = urlencode({"From": ANNA, "To": OUR_NUMBER, "MessageSid": SID}) + f"&Body={quote_from_bytes(body)}"
    form = {"From": ANNA, "To": OUR_NUMBER, "MessageSid": SID, "Body": body.decode("utf-8", "replace")}
    signed = signature(line.twilio.auth_token, line.url, form)
    assert await _posted(line, sent.encode(), {"X-Twilio-Signature": signed}) == 204
    (tip,) = await line.tips(action)
    assert tip.said == "gezien \ufffd\ufffd bij de brug"


@pytest.mark.parametrize(
    ("sent", "content_type", "status"),
    [
        (b"", FORM, 403),
        (b"\xff\xfe\x00", FORM, 403),
        (b"%", FORM, 403),
        (b"a=1&" * 300, FORM, 400),
        (b"x" * 100_000, FORM, 413),
        (b"{}", "application/json", 400),
        (b"--b\r\n", "multipart/form-data; boundary=b", 400),
        (b"a=1", f"{FORM}; charset=none-such", 403),
    ],
)
async def test_what_is_no_signed_form_is_refused_and_breaks_nothing(
    line: Line, sent: bytes, content_type: str, status: int
) -> None:
    assert await _posted(line, sent, {"Content-Type": content_type, "X-Twilio-Signature": "x"}) == status
    await line.texted(ANNA, "STOP")


async def test_it_is_only_posted(line: Line) -> None:
    async with ClientSession() as session, session.get(line.url) as answer:
        assert answer.status == 405


async def test_no_number_and_no_words_lie_open_in_the_database_file(
    sqlite_url: str, redis: Redis, vaults: Vaults, clock: Clock
) -> None:
    store = Store.open(sqlite_url)
    await seed(store, ME, 1)
    async with open_line(store, redis, vaults, clock) as line:
        first, second = await line.action(), await line.action("amsterdam")
        await line.alerted(ANNA, first, second)
        await line.texted(ANNA, "de verdachte heet Xantippe")
        await line.texted(ANNA, first.code)
        await line.texted("+31687654321", "STOP")
        assert len(await line.tips(first)) == 1
        await line.answered(ANNA)
    await store.close()
    file = Path(sqlite_url.partition("///")[2])
    held = b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    assert b"inbound text" in held
    for secret in (ANNA, ANNA[3:], "87654321", "Xantippe"):
        assert secret.encode() not in held


async def test_the_log_holds_no_number_and_no_words(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    action = await line.action()
    await line.alerted(ANNA, action)
    await line.texted(ANNA, "de verdachte heet Xantippe")
    await line.texted("+32470123456", "STOP")
    await line.works()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("alerting", "web", "actions"))]
    assert any("SM" in said for said in ours)
    assert not any(secret in said for said in ours for secret in (ANNA[3:], "470123456", "Xantippe"))


async def test_a_text_leaves_one_row_without_its_words(line: Line) -> None:
    await line.texted(ANNA, "STOP", SID)
    (text,) = await all_of(line.store, InboundText)
    assert (text.id, text.meaning, text.answer, text.action_id) == (SID, "stop", "stopped", None)


@pytest.fixture
def line_without_http(country: Store, redis: Redis, vaults: Vaults, clock: Clock) -> Line:
    return Line(country, redis, vaults, Twilio("AC1", "token"), clock)


def _form(body: str) -> dict[str, str]:
    return {"From": ANNA, "To": OUR_NUMBER, "Body": body, "MessageSid": SID}


async def _signed(line: Line, form: Mapping[str, str]) -> int:
    signed = signature(line.twilio.auth_token, line.url, dict(form))
    return await _posted(line, urlencode(form).encode(), {"X-Twilio-Signature": signed})


async def _posted(line: Line, sent: bytes, headers: Mapping[str, str]) -> int:
    headers = {"Content-Type": FORM, **headers}
    async with ClientSession() as session, session.post(line.url, data=sent, headers=headers) as answer:
        return answer.status
