"""The real Asterisk with a real trunk to a public network, where the participants' telephones are."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from burgernet import asterisk
from burgernet.base import opened
from burgernet.embedded import free_port
from burgernet.node import instance, node
from ivr_flows.catalogue import catalogue
from stand_ins.public_network import Network, account_of, configuration
from telephony.handset import PhoneBox, Registrar
from telephony.speech import Speech
from tests.alerting.town import number
from tests.conversations.exchange import CARRIER, exchange_on, noise, seeded, settings_of
from tests.conversations.real import PATIENCE, RealNode, RealWiring
from tests.voice.papers import secured_by, tls_of
from tests.voice.street import Line, Street, Subscriber


@dataclass(frozen=True)
class Country:
    """Our node, and the network that its trunk leads to."""

    real: RealNode
    network: Network


@asynccontextmanager
async def country_with_a_network(
    country_url: str, names: Iterable[int], before: Sequence[str] = (), papers: Path | None = None
) -> AsyncIterator[Country]:
    """Two Asterisks. `names`: of the people who have a telephone. `before`: contacts of the trunk that are tried before
    the network. `papers`: a folder with a certificate (`written_papers`); then the trunk is TLS and SRTP, and the node
    registers at the network. Nothing of them stays."""
    tls_port = free_port()
    network = Network(
        address=CARRIER,
        port=free_port(socket.SOCK_DGRAM),
        rtp_first=26000,
        rtp_last=26999,
        node=f"127.0.0.1:{free_port() if papers else free_port(socket.SOCK_DGRAM)}",
        subscribers={number(name): secrets.token_hex(16) for name in names},
        password=secrets.token_hex(16) if papers else "",
        tls=tls_of(papers, CARRIER, tls_port) if papers else None,
    )
    carrier = f"sip:{network.address}:{tls_port if papers else network.port}"
    settings = settings_of(
        country_url,
        "redis://127.0.0.1:1/0",
        ari_url=f"http://127.0.0.1:{free_port()}",
        ami_url=f"tcp://127.0.0.1:{free_port()}",
        sip_bind=f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}" if papers else network.node,
        rtp_ports="24000-25999",
        trunk_contacts=[*before, carrier],
        asterisk_instance=f"voice-{os.getpid()}",
        **(secured_by(papers, network) if papers else {}),
    )
    ours = instance(settings)
    public = asterisk.Instance(ours.installed, f"network-{os.getpid()}")
    async with opened(settings) as base:
        await seeded(base)
        asterisk.write(ours, await node(settings, base.desk))
    asterisk.write_files(public, partial(configuration, network))
    speech = Speech(catalogue(), ours.sounds, ours.sounds_inside, noise)
    await speech.build(lambda _: None)
    with asterisk.running(ours), asterisk.running(public):
        yield Country(RealNode(settings, speech, ours), network)
    for folder in (ours.folder, public.folder):
        shutil.rmtree(folder)


@asynccontextmanager
async def real_street(country: Country, box: PhoneBox, url: str, redis_url: str, spool: Path) -> AsyncIterator[Street]:
    """The product's telephony role on that node, with a database and Redis of its own."""
    mine: dict[str, Any] = {"database_url": url, "redis_url": redis_url, "spool_file": spool}
    async with opened(country.real.settings.model_copy(update=mine)) as base:
        await seeded(base)
        wiring = RealWiring(country.real, box)
        registrar = Registrar(country.network.address, country.network.port)

        async def plug(name: int) -> Subscriber:
            password, account = country.network.subscribers[number(name)], account_of(number(name))
            handset = await box.phone(f"{account}#{secrets.token_hex(4)}", registrar, password, user=account)
            await handset.registers()
            return Subscriber(name, cast("Line[Any]", handset), wiring._sound_of)

        async with exchange_on(base, wiring, PATIENCE) as exchange:
            street = Street(exchange, plug)
            yield street
            for phone in exchange.phones:
                await phone.put_away()
                if isinstance(phone, Subscriber):
                    await phone.unregisters()
        await wiring.forget_phones()
