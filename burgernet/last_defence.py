"""What the dialplan must know to bring a caller to a room alone: globals in Asterisk, without any caller's number.

The rendered file is the start; whatever changed since is told to Asterisk, and again after it restarted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from actions.duty import Duty
from actions.store import Away
from burgernet.base import Base
from burgernet.node import rooms_of_area_codes
from telephony.ari import Ari, AriAway, AriError

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 10.0


class LastDefence:
    """`area_codes`: the regions each reaches into; `endpoint`: what Asterisk rings to reach an operator."""

    def __init__(
        self, base: Base, ari: Ari, area_codes: Mapping[str, Sequence[str]], endpoint: Callable[[str], str]
    ) -> None:
        self._base, self._ari, self._area_codes, self._endpoint = base, ari, area_codes, endpoint
        self._told: dict[str, str] = {}
        self._connection = 0

    async def run(self) -> None:
        """Tells what changed every 10 s, until cancelled; after each reconnect everything."""
        while True:
            await self._ari.connected.wait()
            try:
                await self._tell(await self._globals())
            except (AriAway, AriError, *Away) as fault:
                log.info("the dialplan keeps what it knew: %s", type(fault).__name__)
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _tell(self, wanted: Mapping[str, str]) -> None:
        if self._connection != self._ari.connections:
            self._connection, self._told = self._ari.connections, {}
        for name, value in wanted.items():
            if self._told.get(name) != value:
                await self._ari.request("POST", "asterisk/variable", variable=name, value=value)
                self._told[name] = value

    async def _globals(self) -> dict[str, str]:
        operators, regions = await self._base.desk.operators(), await self._base.desk.regions()
        rooms = {f"ROOM_{code}": room for code, room in rooms_of_area_codes(self._area_codes, regions).items()}
        phones = {f"PHONES_{room}": self._phones(operators, room) for room in {duty.room_id for duty in operators}}
        return {"FALLBACK_ROOM": self._base.settings.fallback_room, **rooms, **phones}

    def _phones(self, operators: list[Duty], room: str) -> str:
        """The phones on duty in a room; all of them when there are none: somebody may sit there."""
        theirs = [duty for duty in operators if duty.room_id == room]
        on_duty = [duty for duty in theirs if duty.since]
        return "&".join(self._endpoint(duty.operator_id) for duty in on_duty or theirs)
