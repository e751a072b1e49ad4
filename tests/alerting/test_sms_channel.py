"""What Twilio answers, and what that means: a clear no, a pause, or nothing that can be relied on."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from actions.models import DeliveryState, MessageKind, now
from alerting.channels import Sending
from alerting.channels.sms import FAULTS, TwilioSms, fault_of, receipt_of
from alerting.channels.twilio_client import TwilioClient
from alerting.errors import SendError, Unanswered
from alerting.renditions import Notice
from tests.alerting.works import ACCOUNT, TOKEN

S = DeliveryState
NOTICE = Notice(MessageKind.ALERT, "427", "nl", "De blauwe Golf", "Kijk uit.")


@asynccontextmanager
async def answering(status: int, body: str, headers: dict[str, str] | None = None) -> AsyncIterator[TwilioSms]:
    """A channel to a Twilio that gives every request the same answer."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body.encode(), headers=headers, content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = TwilioClient(ACCOUNT, TOKEN, f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield TwilioSms(client, "Burgernet", "http://127.0.0.1/status", "0800-0011")
    finally:
        await client.close()
        await runner.cleanup()


def sending() -> Sending:
    return Sending("0" * 32, "+31612345678", NOTICE, now(), frozenset())


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(500, "", id="broken"),
        pytest.param(502, "<html>Bad Gateway</html>", id="a proxy in between"),
        pytest.param(503, '{"code": 20503}', id="unavailable"),
        pytest.param(201, "<html>welcome</html>", id="taken, but unreadable"),
        pytest.param(201, "", id="taken, and nothing said"),
        pytest.param(201, "[]", id="taken, and something else said"),
        pytest.param(200, "null", id="null"),
        pytest.param(200, "{}", id="an answer without a message"),
        pytest.param(200, '{"sid": null, "messages": 7}', id="an answer of another shape"),
        pytest.param(200, '{"messages": [{"sid": "SM1", "date_created": null}]}', id="a message without a date"),
    ],
)
async def test_an_unclear_answer_is_none(status: int, body: str) -> None:
    async with answering(status, body) as channel:
        with pytest.raises(Unanswered):
            await channel.send(sending())
        with pytest.raises(Unanswered):
            await channel.find(sending())


@pytest.mark.parametrize("code", sorted(FAULTS))
async def test_a_clear_no_carries_its_fault(code: int) -> None:
    async with answering(400, f'{{"code": {code}, "message": "no", "status": 400}}') as channel:
        with pytest.raises(SendError) as refused:
            await channel.send(sending())
    assert refused.value.fault == FAULTS[code]


@pytest.mark.parametrize("body", ["", "<html>", "{}", '{"code": null}', "[]", '{"code": "x"}'])
async def test_a_no_without_a_reason_is_a_no_all_the_same(body: str) -> None:
    async with answering(400, body) as channel:
        with pytest.raises((SendError, Unanswered)):
            await channel.send(sending())


@pytest.mark.parametrize(
    ("said", "pause"),
    [("1", 1.0), ("30", 30.0), ("86400", 60.0), ("0", 0.5), ("", 5.0), ("soon", 5.0), ("²", 5.0), ("-3", 5.0)],
)
async def test_the_pause_that_twilio_asks_for_is_bounded(said: str, pause: float) -> None:
    headers = {"Retry-After": said} if said else {}
    async with answering(429, "{}", headers) as channel:
        with pytest.raises(SendError) as refused:
            await channel.send(sending())
    assert refused.value.pause_s == pause
    assert refused.value.fault.retryable


async def test_nothing_of_a_number_comes_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for status in (201, 400, 429, 500):
            async with answering(status, '{"code": 21211, "message": "+31612345678 is no number"}') as channel:
                for asked in (channel.send, channel.find):
                    with pytest.raises((SendError, Unanswered)):
                        await asked(sending())
    assert "12345678" not in caplog.text


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("accepted", S.SENT),
        ("queued", S.SENT),
        ("sending", S.SENT),
        ("sent", S.SENT),
        ("delivered", S.DELIVERED),
        ("read", S.DELIVERED),
        ("undelivered", S.FAILED),
        ("failed", S.FAILED),
        ("canceled", S.FAILED),
        ("received", None),
        ("", None),
        ("DELIVERED", None),
    ],
)
def test_what_a_status_of_twilio_means(status: str, state: DeliveryState | None) -> None:
    receipt = receipt_of(status, "SM1", 30005)
    assert (receipt and receipt.state) == state
    assert (receipt and receipt.fault) == (FAULTS[30005] if state is S.FAILED else None)


@pytest.mark.parametrize("code", [None, 0, 99999])
def test_an_unknown_error_may_be_tried_again(code: int | None) -> None:
    assert fault_of(code).retryable
    assert "Twilio" in fault_of(code).operator_message
