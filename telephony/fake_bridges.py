"""Bridges of Asterisk in memory: who is in them, and what is recorded of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telephony.ari import AriError

if TYPE_CHECKING:
    from telephony.fake import FakeAsterisk

# So much sound lies in memory before Asterisk writes, and finds the disk full.
UNWRITTEN_S = 2.0
Verb = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Any]


@dataclass
class Recording:
    """`seconds`: recorded before the moment `since`; while paused `since` is None."""

    bridge: str
    since: float | None
    seconds: float = 0.0


class FakeBridges:
    """`disk_full`: recordings end by themselves, as done, soon after they began."""

    def __init__(self, asterisk: FakeAsterisk) -> None:
        self._asterisk, self._bridges = asterisk, asterisk.bridges
        self._recordings: dict[str, Recording] = {}
        self._absorbing: set[str] = set()
        self._disk_full = False

    def verbs(self) -> Mapping[tuple[str, str, str], Verb]:
        return {
            ("POST", "bridges", ""): self._create,
            ("POST", "bridges", "addChannel"): self._add,
            ("POST", "bridges", "removeChannel"): self._take_out,
            ("POST", "bridges", "record"): self._record,
            ("GET", "bridges", ""): lambda bridge, _, __: {"id": bridge, "channels": list(self._legs(bridge))},
            ("DELETE", "bridges", ""): self._destroy,
            ("GET", "recordings", ""): lambda name, _, __: {"name": name, "state": bool(self._recording(name))},
            ("POST", "recordings", "pause"): lambda name, _, __: self._pause(name),
            ("DELETE", "recordings", "pause"): lambda name, _, __: self._go_on(name),
        }

    def of(self, leg: str) -> str | None:
        """The bridge that a leg is in."""
        return next((bridge for bridge, legs in self._bridges.items() if leg in legs), None)

    def hearing_keys_of(self, leg: str) -> list[str]:
        """The legs that hear the keys of this one."""
        bridge = self.of(leg)
        if bridge is None or leg in self._absorbing:
            return []
        return [other for other in self._bridges[bridge] if other != leg]

    def finish(self, name: str) -> bool:
        """Ends a recording of a bridge; False when there is none of this name."""
        recording = self._recordings.pop(name, None)
        if recording is None:
            return False
        seconds = recording.seconds + self._since(recording)
        self._asterisk.store(name, seconds, loud=True)
        app = self._asterisk.app_of(name)
        about = {"name": name, "target_uri": f"bridge:{recording.bridge}", "state": "done", "duration": int(seconds)}
        self._asterisk.tell(app, "RecordingFinished", recording=about)
        return True

    def disk_is_full(self) -> None:
        self._disk_full = True
        for name in list(self._recordings):
            self.finish(name)

    def _create(self, bridge: str, _: object, __: object) -> None:
        self._bridges[bridge] = []

    def _destroy(self, bridge: str, _: object, __: object) -> None:
        self._legs(bridge)
        for name, recording in list(self._recordings.items()):
            if recording.bridge == bridge:
                self.finish(name)
        del self._bridges[bridge]

    def _add(self, bridge: str, query: Mapping[str, Any], _: object) -> None:
        legs = self._legs(bridge)
        wanted = str(query["channel"]).split(",")
        for leg in wanted:
            if leg not in self._asterisk.channels:
                raise AriError(400, "Channel not found")
            if not self._asterisk.channels[leg].app:
                raise AriError(422, "Channel not in Stasis application")
        for leg in wanted:
            if leg not in legs:
                legs.append(leg)
            (self._absorbing.add if query.get("absorbDTMF") == "true" else self._absorbing.discard)(leg)

    def _take_out(self, bridge: str, query: Mapping[str, Any], _: object) -> None:
        legs, leg = self._legs(bridge), query["channel"]
        if leg not in self._asterisk.channels:
            raise AriError(400, "Channel not found")
        if leg not in legs:
            raise AriError(422, "Channel not in this bridge")
        legs.remove(leg)

    def _record(self, bridge: str, query: Mapping[str, Any], _: object) -> None:
        self._legs(bridge)
        name = query["name"]
        self._recordings[name] = Recording(bridge, asyncio.get_running_loop().time())
        if self._disk_full:
            asyncio.get_running_loop().call_later(UNWRITTEN_S / self._asterisk.pace, self.finish, name)

    def _pause(self, name: str) -> None:
        recording = self._recording(name)
        recording.seconds += self._since(recording)
        recording.since = None

    def _go_on(self, name: str) -> None:
        self._recording(name).since = asyncio.get_running_loop().time()

    def _since(self, recording: Recording) -> float:
        if recording.since is None:
            return 0.0
        return (asyncio.get_running_loop().time() - recording.since) * self._asterisk.pace

    def _recording(self, name: str) -> Recording:
        if name not in self._recordings:
            raise AriError(404, "Recording not found")
        return self._recordings[name]

    def _legs(self, bridge: str) -> list[str]:
        if bridge not in self._bridges:
            raise AriError(404, "Bridge not found")
        return self._bridges[bridge]
