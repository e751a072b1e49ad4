"""The controller of one Asterisk node: one task a call. Events go to the leg they name; a fault stays in its call."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from telephony.ari import Ari, AriAway, AriError, Event
from telephony.bridges import Bridges, quietly
from telephony.calls import Call, Wording, new_name
from telephony.legs import EXCHANGE_FAILED, Caller, Hangup, Leg
from telephony.outbound import OutboundGuard, Outgoing
from telephony.reconcile import Channel, checkpoint, plan
from telephony.trunks import Trunks

log = logging.getLogger(__name__)

Flow = Callable[[Call], Awaitable[None]]
LeftRecording = Callable[[str, str, bytes], Awaitable[None]]
LONGEST_NUMBER, LONGEST_ID = 64, 40
EXERCISE = "exercise"
# The ways in whose caller IDs are believed.
BELIEVED = ("trunk", EXERCISE)
# Q.850
NO_ANSWER, ABSENT = 19, 20
# Asterisk drops a leg that is answered while no controller listens: a refused call, which costs nobody the duty.
UNKNOWN_END = 21


class Controller:
    """`flows`: by the name that the dialplan passes to Stasis. `on_left_recording` takes in (what it is,
    call id, WAV) what a controller killed in mid-recording left in Asterisk."""

    def __init__(
        self,
        ari: Ari,
        wording: Wording,
        flows: Mapping[str, Flow],
        guard: OutboundGuard,
        max_call_s: float,
        on_left_recording: LeftRecording,
    ) -> None:
        self.ari, self.wording, self.max_call_s = ari, wording, max_call_s
        self.guard = guard
        self._flows, self._on_left_recording = flows, on_left_recording
        self._legs: dict[str, Leg] = {}
        self.bridges, self.trunks = Bridges(ari), Trunks(ari)
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self.reconciled = asyncio.Event()
        self._closed = False
        self._asterisk_since = ""
        self._passed_on: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serves calls until cancelled; the calls themselves go on in Asterisk. Raises ari.Replaced."""
        try:
            await self.ari.run(self.received, self.reconcile)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    @property
    def calls(self) -> int:
        """How many conversations are going on."""
        return len(self._tasks)

    @property
    def placed_calls(self) -> int:
        """How many of them were placed from here."""
        return sum(leg_id.startswith(self.leg_of("")) for leg_id in self._tasks)

    async def close(self) -> None:
        """No new calls from now on: the dialplan passes on to the next controller. Those that are led go on."""
        self._closed = True
        await self._tell_the_dialplan()

    @property
    def asterisk_since(self) -> datetime:
        """When Asterisk started, as known at the last connect."""
        return datetime.strptime(self._asterisk_since, "%Y-%m-%dT%H:%M:%S.%f%z")

    def leads(self, call_id: str) -> bool:
        """Whether a call with this id is led here, or may be once Asterisk is back."""
        return not self.ari.connected.is_set() or any(task.get_name() == call_id for task in self._tasks.values())

    @property
    def held(self) -> frozenset[str]:
        """The ids of the calls that are led here."""
        return frozenset(task.get_name() for task in self._tasks.values())

    def received(self, event: Event) -> None:
        """Gives one event to the leg it names. Never waits."""
        match event:
            case {"type": "StasisStart", "channel": channel, "args": args}:
                self._entered(channel, args)
            case {"type": "StasisEnd", "channel": {"id": leg_id}}:
                self._end(leg_id, 16)
            case {"type": "ChannelDestroyed", "channel": {"id": leg_id, **shown}, "cause": cause}:
                # A telephone that is switched off: 480 from the carrier, and it never rang.
                self._end(leg_id, ABSENT if cause == NO_ANSWER and shown.get("state") == "Down" else cause)
            case {"type": "ChannelDtmfReceived", "channel": {"id": leg_id}, "digit": digit} if leg_id in self._legs:
                self._legs[leg_id].press(digit)
            case {"type": "ChannelTalkingStarted" | "ChannelTalkingFinished" as kind, "channel": {"id": leg_id}}:
                self._talks(leg_id, kind)
            case {"type": "PlaybackFinished", "playback": {"id": playback, "target_uri": target, "state": state}}:
                self._finish(target, playback, state)
            case {"type": "RecordingFinished" | "RecordingFailed", "recording": recording}:
                self._finish(recording["target_uri"], recording["name"], recording)

    async def reconcile(self) -> None:
        """Compares Asterisk with what is held here: ends, adopts and sweeps. Runs after every (re)connect."""
        held = {leg.id for leg in self._legs.values() if leg.started.done()}
        channels, bridges = await self.ari.listing("channels"), await self.ari.listing("bridges")
        awaited = {leg.id for leg in self._legs.values() if not leg.started.done()}
        todo = plan(self.ari.app, channels, bridges, held, awaited)
        failed = await self._asterisk_started_anew()
        for leg_id in todo.ended:
            self._end(leg_id, EXCHANGE_FAILED if failed and leg_id in self._tasks else 0)
        for leg_id in todo.answered:
            self._legs[leg_id].begin()
        for leg_id in awaited - {channel["id"] for channel in channels}:
            await self._end_if_gone(leg_id)
        for leg_id in todo.others:
            self._legs[leg_id] = Leg(leg_id)
            self._legs[leg_id].begin()
        for channel, facts in todo.adopt:
            await self._adopt(channel, facts)
        for leg_id in todo.hang_up:
            await self.hang_up(Leg(leg_id))
        for bridge in todo.destroy:
            await self.bridges.destroy(bridge)
        await self._take_in_recordings()
        await self._tell_the_dialplan()
        self.reconciled.set()

    async def place(
        self, outgoing: Outgoing, flow: Flow, unless: asyncio.Future[Any], before: Flow | None = None
    ) -> str:
        """Calls a number and leads the conversation with `flow` when it is answered. Returns "answered" when it was,
        else why not: busy, refused, no_answer, unreachable, or stopped by `unless` while it rang. `before` is
        done first, with the call that does not ring yet. Raises MayNotCall, AriAway and what `before` raises."""
        with self.guard.channel_to(outgoing.number):
            leg = self._legs[self.leg_of(outgoing.name)] = Leg(self.leg_of(outgoing.name))
            call = Call(
                self,
                leg,
                outgoing.name,
                Caller(outgoing.number, "called", None),
                outgoing.caller_id,
                datetime.now(UTC),
                {},
            )
            if task := asyncio.current_task():
                task.set_name(call.id)
                self._tasks[leg.id] = task
            try:
                if before:
                    await before(call)
                return await self._lead_placed(call, outgoing, flow, unless)
            except AriAway:
                if not call.facts:
                    await self.hang_up(leg)  # without a checkpoint nobody goes on with it
                raise
            except Exception:
                await self.hang_up(leg)
                raise
            finally:
                self._legs.pop(leg.id, None)
                self._tasks.pop(leg.id, None)

    def leg_of(self, name: str) -> str:
        """The id of the leg of an outgoing call with this name."""
        return f"bn-{self.ari.app}-{name}"

    async def is_there(self, leg_id: str) -> bool:
        """Whether Asterisk has this leg. Raises AriAway."""
        try:
            await self.ari.request("GET", f"channels/{leg_id}")
        except AriError:
            return False
        return True

    async def _lead_placed(self, call: Call, outgoing: Outgoing, flow: Flow, unless: asyncio.Future[Any]) -> str:
        try:
            ended = await self.trunks.ring_out(call.leg, outgoing, unless)
            if ended == "answered":
                async with asyncio.timeout(self.max_call_s):
                    await flow(call)
        except (Hangup, AriError, TimeoutError) as over:
            log.info("call %s: %s", call.id, type(over).__name__)
            ended = "answered" if call.leg.started.done() else "unreachable"
        await self.hang_up(call.leg)
        return ended

    def new_id(self) -> str:
        return new_name(self.ari.app)

    def new_leg(self) -> Leg:
        """A leg to be made, known here before Asterisk hears of it."""
        leg = Leg(self.new_id())
        self._legs[leg.id] = leg
        return leg

    def leg(self, leg_id: str) -> Leg | None:
        return self._legs.get(leg_id)

    def forget(self, leg: Leg) -> None:
        """No task holds the leg any more: the next reconcile sweeps it, unless a checkpoint names it."""
        self._legs.pop(leg.id, None)

    async def hang_up(self, leg: Leg) -> None:
        """Ends a leg, ringing or talking; no harm when it is gone."""
        if not leg.ended.done():
            await quietly(self.ari, "DELETE", f"channels/{leg.id}")
        self._legs.pop(leg.id, None)

    async def stop_playing(self, playback: str) -> None:
        await quietly(self.ari, "DELETE", f"playbacks/{playback}")

    async def stop_music(self, leg: Leg) -> None:
        await quietly(self.ari, "DELETE", f"channels/{leg.id}/moh")

    def recording_of(self, call_id: str, what: str = "tip") -> str:
        """The name of a recording in Asterisk: it tells what it is, and of which call."""
        return f"bn-{self.ari.app}-{what}-{call_id}"

    async def take_recording(self, name: str) -> bytes:
        """Fetches a stored recording and removes it from Asterisk; b"" when there is none."""
        try:
            wav = await self.ari.fetch("GET", f"recordings/stored/{name}/file")
            await self.ari.fetch("DELETE", f"recordings/stored/{name}")
        except AriError:
            return b""
        return wav

    def _entered(self, channel: Channel, args: list[str]) -> None:
        known = self._legs.get(channel["id"])
        if known:
            known.begin()
        elif args[:1] == ["operator"] or args[:1] == ["placed"]:
            return
        elif self._closed:
            task = asyncio.create_task(self._to_the_next_controller(channel["id"]))
            self._passed_on.add(task)
            task.add_done_callback(self._passed_on.discard)
        else:
            self._take(channel, args, checkpoint(channel))

    async def _end_if_gone(self, leg_id: str) -> None:
        """For a leg that was rung and is not listed: its request may still have been on the way."""
        if not await self.is_there(leg_id):
            self._end(leg_id, UNKNOWN_END)

    async def _adopt(self, channel: Channel, facts: Mapping[str, str]) -> None:
        if known := self._legs.get(channel["id"]):
            known.begin()  # it came in while we were asking, or its answer was missed
            return
        log.info("call %s adopted at stage %s", facts.get("id", channel["id"]), facts.get("stage", "arrival"))
        if facts.get("stage") == "tip":
            # While it records, Asterisk answers nothing about this leg, and nothing that is asked after that.
            await self.bridges.stop(self.recording_of(facts.get("id", "")))
        if dictation := facts.get("dictation"):
            await self.bridges.stop(dictation)
        self._take(channel, str(channel["dialplan"]["app_data"]).split(",")[1:], facts)

    def _take(self, channel: Channel, args: list[str], facts: Mapping[str, str]) -> None:
        """Starts the task of a call: a new one, or one adopted at its checkpoint."""
        leg = self._legs[channel["id"]] = Leg(channel["id"])
        leg.begin()
        flow, origin, presentation, dialled = (*args, "", "", "", "")[:4]
        call = Call(
            self,
            leg,
            facts.get("id") or call_id(self.ari.app, channel["id"]),
            _caller(channel, origin, presentation),
            dialled,
            datetime.fromisoformat(facts["arrived"]) if "arrived" in facts else datetime.now(UTC),
            facts,
        )
        self._tasks[leg.id] = asyncio.create_task(self._lead(call, flow), name=call.id)

    async def _lead(self, call: Call, flow: str) -> None:
        try:
            await self._flows[flow](call)
        except Hangup as end:
            log.info("call %s ended by hang-up, cause %d", call.id, end.cause)
        except AriAway:
            log.warning("call %s goes on without us until Asterisk is back", call.id)
        except Exception:
            # Whatever went wrong in our code, the caller still gets a room.
            log.exception("call %s: fault in the conversation; the dialplan takes over", call.id)
            await self._to_the_dialplan(call)
        finally:
            self._tasks.pop(call.leg.id, None)
            self._legs.pop(call.leg.id, None)

    async def _to_the_dialplan(self, call: Call) -> None:
        try:
            await call.leave_to_dialplan(call.facts.get("room", ""))
        except (Hangup, AriError, AriAway) as over:
            log.info("call %s left to the dialplan: %s", call.id, type(over).__name__)

    async def _to_the_next_controller(self, leg_id: str) -> None:
        onward = {"context": "controllers", "extension": "next", "priority": 1}
        await quietly(self.ari, "POST", f"channels/{leg_id}/continue", **onward)

    async def _asterisk_started_anew(self) -> bool:
        """Whether it is another life of Asterisk than at the last connect."""
        before = self._asterisk_since
        self._asterisk_since = (await self.ari.request("GET", "asterisk/info", only="status"))["status"]["startup_time"]
        return before not in ("", self._asterisk_since)

    async def _tell_the_dialplan(self) -> None:
        closed = "yes" if self._closed else "no"
        await quietly(self.ari, "POST", "asterisk/variable", variable=f"CLOSED_{self.ari.app}", value=closed)

    async def _take_in_recordings(self) -> None:
        busy = tuple(f"-{call_id}" for call_id in self.held)
        for recording in await self.ari.listing("recordings/stored"):
            name = recording["name"]
            ours = name.startswith(f"bn-{self.ari.app}-") and not name.endswith(busy)
            if ours and (wav := await self.take_recording(name)):
                what, _, call_id = name.removeprefix(f"bn-{self.ari.app}-").partition("-")
                await self._on_left_recording(what, call_id, wav)

    def _end(self, leg_id: str, cause: int) -> None:
        if leg := self._legs.get(leg_id):
            leg.end(cause)

    def _talks(self, leg_id: str, kind: str) -> None:
        if leg := self._legs.get(leg_id):
            (leg.talk_begins if kind == "ChannelTalkingStarted" else leg.talk_ends)()

    def _finish(self, target: str, thing_id: str, how: Any) -> None:
        kind, _, sounding = target.partition(":")
        if kind == "bridge":
            self.bridges.finish(sounding, thing_id, how)
        elif leg := self._legs.get(sounding):
            leg.finish(thing_id, how)


def call_id(app: str, leg_id: str) -> str:
    """Begins with the name of its controller, by which its calls are found when it is gone; of Asterisk's id (the time
    and a number that counts) so much of the end as fits."""
    return f"{app}-{leg_id[len(app) + 1 - LONGEST_ID :]}"


def _caller(channel: Channel, origin: str, presentation: str) -> Caller:
    """A caller ID is believed only from a trunk, and respected when withheld."""
    number = str(channel["caller"]["number"])[:LONGEST_NUMBER]
    account = re.fullmatch(r"PJSIP/(.+)-[0-9a-f]{8}", channel["name"])
    believed = origin in BELIEVED and presentation == "allowed"
    return Caller(
        number if believed and number else None, presentation or "absent", account[1] if account else None, origin
    )
