"""Mail: what the alerting role, the doctor and commands need of it."""

from __future__ import annotations

from email.utils import parseaddr

from alerting.bounds import carried_by
from alerting.channels.dkim_key import DkimKey, read_key
from alerting.channels.email import Email, Letterhead
from alerting.channels.post_office import PostOffice, Server
from alerting.dispatcher import Dispatcher
from alerting.passes import Passes
from alerting.purse import Purse
from alerting.queue import Queue
from alerting.rate import AtRate, rate_for
from burgernet.base import Base
from burgernet.settings import Settings

# How long a mail may be on its way to the server; half of it for handing it over.
ATTEMPT_S = 60.0


async def mails(base: Base) -> None:
    """Sends mail until cancelled. Raises NoKey, and OSError for authorities that cannot be read."""
    settings, office = base.settings, post_office(base.settings)
    public = settings.public_url.rstrip("/")
    head = Letterhead(settings.mail_from, parseaddr(settings.mail_bounces)[1], public, settings.free_number_read)
    channel = Email(office, head, Passes(base.vaults.register), signing_key(settings))
    purse = Purse(base.store, "email", carried_by(settings.tariffs, "email", [channel.provider]))
    queue = Queue(base.store, "email", channel.provider, ATTEMPT_S, purse=purse)
    at_rate = AtRate(channel, rate_for(base.redis, "email:smtp", settings.email_a_second))
    places = settings.smtp_connections
    dispatcher = Dispatcher(base.store, base.redis, base.register, queue, at_rate, is_mailbox, places, base.strays.told)
    try:
        await dispatcher.run()
    finally:
        await office.close()


def post_office(settings: Settings) -> PostOffice:
    """Raises OSError."""
    return PostOffice(
        Server(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_user,
            settings.smtp_password.get_secret_value(),
            settings.smtp_authorities,
            settings.smtp_connections,
        )
    )


def signing_key(settings: Settings) -> DkimKey | None:
    """Raises NoKey."""
    return read_key(settings.mail_dkim_key, settings.mail_dkim_selector, parseaddr(settings.mail_from)[1])


def is_mailbox(to: str) -> bool:
    return "@" in to
