"""The ways out for voice alerts: our own exchange, Twilio, or both, as far as the settings name them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from actions.numbers import allowed, read_number
from alerting.bell import DELIVERIES, work
from alerting.bounds import carried_by
from alerting.channels import Channel
from alerting.channels.in_order import InOrder, Way
from alerting.channels.standing import Standing, Trunk
from alerting.channels.twilio_client import TwilioClient
from alerting.channels.twilio_voice import TwilioVoice
from alerting.channels.voice import ATTEMPT_S, AsteriskVoice
from alerting.dispatcher import Dispatcher
from alerting.left_tips import RECORDINGS, LeftTips
from alerting.purse import Purse
from alerting.queue import Queue
from alerting.rate import rate_for
from alerting.still_ringing import StillRinging
from alerting.throttle import VOICE
from alerting.wave_pace import Limits, WavePace
from alerting.ways import Ways
from burgernet import node
from burgernet.base import Base
from ivr_flows.switchboard import Switchboard
from ivr_flows.voice_alert import voice_alert
from telephony.controller import Controller
from telephony.outbound import OutboundGuard
from web.hooks.twilio_calls import STATUS
from web.hooks.twilio_voice import CONVERSATION

# Beside those that ring through our own trunk: Twilio takes a call at once and rings later.
TWILIO_SIDE_BY_SIDE = 10


async def voice_alerts(base: Base, controller: Controller, board: Switchboard) -> None:
    """Places voice alerts until cancelled, by the ways that the settings name; by none it returns at once."""
    # A call counts as one minute when it leaves.
    carriers = [provider for provider, there in (("asterisk", by_trunk(base)), ("twilio", by_twilio(base))) if there]
    purse = Purse(base.store, "voice", carried_by(base.settings.tariffs, "voice", carriers))
    own = own_way(base, controller, board) if by_trunk(base) else None
    async with AsyncExitStack() as open_things, asyncio.TaskGroup() as group:
        channel: Channel | None = own
        if by_twilio(base):
            client = twilio_client(base)
            open_things.push_async_callback(client.close)
            other = twilio_way(base, client)
            channel = either_way(base, purse, own, other)
            ringing, tips = StillRinging(base.store, other), LeftTips(base.store, base.book, client)
            group.create_task(work(base.redis, DELIVERIES, "calls about what is over", ringing.step))
            group.create_task(work(base.redis, RECORDINGS, "tips left at Twilio", tips.step))
        if channel:
            guard = controller.guard if own else None
            group.create_task(voice_dispatcher(base, channel, purse, guard).run())


def either_way(base: Base, purse: Purse, own: AsteriskVoice | None, other: TwilioVoice) -> InOrder:
    """Our own exchange is preferred; an exercise does not leave it."""
    rate = rate_for(base.redis, "voice:twilio", base.settings.voice_twilio_a_second)
    ways = [Way(own, Trunk(lambda: own.there))] if own else []
    ways.append(Way(other, Standing(), rate, practises=False))
    return InOrder(tuple(ways), Ways(base.store, purse), purse)


def by_trunk(base: Base) -> bool:
    """Whether our own exchange has a way out, if only for exercises."""
    return bool(base.settings.carriers or base.settings.exercise_trunk_contact)


def by_twilio(base: Base) -> bool:
    return bool(base.settings.twilio_account_sid and base.settings.twilio_caller_id)


def own_way(base: Base, controller: Controller, board: Switchboard) -> AsteriskVoice:
    """It rings, and hands each call that is answered to its conversation."""
    caller_id = read_number(base.settings.free_number).e164 or base.settings.free_number
    talk = partial(voice_alert, board=board)
    ways, practice = node.ways_out(base.settings), node.exercise_ways(base.settings)
    return AsteriskVoice(controller, base.store, board.actions, base.book, ways, practice, caller_id, talk)


def twilio_client(base: Base) -> TwilioClient:
    settings = base.settings
    return TwilioClient(
        settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.twilio_api_url
    )


def twilio_way(base: Base, client: TwilioClient) -> TwilioVoice:
    settings, public = base.settings, base.settings.public_url.rstrip("/")
    return TwilioVoice(
        client, settings.twilio_caller_id, f"{public}{CONVERSATION}", f"{public}{STATUS}", settings.max_call_s
    )


def voice_dispatcher(base: Base, channel: Channel, purse: Purse, guard: OutboundGuard | None = None) -> Dispatcher:
    """`guard`: of our own trunk; None when all calls go by another."""
    settings = base.settings
    queue = Queue(base.store, "voice", channel.provider, ATTEMPT_S, VOICE, purse)
    may_reach = partial(allowed, prefixes=settings.allowed_prefixes, refused=settings.refused_prefixes)
    side_by_side = max(settings.outbound_channels, 1) + (TWILIO_SIDE_BY_SIDE if by_twilio(base) else 0)
    more = TWILIO_SIDE_BY_SIDE if by_twilio(base) else 0
    limits = Limits(
        settings.voice_calls_a_second,
        lambda: (guard.free if guard else 0) + more,
        settings.amber_waits_for_operators,
    )
    pace = WavePace(base.store, base.redis, limits)
    return Dispatcher(
        base.store, base.redis, base.register, queue, channel, may_reach, side_by_side, base.strays.told, pace
    )
