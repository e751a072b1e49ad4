"""Asterisk in memory, for tests of conversations: the answers, the events and their order that the real one gives.

Sound is told, not made: a phone knows what it would hear. It runs `pace` times as fast as in the real one.
"""

from __future__ import annotations

import asyncio
import io
import wave
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from telephony.ari import AriError
from telephony.fake_bridges import FakeBridges
from telephony.ringing import CHECKPOINT

if TYPE_CHECKING:
    from telephony.fake_ari import FakeAri
    from telephony.fake_dialplan import FakeDialplan
    from telephony.fake_phone import FakePhone

PROMPT_S = 2.0
RTP_TIMEOUT_S = 60.0
LISTENS, TALK_ENDS_S = "TALK_DETECT(set)", 1.2
MUSIC = "music"
RATE = 8000

Query = Mapping[str, Any]


@dataclass(eq=False)
class Channel:
    """`app`: the Stasis application it is in. `made_by`: the application that originated it. `playing`: (playback id,
    media), the first one sounds now. `dialplan`: what leads it outside of Stasis."""

    id: str
    name: str
    phone: FakePhone
    number: str
    made_by: str = ""
    entry: tuple[str, ...] = ()
    apps_left: deque[str] = field(default_factory=deque)
    app: str = ""
    music: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    playing: deque[tuple[str, str]] = field(default_factory=deque)
    recording: tuple[str, float] | None = None
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    dialplan: asyncio.Task[None] | None = None
    answered: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    ended: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def up(self) -> bool:
        return self.answered.done()


