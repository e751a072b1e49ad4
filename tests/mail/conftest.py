"""A mail server on loopback, and a Burgernet that sends by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from actions.store import Store
from burgernet.base import Base, opened
from burgernet.settings import Settings
from tests.mail.mailbox import PASSWORD, USER, Mailbox, mail_server
from tests.mail.running import settings_of
from tests.voice.papers import written_papers


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of the mail server."""
    return written_papers(tmp_path_factory.mktemp("papers"), "127.0.0.1")


@pytest.fixture(scope="session")
def dkim_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = rsa.generate_private_key(65537, 2048)
    file = tmp_path_factory.mktemp("dkim") / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


@pytest.fixture
async def mailbox(papers: Path) -> AsyncIterator[Mailbox]:
    async with mail_server(papers) as box:
        yield box


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between the databases is tested elsewhere."""
    return sqlite_url


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path, mailbox: Mailbox, dkim_key: Path) -> Settings:
    return settings_of(
        database_url,
        redis_url,
        tmp_path,
        smtp_host="127.0.0.1",
        smtp_port=mailbox.port,
        smtp_user=USER,
        smtp_password=PASSWORD,
        smtp_authorities=mailbox.authorities,
        smtp_connections=2,
        mail_from="Burgernet Nederland <bericht@burgernet.example>",
        mail_bounces="terug@burgernet.example",
        mail_dkim_key=dkim_key,
    )


@pytest.fixture
async def base(settings: Settings, country: Store, redis: object) -> AsyncIterator[Base]:
    async with opened(settings) as base:
        yield base
