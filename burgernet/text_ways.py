"""The ways out for texts: the providers that the settings name, in their order; and our answers to texts."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from actions.numbers import allowed
from alerting.bounds import carried_by
from alerting.channels.in_order import InOrder, Rememberer, Way
from alerting.channels.sms import TwilioSms
from alerting.channels.spryng import SpryngSms
from alerting.channels.standing import Standing
from alerting.channels.twilio_client import TwilioClient
from alerting.channels.twilio_replies import TwilioReplies
from alerting.dispatcher import Dispatcher
from alerting.inbound.answers import Answers
from alerting.purse import Purse
from alerting.queue import Queue
from alerting.rate import rate_for
from alerting.renditions import Notice, text
from alerting.ways import Ways
from burgernet.base import Base
from burgernet.settings import Settings
from web.hooks.twilio import STATUS
from web.links.serving import ROOT as LINKS

# How long a text may be on its way to the provider before the provider is asked what became of it.
SMS_ATTEMPT_S = 30.0


def text_providers(settings: Settings) -> list[str]:
    """Those with an account, the one to be tried first in front."""
    accounts = {"twilio": settings.twilio_account_sid, "spryng": settings.spryng_api_key.get_secret_value()}
    return [provider for provider in settings.sms_providers if accounts[provider]]


async def texts(base: Base) -> None:
    """Sends texts, and answers those that come in by Twilio, until cancelled. One provider at least has an account."""
    async with AsyncExitStack() as open_things, asyncio.TaskGroup() as group:
        channels: dict[str, Rememberer] = {}
        if "twilio" in (providers := text_providers(base.settings)):
            client = twilio_client(base.settings)
            open_things.push_async_callback(client.close)
            channels["twilio"] = by_twilio(base.settings, client)
            group.create_task(_answers(base, client).run())
        if "spryng" in providers:
            channels["spryng"] = spryng = by_spryng(base.settings)
            open_things.push_async_callback(spryng.close)
        group.create_task(text_dispatcher(base, [channels[provider] for provider in providers]).run())


def twilio_client(settings: Settings) -> TwilioClient:
    return TwilioClient(
        settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.twilio_api_url
    )


def by_twilio(settings: Settings, client: TwilioClient) -> TwilioSms:
    callback_url = f"{settings.public_url.rstrip('/')}{STATUS}"
    return TwilioSms(client, settings.twilio_sender, callback_url, settings.free_number_read)


def by_spryng(settings: Settings) -> SpryngSms:
    key = settings.spryng_api_key.get_secret_value()
    return SpryngSms(key, settings.spryng_sender, settings.free_number_read, settings.spryng_api_url)


def text_dispatcher(base: Base, channels: list[Rememberer]) -> Dispatcher:
    """`channels`: the one to be tried first in front."""
    tariffs = carried_by(base.settings.tariffs, "sms", [channel.provider for channel in channels])
    purse = Purse(base.store, "sms", tariffs, partial(text_parts, free_number=base.settings.free_number_read))
    bounds = {channel.provider: tariffs["sms", channel.provider] for channel in channels}
    ways = tuple(
        Way(channel, Standing(), rate_for(base.redis, f"sms:{name}", bounds[name].a_second), bounds[name].at_once)
        for channel in channels
        for name in (channel.provider,)
    )
    channel = InOrder(ways, Ways(base.store, purse), purse)
    queue = Queue(base.store, "sms", channel.provider, SMS_ATTEMPT_S, purse=purse)
    side_by_side = max(bound.at_once for bound in bounds.values())
    return Dispatcher(
        base.store, base.redis, base.register, queue, channel, _may_reach(base), side_by_side, base.strays.told
    )


def text_parts(notice: Notice, free_number: str) -> int:
    """Of how many parts a text is, as every provider counts them."""
    return text(notice, free_number).segments


def _answers(base: Base, client: TwilioClient) -> Answers:
    replies = TwilioReplies(client, base.settings.twilio_sender)
    number, links_url = base.settings.free_number_read, f"{base.settings.public_url.rstrip('/')}{LINKS}"
    return Answers(base.store, base.redis, base.vaults.police, replies, _may_reach(base), number, links_url)


def _may_reach(base: Base) -> partial[bool]:
    settings = base.settings
    return partial(allowed, prefixes=settings.allowed_prefixes, refused=settings.refused_prefixes)
