"""One mail by the real protocol: what the server's answers mean, and what a connection is used for."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from actions.models import DeliveryState, MessageKind, now
from actions.vault import Vault
from alerting.channels import Sending
from alerting.channels.dkim_key import DkimKey, NoKey, read_key
from alerting.channels.email import Email, Letterhead
from alerting.channels.post_office import PostOffice, Server
from alerting.channels.smtp_faults import (
    BUSY,
    FULL,
    LATER,
    NO_LOGIN,
    NO_MAILBOX,
    NO_RELAY,
    NO_TLS,
    NOT_THERE,
    NOT_WANTED,
    UNWANTED,
)
from alerting.errors import Fault, SendError, Unanswered
from alerting.passes import Passes
from alerting.renditions import Notice
from burgernet.embedded import free_port
from tests.mail.mailbox import PASSWORD, USER, Mailbox

HEAD = Letterhead("Burgernet <bericht@burgernet.example>", "terug@burgernet.example", "https://b.example", "0800-0011")
PASSES = Passes(Vault({1: bytes(32)}))
JAN = "jan@post.example"


def sending(attempt: int = 1, to: str = JAN, title: str = "blauwe Golf in Delft") -> Sending:
    notice = Notice(MessageKind.ALERT, "427", "nl", title, "Kijk uit naar één blauwe Golf.\nHij reed weg.")
    return Sending(f"{attempt:032x}", to, notice, now(), frozenset())


def server_of(box: Mailbox) -> Server:
    return Server("127.0.0.1", box.port, "starttls", USER, PASSWORD, box.authorities, 2)


@pytest.fixture
async def office(mailbox: Mailbox) -> AsyncIterator[PostOffice]:
    office = PostOffice(server_of(mailbox))
    yield office
    await office.close()


def channel(office: PostOffice, key: DkimKey | None = None) -> Email:
    return Email(office, HEAD, PASSES, key)


async def test_a_mail_arrives_encrypted_with_all_that_its_reader_and_the_servers_need(
    mailbox: Mailbox, office: PostOffice
) -> None:
    receipt = await channel(office).send(sending(0xABC))
    assert (receipt.state, receipt.fault) == (DeliveryState.SENT, None)
    assert mailbox.encrypted == [True]
    (letter,), (envelope,) = mailbox.letters, mailbox.envelopes
    assert envelope.mail_from == "terug@burgernet.example"
    assert letter["From"] == "Burgernet <bericht@burgernet.example>"
    assert letter["To"] == JAN
    assert letter["Subject"] == "Burgernet: blauwe Golf in Delft."
    assert letter["Message-ID"] == f"<{0xABC:032x}@burgernet.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Precedence"] == "bulk"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["List-Unsubscribe"].startswith("<https://b.example/unsubscribe/")
    assert JAN not in letter["List-Unsubscribe"]
    plain, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain
    assert page
    assert "één blauwe Golf" in plain.get_content()
    assert "code 427" in page.get_content()
    assert mailbox.raw[0].isascii()


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("450 4.2.0 Greylisted, try again", LATER),
        ("451 4.7.1 later", LATER),
        ("550 5.1.1 no such user", NO_MAILBOX),
        ("550 no such user", NO_MAILBOX),
        ("553 5.1.3 bad address", NO_MAILBOX),
        ("552 5.2.2 over quota", FULL),
        ("552 full", FULL),
        ("554 5.7.1 blocked", NOT_WANTED),
        ("554 5.7.1 Relay access denied", NO_RELAY),
    ],
)
async def test_what_a_refused_mailbox_means_and_the_next_mail_goes_by_the_same_connection(
    mailbox: Mailbox, office: PostOffice, answer: str, fault: Fault
) -> None:
    mailbox.refuses[JAN] = [answer]
    with pytest.raises(SendError) as refused:
        await channel(office).send(sending())
    assert refused.value.fault == fault
    await channel(office).send(sending(2, "piet@post.example"))
    assert mailbox.recipients == ["piet@post.example"]
    assert len(office._free) == 1


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("451 4.3.0 try later", BUSY),
        ("554 5.6.0 looks like spam", UNWANTED),
        ("552 5.2.2 mailbox full", FULL),
    ],
)
async def test_what_a_refused_mail_means(mailbox: Mailbox, office: PostOffice, answer: str, fault: Fault) -> None:
    mailbox.refuses_mail = [answer]
    with pytest.raises(SendError) as refused:
        await channel(office).send(sending())
    assert refused.value.fault == fault
    assert mailbox.letters == []


async def test_a_line_cut_after_the_mail_was_handed_over_means_that_nobody_knows(
    mailbox: Mailbox, office: PostOffice
) -> None:
    mailbox.hangs_up = 1
    with pytest.raises(Unanswered):
        await channel(office).send(sending())
    await channel(office).send(sending(2))
    assert len(mailbox.letters) == 1


async def test_many_mails_share_few_connections(mailbox: Mailbox, office: PostOffice) -> None:
    email = channel(office)
    await asyncio.gather(*(email.send(sending(each)) for each in range(8)))
    assert len(mailbox.letters) == 8
    assert 1 <= len(mailbox.connections) <= 2
    await office.greet()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"password": "wrong"}, NO_LOGIN),
        ({"authorities": None}, NO_TLS),
        ({"security": "tls"}, NO_TLS),
        ({"port": free_port()}, NOT_THERE),
    ],
)
async def test_what_keeps_every_mail_from_leaving_pauses_all_and_says_what_to_mend(
    mailbox: Mailbox, changes: dict[str, object], fault: Fault
) -> None:
    office = PostOffice(replace(server_of(mailbox), **changes))  # type: ignore[arg-type]
    with pytest.raises(SendError) as refused:
        await channel(office).send(sending())
    assert refused.value.fault == fault
    assert refused.value.pause_s > 0
    assert mailbox.letters == []


def published(key: Path) -> bytes:
    """What DNS holds of a key."""
    public = load_pem_private_key(key.read_bytes(), None).public_key()
    encoded = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return b"v=DKIM1; k=rsa; p=" + encoded


async def test_a_signed_mail_proves_whose_it_is_until_a_letter_is_changed(
    mailbox: Mailbox, office: PostOffice, dkim_key: Path
) -> None:
    record = published(dkim_key)

    def dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"burgernet._domainkey.burgernet.example."
        return record

    key = read_key(dkim_key, "burgernet", "bericht@burgernet.example")
    await channel(office, key).send(sending(title="Zoë in ’s-Gravenhage, " + "x" * 50))
    (raw,) = mailbox.raw
    assert dkim.verify(raw, dnsfunc=dns)
    assert not dkim.verify(raw.replace(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click"), dnsfunc=dns)
    signature = mailbox.letters[0]["DKIM-Signature"].replace(" ", "").lower()
    assert "list-unsubscribe:list-unsubscribe-post" in signature


def test_a_key_that_cannot_sign_is_refused_with_a_reason(tmp_path: Path, papers: Path) -> None:
    with pytest.raises(NoKey, match="cannot be read"):
        read_key(tmp_path / "nothing", "s", "a@b.example")
    (tmp_path / "text").write_text("no key")
    with pytest.raises(NoKey, match="no private key"):
        read_key(tmp_path / "text", "s", "a@b.example")
    with pytest.raises(NoKey, match="RSA key of at least 2048"):
        read_key(next(papers.glob("*key*")), "s", "a@b.example")


async def test_what_is_no_address_is_never_handed_to_the_server(mailbox: Mailbox, office: PostOffice) -> None:
    for odd in ("no address", "a@b.example\r\nBcc: c@d.example", "<a@b.example>, <c@d.example>"):
        with pytest.raises(SendError):
            await channel(office).send(sending(to=odd))
    assert mailbox.letters == []
