"""Bridges and recordings in Asterisk: what is asked of them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from telephony.ari import Ari, AriAway, AriError
from telephony.legs import Leg, Sounding

log = logging.getLogger(__name__)


async def quietly(ari: Ari, method: str, path: str, **query: Any) -> None:
    """A request whose refusal means that it is so already; when Asterisk is away the next reconcile sweeps."""
    try:
        await ari.request(method, path, **query)
    except AriError as refused:
        log.debug("%s %s: %s", method, path, refused)
    except AriAway as away:
        log.warning("%s; the next reconcile sweeps", away)


class Bridges:
    """Those of one controller. What is asked raises AriError or AriAway, unless it only stops something."""

    def __init__(self, ari: Ari) -> None:
        self._ari = ari
        self._known: dict[str, Sounding] = {}

    def known(self, bridge: str) -> Sounding:
        """Where the ends of its recordings are told, until it is destroyed."""
        return self._known.setdefault(bridge, Sounding(bridge))

    def finish(self, bridge: str, thing_id: str, how: object) -> None:
        if sounding := self._known.get(bridge):
            sounding.finish(thing_id, how)

    async def create(self, bridge: str) -> None:
        await self._ari.request("POST", f"bridges/{bridge}", type="mixing")

    async def add(self, bridge: str, *legs: Leg) -> None:
        """Nobody in the bridge hears the keys of these legs; we do."""
        names = ",".join(leg.id for leg in legs)
        await self._ari.request("POST", f"bridges/{bridge}/addChannel", channel=names, absorbDTMF="true")

    async def take_out(self, bridge: str, leg: Leg) -> None:
        await self._ari.request("POST", f"bridges/{bridge}/removeChannel", channel=leg.id)

    async def inside(self, bridge: str) -> Collection[str] | None:
        """The ids of the legs in it; None when it is not there."""
        try:
            found = await self._ari.request("GET", f"bridges/{bridge}")
        except AriError:
            return None
        return set(found["channels"])

    async def destroy(self, bridge: str) -> None:
        self._known.pop(bridge, None)
        await quietly(self._ari, "DELETE", f"bridges/{bridge}")

    async def record(self, bridge: str, name: str, longest_s: float) -> None:
        await self._ari.request(
            "POST",
            f"bridges/{bridge}/record",
            name=name,
            format="wav",
            maxDurationSeconds=int(longest_s),
            ifExists="overwrite",
        )

    async def records(self, name: str) -> bool:
        """Whether a recording goes on."""
        try:
            await self._ari.request("GET", f"recordings/live/{name}")
        except AriError:
            return False
        return True

    async def pause(self, name: str) -> None:
        await quietly(self._ari, "POST", f"recordings/live/{name}/pause")

    async def go_on(self, name: str) -> None:
        await quietly(self._ari, "DELETE", f"recordings/live/{name}/pause")

    async def stop(self, name: str) -> None:
        await quietly(self._ari, "POST", f"recordings/live/{name}/stop")