class FakeAsterisk:
    """`dialplan`: what becomes of a call outside of Stasis."""

    def __init__(self, pace: float) -> None:
        self.pace = pace
        self.dialplan: FakeDialplan
        self.phones: dict[str, FakePhone] = {}
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, list[str]] = {}
        self.recordings: dict[str, bytes] = {}
        self.variables: dict[str, str] = {}
        self.sockets: dict[str, FakeAri] = {}
        self.reachable = asyncio.Event()
        self.reachable.set()
        self.observers: list[Callable[[Mapping[str, str]], None]] = []
        self._numbers = count(1)
        self.conferences = FakeBridges(self)
        self._verbs: dict[tuple[str, str, str], Callable[[str, Query, Query], Any]] = {
            ("POST", "channels", ""): self._originate,
            ("GET", "channels", ""): lambda leg, _, __: self.shown(self._channel(leg)),
            ("DELETE", "channels", ""): lambda leg, _, __: self.destroy(self._channel(leg), 16),
            ("POST", "channels", "answer"): lambda leg, _, __: self.answer(self._in_stasis(leg)),
            ("POST", "channels", "play"): self._play,
            ("POST", "channels", "moh"): lambda leg, _, __: self._start_music(self._in_stasis(leg)),
            ("DELETE", "channels", "moh"): lambda leg, _, __: setattr(self._in_stasis(leg), "music", False),
            ("POST", "channels", "record"): self._record,
            ("POST", "channels", "variable"): self._set_variable,
            ("POST", "channels", "continue"): self._continue,
            ("POST", "asterisk", ""): lambda _, query, __: self.variables.update({query["variable"]: query["value"]}),
            ("GET", "asterisk", ""): self._about_asterisk,
            ("DELETE", "playbacks", ""): self._stop_playback,
            ("POST", "recordings", ""): lambda name, _, __: self._stop_recording(name),
            **self.conferences.verbs(),
        }

    def request(self, app: str, method: str, path: str, body: Query, query: Query) -> Any:
        """One ARI request; the answer's JSON. Raises AriError."""
        kind, thing, *verb = path.removesuffix("/stop").replace("recordings/live", "recordings").split("/")
        details = {**query, "app_of_request": app, "rest": verb[1:]}
        return self._verbs[method, kind, verb[0] if verb else ""](thing, details, body)

    def shows(self, event: Mapping[str, str]) -> None:
        """An event on the manager port."""
        for observer in self.observers:
            observer(event)

    def listing(self, what: str) -> list[dict[str, Any]]:
        match what:
            case "channels":
                return [self.shown(channel) for channel in self.channels.values()]
            case "bridges":
                return [{"id": bridge, "channels": list(legs)} for bridge, legs in self.bridges.items()]
            case _:
                return [{"name": name} for name in self.recordings]

    def shown(self, channel: Channel) -> dict[str, Any]:
        """A channel as ARI shows it."""
        in_stasis = bool(channel.app)
        return {
            "id": channel.id,
            "name": channel.name,
            "state": "Up" if channel.up else "Ring",
            "caller": {"name": "", "number": channel.number},
            "dialplan": {
                "app_name": "Stasis" if in_stasis else "",
                "app_data": ",".join((channel.app, *channel.entry)) if in_stasis else "",
            },
            "channelvars": {CHECKPOINT: channel.variables.get(CHECKPOINT, "")},
        }

    def new_channel(self, phone: FakePhone, number: str, leg: str = "") -> Channel:
        serial = next(self._numbers)
        channel = Channel(leg or f"1700000000.{serial}", f"PJSIP/{phone.account}-{serial:08x}", phone, number)
        self.channels[channel.id] = channel
        return channel

    def enter_stasis(self, channel: Channel, app: str, *args: str) -> bool:
        """False when nobody serves the application: the dialplan goes on at once."""
        if app not in self.sockets:
            return False
        channel.app, channel.entry = app, args
        self.tell(app, "StasisStart", channel=self.shown(channel), args=list(args))
        return True

    def leave_stasis(self, channel: Channel) -> None:
        self.tell(channel.app, "StasisEnd", channel={"id": channel.id})
        channel.app = ""

    def answer(self, channel: Channel) -> None:
        if not channel.up:
            channel.answered.set_result(None)
            channel.phone.tell("answered")

    def picked_up(self, channel: Channel) -> None:
        """A phone that was rung answers."""
        self.answer(channel)
        if channel.made_by and not self.enter_stasis(channel, channel.made_by, *channel.entry):
            self.destroy(channel, 16)

    def destroy(self, channel: Channel, cause: int) -> None:
        """The end of a channel, told in the order of the real one. `cause`: Q.850."""
        if self.channels.pop(channel.id, None) is None:
            return
        channel.ended.set_result(None)
        self._silence(channel)
        if channel.app:
            self.leave_stasis(channel)
        elif channel.made_by:
            self.tell(channel.made_by, "ChannelDestroyed", channel={"id": channel.id}, cause=cause)
        for bridge, legs in self.bridges.items():
            self.bridges[bridge] = [leg for leg in legs if leg != channel.id]
        if channel.dialplan:
            channel.dialplan.cancel()
        channel.phone.hung_up(channel)

    def key(self, channel: Channel, key: str) -> None:
        if channel.app:
            self.tell(channel.app, "ChannelDtmfReceived", channel={"id": channel.id}, digit=key)
        for leg in self.conferences.hearing_keys_of(channel.id):
            self.channels[leg].phone.hear_key(key)
        if key == "#":
            self._finish_recording(channel)

    def heard_from(self, channel: Channel) -> Iterable[Channel]:
        """Who this channel hears."""
        for legs in self.bridges.values():
            if channel.id in legs and channel.up:
                yield from (
                    self.channels[leg] for leg in legs if leg != channel.id and not self.channels[leg].phone.gone
                )

    def talks(self, channel: Channel, seconds: float) -> None:
        """Somebody is heard on a channel for so long, 0 for ever; told when it is listened to."""
        if not (channel.app and LISTENS in channel.variables):
            return
        self.tell(channel.app, "ChannelTalkingStarted", channel={"id": channel.id})
        if seconds:
            over = {"id": channel.id}
            app = channel.app
            self.later(channel, seconds + TALK_ENDS_S, lambda: self.tell(app, "ChannelTalkingFinished", channel=over))

    def start_playing(self, channel: Channel, playback: str, media: str) -> None:
        channel.music = False
        channel.playing.append((playback, media))
        if len(channel.playing) == 1:
            self._sound(channel)

    def tell(self, app: str, kind: str, **more: Any) -> None:
        """An event to whoever serves the application; lost when nobody does."""
        if socket := self.sockets.get(app):
            socket.receives({"type": kind, **more})

    def later(self, channel: Channel, seconds: float, what: Callable[[], None]) -> None:
        """Does it after so many seconds of the real one, unless the channel is gone by then."""
        channel.timers.append(asyncio.get_running_loop().call_later(seconds / self.pace, what))

    def _originate(self, leg: str, query: Query, body: Query) -> None:
        called = str(query["endpoint"]).removeprefix("PJSIP/")
        phone = self.phones.get(called) or self.phones.get(called.partition("@")[2])
        if phone is None or not phone.registered:
            raise AriError(500, "Allocation failed")
        channel = self.new_channel(phone, str(query.get("callerId", "")), leg)
        channel.made_by, channel.entry = query["app"], (query["appArgs"],)
        channel.variables.update(body.get("variables", {}))
        channel.timers.append(
            asyncio.get_running_loop().call_later(
                float(query["timeout"]), lambda: None if channel.up else self.destroy(channel, 0)
            )
        )
        phone.is_rung(channel)

    def _about_asterisk(self, what: str, query: Query, _: Query) -> Any:
        if what == "info":
            return {"status": {"startup_time": "2026-01-01T00:00:00.000+0000"}}
        return {"value": self.variables.get(query["variable"], "")}

    def _play(self, leg: str, query: Query, _: Query) -> None:
        self.start_playing(self._in_stasis(leg), query["rest"][0], query["media"])

    def _start_music(self, channel: Channel) -> None:
        channel.music = True
        channel.phone.hear(MUSIC)

    def _silence(self, channel: Channel) -> None:
        """Whatever sounds on a channel breaks off; what was to be played after it is never told of."""
        for timer in channel.timers:
            timer.cancel()
        self._finish_recording(channel)
        if channel.playing:
            self._finish_playback(channel, "failed")

    def _sound(self, channel: Channel) -> None:
        channel.phone.hear(channel.playing[0][1])
        playback = channel.playing[0][0]
        self.later(channel, PROMPT_S, lambda: self._is_over(channel, playback))

    def _is_over(self, channel: Channel, playback: str) -> None:
        if channel.playing and channel.playing[0][0] == playback:
            self._finish_playback(channel, "done")

    def _finish_playback(self, channel: Channel, state: str) -> None:
        playback, _ = channel.playing.popleft()
        about = {"id": playback, "target_uri": f"channel:{channel.id}", "state": state}
        self.tell(channel.app, "PlaybackFinished", playback=about)
        if channel.playing and channel.id in self.channels:
            self._sound(channel)

    def _stop_playback(self, playback: str, _: Query, __: Query) -> None:
        for channel in self.channels.values():
            if channel.playing and channel.playing[0][0] == playback:
                return self._finish_playback(channel, "done")
        raise AriError(404, "Playback not found")

    def _record(self, leg: str, query: Query, _: Query) -> None:
        channel = self._in_stasis(leg)
        if self.conferences.of(leg):
            about = {"name": query["name"], "target_uri": f"channel:{leg}", "state": "failed"}
            self.tell(channel.app, "RecordingFailed", recording=about)
            return
        channel.recording = (query["name"], asyncio.get_running_loop().time())
        bound = query["maxDurationSeconds"] if channel.phone.tone else query["maxSilenceSeconds"]
        self.later(channel, bound, lambda: self._finish_recording(channel))

    def _finish_recording(self, channel: Channel) -> None:
        if channel.recording is None:
            return
        name, since = channel.recording
        channel.recording = None
        seconds = (asyncio.get_running_loop().time() - since) * self.pace
        self.store(name, seconds, loud=bool(channel.phone.tone))
        about = {"name": name, "target_uri": f"channel:{channel.id}", "duration": int(seconds)}
        self.tell(channel.app, "RecordingFinished", recording=about)

    def store(self, name: str, seconds: float, *, loud: bool) -> None:
        """A recording that lies in Asterisk."""
        self.recordings[name] = _wav(seconds, loud=loud)

    def app_of(self, name: str) -> str:
        """The application that made something with this name."""
        return next((app for app in self.sockets if name.startswith(f"bn-{app}-")), "")

    def _stop_recording(self, name: str) -> None:
        if self.conferences.finish(name):
            return None
        for channel in self.channels.values():
            if channel.recording and channel.recording[0] == name:
                return self._finish_recording(channel)
        raise AriError(404, "Recording not found")

    def _set_variable(self, leg: str, query: Query, _: Query) -> None:
        self._in_stasis(leg).variables[query["variable"]] = query["value"]

    def _continue(self, leg: str, query: Query, _: Query) -> None:
        channel = self._in_stasis(leg)
        self.leave_stasis(channel)
        self.dialplan.goes_on(channel, query["context"], query["extension"])

    def _channel(self, leg: str) -> Channel:
        if leg not in self.channels:
            raise AriError(404, "Channel not found")
        return self.channels[leg]

    def _in_stasis(self, leg: str) -> Channel:
        channel = self._channel(leg)
        if not channel.app:
            raise AriError(409, "Channel not in Stasis application")
        return channel


def _wav(seconds: float, *, loud: bool) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes((b"\0\4" if loud else b"\0\0") * int(seconds * RATE))
    return out.getvalue()
