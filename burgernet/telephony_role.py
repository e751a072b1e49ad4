"""The telephony role: one controller of one Asterisk node, with everything its conversations need."""

from __future__ import annotations

import asyncio
import logging

from actions.live import OpenActions
from burgernet import node
from burgernet.adoption import Adoption
from burgernet.base import START_BOUND_S, Base, Say
from burgernet.call_backs import CallingBack
from burgernet.drain import drain
from burgernet.last_defence import LastDefence
from burgernet.lost_nodes import LostNodes
from burgernet.roster import Roster
from burgernet.seen import by_telephony
from burgernet.served_name import ServedName, Shared, served_name
from burgernet.voice_ways import by_trunk, by_twilio, voice_alerts
from ivr_flows.catalogue import catalogue
from telephony.ami import Ami, Watcher
from telephony.contacts import Contacts
from telephony.lease import Lease
from telephony.nodes import Nodes
from telephony.siblings import Siblings
from telephony.speech import Speech, espeak

log = logging.getLogger(__name__)


async def telephony_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Serves calls until cancelled; sets `ready` when they are taken. Raises LeaseLost, ari.Replaced, NoVoice."""
    speech = speech_of(base)
    await speech.build(log.info)
    actions = OpenActions(base.desk, base.redis)
    await actions.refresh()
    settings = base.settings
    nodes = Nodes(base.redis, settings.node, settings.apps, settings.other_nodes)
    roster = Roster(base.desk, base.redis, nodes)
    await roster.read_books()
    shared = Shared(speech, roster, actions, await base.desk.area_codes(), await base.desk.postcodes())
    lease = Lease(base.redis, settings.app)
    own = served_name(base, shared, lease)
    # Nothing slow comes between taking the lease and keeping it.
    await lease.take(START_BOUND_S, say)
    try:
        await _serve(base, shared, own, nodes, say, ready)
    finally:
        await asyncio.shield(lease.give_back())


async def _serve(base: Base, shared: Shared, own: ServedName, nodes: Nodes, say: Say, ready: asyncio.Event) -> None:
    settings, roster = base.settings, shared.roster
    contacts = Contacts(roster.phone_changed)
    watchers: list[Watcher] = [contacts, base.quality, base.refusals]
    ami = Ami(settings.ami_url, settings.ami_user, settings.ami_password.get_secret_value(), watchers)
    roster.watch(contacts, own.line)
    ari = own.controller.ari
    nodes.watch(ari.connected)
    adoption = Adoption(base, shared, Siblings(base.redis, own.lease, settings.apps), ari)
    look = by_telephony(base, ari, contacts, roster)
    lost_nodes = LostNodes(base, nodes, contacts, roster)
    last_defence = LastDefence(base, ari, shared.area_codes, roster.endpoint)
    async with base.looking(look), base.looking(lost_nodes.facts), asyncio.TaskGroup() as group:
        group.create_task(own.run(base, say, up := asyncio.Event()), name=settings.app)
        for work in (shared.actions.run, base.book.run, nodes.run):
            group.create_task(work(), name=work.__qualname__)
        # Before, operators in talks that go on would have looked free.
        await own.controller.reconciled.wait()
        for work in (ami.run, roster.run, adoption.run, lost_nodes.run, last_defence.run):
            group.create_task(work(), name=work.__qualname__)
        await up.wait()
        if by_trunk(base) or by_twilio(base):
            alerts = group.create_task(voice_alerts(base, own.controller, own.board), name="voice alerts")
            if by_trunk(base):
                group.create_task(CallingBack(base, own.controller, own.board).run(), name="call-backs")
        else:
            alerts = None
            say("No voice alerts are placed: BURGERNET_TRUNK_CONTACTS and BURGERNET_TWILIO_CALLER_ID are empty")
        group.create_task(drain(base, own, adoption, alerts), name="drain")
        ready.set()


def speech_of(base: Base) -> Speech:
    """The prompts of this deployment. Raises NoAsterisk when their folder is not known."""
    folder, seen_as = node.sounds(base.settings)
    return Speech(catalogue(), folder, seen_as, espeak)
