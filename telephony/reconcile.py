"""After every (re)connect: what is there in Asterisk, and what to do with each channel and bridge. A pure plan."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from telephony.ringing import CHECKPOINT

Channel = Mapping[str, Any]


@dataclass
class Plan:
    """`ended`: legs held here that are gone. `answered`: legs rung here whose answer was missed. `adopt`: callers
    nobody holds, with their checkpoint ({} when they came in just now). `others`: legs of ours that belong to an
    adopted talk. `hang_up`, `destroy`: left without owner."""

    ended: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    adopt: list[tuple[Channel, Mapping[str, str]]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    hang_up: list[str] = field(default_factory=list)
    destroy: list[str] = field(default_factory=list)


def plan(
    app: str,
    channels: Sequence[Channel],
    bridges: Sequence[Mapping[str, Any]],
    held: Collection[str],
    awaited: Collection[str] = (),
) -> Plan:
    """`channels` and `bridges` as ARI lists them; `held`: ids of the legs that tasks of this controller hold;
    `awaited`: of those that they ring."""
    there = {channel["id"] for channel in channels}
    result = Plan(ended=[leg for leg in held if leg not in there])
    ours = [channel for channel in channels if channel["id"] not in held and is_ours(app, channel)]
    found = [(channel, checkpoint(channel)) for channel in ours if _leads_a_call(app, channel)]
    # Who came first goes back into the line first.
    result.adopt = sorted(found, key=lambda adopted: adopted[1].get("arrived", "now"))
    talks = [facts for _, facts in result.adopt if facts.get("stage") == "talking"]
    wanted = {facts.get(name) for facts in talks for name in ("other", "third")}
    for channel in ours:
        if _leads_a_call(app, channel):
            continue
        if channel["id"] not in awaited:
            (result.others if channel["id"] in wanted else result.hang_up).append(channel["id"])
        elif _in_our_app(app, channel):
            result.answered.append(channel["id"])
    # A bridge may be empty for a moment, while its caller is on hold.
    in_talk = {facts.get("bridge") for facts in map(checkpoint, channels) if facts.get("stage") == "talking"}
    for bridge in bridges:
        if _is_made_here(app, bridge["id"]) and bridge["id"] not in in_talk and not _holds(bridge, held):
            result.destroy.append(bridge["id"])
    return result


def is_ours(app: str, channel: Channel) -> bool:
    """Whether a channel is in our application, or was made by us and not answered yet."""
    return _in_our_app(app, channel) or _is_made_here(app, channel["id"])


def checkpoint(channel: Channel) -> Mapping[str, str]:
    """What the call's last controller noted; {} when nothing or not readable."""
    try:
        facts = json.loads(channel.get("channelvars", {}).get(CHECKPOINT) or "{}")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _leads_a_call(app: str, channel: Channel) -> bool:
    """A caller, or somebody we called who answered; not a leg that was rung for another call."""
    return not _is_made_here(app, channel["id"]) or "stage" in checkpoint(channel)


def _in_our_app(app: str, channel: Channel) -> bool:
    dialplan = channel.get("dialplan", {})
    return dialplan.get("app_name") == "Stasis" and str(dialplan.get("app_data", "")).split(",")[0] == app


def _is_made_here(app: str, thing_id: str) -> bool:
    return thing_id.startswith(f"bn-{app}-")


def _holds(bridge: Mapping[str, Any], held: Collection[str]) -> bool:
    return any(leg in held for leg in bridge.get("channels", ()))
