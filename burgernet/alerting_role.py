"""The alerting role: writes audiences and sends on every channel but the telephone."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from actions.numbers import allowed
from alerting.audience import write_next
from alerting.bell import DELIVERIES, work
from alerting.channels.sms import TwilioSms
from alerting.channels.twilio_client import TwilioClient
from alerting.channels.twilio_replies import TwilioReplies
from alerting.dispatcher import Dispatcher
from alerting.fallback import write_fallbacks
from alerting.inbound.answers import Answers
from alerting.queue import Queue
from burgernet.base import Base, Say
from web.hooks.twilio import STATUS

log = logging.getLogger(__name__)

SMS_SIDE_BY_SIDE = 100
# How long a text may be on its way to the provider before the provider is asked what became of it.
SMS_ATTEMPT_S = 30.0


async def alerting_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Works until cancelled; sets `ready` at once: what is due waits in the database."""
    settings = base.settings
    async with asyncio.TaskGroup() as group:
        for what, step in (("audiences", write_next), ("texts after calls", write_fallbacks)):
            group.create_task(work(base.redis, DELIVERIES, what, partial(step, base.store, base.redis)))
        if settings.twilio_account_sid:
            group.create_task(_texts(base))
        else:
            say("No texts are sent: BURGERNET_TWILIO_ACCOUNT_SID is empty")
        ready.set()


async def _texts(base: Base) -> None:
    settings = base.settings
    client = TwilioClient(
        settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.twilio_api_url
    )
    callback_url = f"{settings.public_url.rstrip('/')}{STATUS}"
    channel = TwilioSms(client, settings.twilio_sender, callback_url, settings.free_number_read)
    queue = Queue(base.store, "sms", channel.provider, SMS_ATTEMPT_S)
    may_reach = partial(allowed, prefixes=settings.allowed_prefixes, refused=settings.refused_prefixes)
    dispatcher = Dispatcher(
        base.store, base.redis, base.register, queue, channel, may_reach, SMS_SIDE_BY_SIDE, base.strays.told
    )
    replies = TwilioReplies(client, settings.twilio_sender)
    answers = Answers(base.store, base.redis, base.vaults.police, replies, may_reach, settings.free_number_read)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(dispatcher.run())
            group.create_task(answers.run())
    finally:
        await client.close()
