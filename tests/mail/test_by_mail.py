"""An action reaches mailboxes and its result follows; who signs off, or whose mail comes back, is known."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlmodel import select

from actions.models import Attempt, Audit, Delivery, DeliveryState
from actions.register import Entry
from alerting.bounces import read_bounce
from alerting.passes import Passes, Use
from burgernet.base import Base
from burgernet.doctor import Colour, examine
from tests.mail.bounces import GONE, bounced
from tests.mail.mailbox import Mailbox
from tests.mail.running import ME, alerting, ends, starts, states, until
from tests.store.people import entry
from tests.web.conftest import serving

JAN, MARY = "jan@post.example", "mary@post.example"


def reader(address: str, language: str = "nl") -> Entry:
    return entry(None, channels=("email",), language=language, mail=address)


def to(mailbox: Mailbox, address: str) -> list[EmailMessage]:
    return [letter for letter in mailbox.letters if letter["To"] == address]


async def test_an_action_reaches_a_mailbox_and_its_result_follows(base: Base, mailbox: Mailbox) -> None:
    await base.register.add([reader(JAN), reader(MARY, "en")], ME)
    async with alerting(base):
        action = await starts(base)
        await until(lambda: len(mailbox.letters) == 2, "both alerts arrive")
        assert to(mailbox, MARY)[0]["Subject"] == "Burgernet: blue Golf in Rotterdam."
        await ends(base, action)
        await until(lambda: len(mailbox.letters) == 4, "both results arrive")
    assert "voorbij" in to(mailbox, JAN)[1]["Subject"]

    async def recorded() -> bool:
        return await states(base, "result") == ["sent", "sent"]

    await until(recorded, "both are written down")
    assert all(letter["DKIM-Signature"] for letter in mailbox.letters)


async def test_one_click_signs_off_a_look_does_not(base: Base, mailbox: Mailbox) -> None:
    await base.register.add([reader(JAN), reader(MARY, "en")], ME)
    async with alerting(base), serving(base), ClientSession() as stranger:
        action = await starts(base)
        await until(lambda: len(mailbox.letters) == 2, "both alerts arrive")
        address = to(mailbox, JAN)[0]["List-Unsubscribe"].strip("<>")

        async with stranger.get(address) as page:
            assert page.status == 200
            said = await page.text()
        assert "Meld mij af" in said
        assert "Unsubscribe me" in said
        async with stranger.post(address[:-3] + "AAA", data="List-Unsubscribe=One-Click") as forged:
            assert forged.status == 404
        async with stranger.post(address, data={"List-Unsubscribe": "One-Click"}, allow_redirects=False) as done:
            assert done.status == 200
        async with stranger.post(address) as again:
            assert again.status == 200

        await ends(base, action)
        await until(lambda: len(to(mailbox, MARY)) == 2, "the result reaches who is still there")

        async def closed() -> bool:
            return (await states(base, "result"))[-1] != DeliveryState.PENDING

        await until(closed, "nothing waits")
    assert len(to(mailbox, JAN)) == 1
    async with base.store.reading() as session:
        assert len(list(await session.exec(select(Audit).where(Audit.verb == "opt out")))) == 1


async def test_a_pass_opens_only_what_it_was_made_for(base: Base) -> None:
    passes, attempt = Passes(base.vaults.register), "a" * 32
    made = passes.make(Use.SIGN_OFF, attempt)
    assert passes.read(Use.SIGN_OFF, made) == attempt
    assert passes.read(Use.SHOWN, made) is None
    assert Passes(base.vaults.police).read(Use.SIGN_OFF, made) is None
    for odd in ("", "a", made[:-1], made + "a", "é" * 40, "A" * 500):
        assert passes.read(Use.SIGN_OFF, odd) is None


async def test_mail_that_comes_back_is_not_reached(base: Base, mailbox: Mailbox, tmp_path: Path) -> None:
    await base.register.add([reader(JAN)], ME)
    async with alerting(base):
        await starts(base)
        await until(lambda: len(mailbox.letters) == 1, "the alert arrives")

        async def sent() -> bool:
            return await states(base, "alert") == ["sent"]

        await until(sent, "it is written down")
    status, said = await bounced(base.settings, tmp_path, GONE.format(id=mailbox.letters[0]["Message-ID"]))
    assert status == 0
    assert "this mailbox does not exist" in said
    async with base.store.reading() as session:
        (delivery,), (attempt,) = list(await session.exec(select(Delivery))), list(await session.exec(select(Attempt)))
    assert (delivery.state, delivery.reason) == ("failed", "this mailbox does not exist")
    assert attempt.provider_status == "5.1.1"


@pytest.mark.parametrize("attempt", ["0" * 32])
def test_what_a_returned_mail_says(attempt: str) -> None:
    message_id = f"<{attempt}@burgernet.example>"
    found = read_bounce(GONE.format(id=message_id).encode())
    assert found
    assert found.attempt_id == attempt
    assert found.receipt
    assert found.receipt.state is DeliveryState.FAILED
    delayed = read_bounce(GONE.format(id=message_id).replace("Action: failed", "Action: delayed").encode())
    assert delayed
    assert delayed.receipt is None
    late = read_bounce(GONE.format(id=message_id).replace("5.1.1", "4.4.7").encode())
    assert late
    assert late.receipt
    assert late.receipt.fault
    assert "in time" in late.receipt.fault.operator_message


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: out of office\r\n\r\nI am away.",
        GONE.format(id="<somebody@else.example>").encode(),
        GONE.format(id="<00>").replace("Action", "Axtion").encode(),
        b"Content-Type: multipart/report; boundary=a\r\n\r\n"
        + b"--a\r\nContent-Type: multipart/x; boundary=a\r\n\r\n" * 999,
    ],
)
def test_what_is_no_report_about_a_mail_of_ours_says_nothing(raw: bytes) -> None:
    assert read_bounce(raw) is None


async def test_the_doctor_asks_the_mail_server(base: Base, mailbox: Mailbox) -> None:
    (finding,) = [one for one in await examine(base) if one.part == "mail"]
    assert finding.colour is Colour.YELLOW  # signing off over plain http
    assert "answers" in finding.words
    assert mailbox.letters == []
