"""After every (re)connect: what is in Asterisk, and what becomes of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.controller import call_id
from telephony.reconcile import Plan, checkpoint, is_ours, plan
from telephony.ringing import CHECKPOINT

APP = "burgernet-one"
OPERATOR_LEG, BRIDGE = f"bn-{APP}-leg-1", f"bn-{APP}-bridge-1"


def caller(channel_id: str, app: str = APP, **facts: str) -> dict[str, Any]:
    return {
        "id": channel_id,
        "dialplan": {"app_name": "Stasis", "app_data": f"{app},free-number,trunk"},
        "channelvars": {CHECKPOINT: json.dumps(facts) if facts else ""},
    }


def made_here(channel_id: str) -> dict[str, Any]:
    return {"id": channel_id, "dialplan": {"app_name": "AppDial2", "app_data": "(Outgoing Line)"}}


def bridge(bridge_id: str, *legs: str) -> dict[str, Any]:
    return {"id": bridge_id, "channels": list(legs)}


def test_nothing_there_and_nothing_held_asks_for_nothing() -> None:
    assert plan(APP, [], [], []) == Plan()


def test_a_leg_held_here_that_is_gone_has_ended() -> None:
    assert plan(APP, [caller("1.1")], [], ["1.1", "1.2"]) == Plan(ended=["1.2"])


def test_a_caller_nobody_holds_is_adopted_with_the_checkpoint() -> None:
    waiting = caller("1.1", stage="waiting", room="rotterdam")
    assert plan(APP, [waiting], [], []) == Plan(adopt=[(waiting, {"stage": "waiting", "room": "rotterdam"})])


def test_a_caller_who_came_in_just_now_is_adopted_from_the_beginning() -> None:
    new = caller("1.1")
    assert plan(APP, [new], [], []) == Plan(adopt=[(new, {})])


def test_a_talk_nobody_holds_is_adopted_whole_with_its_operator_and_bridge() -> None:
    talking = caller("1.1", stage="talking", other=OPERATOR_LEG, bridge=BRIDGE)
    found = plan(APP, [talking, made_here(OPERATOR_LEG)], [bridge(BRIDGE, "1.1", OPERATOR_LEG)], [])
    assert [channel["id"] for channel, _ in found.adopt] == ["1.1"]
    assert found.others == [OPERATOR_LEG]
    assert (found.ended, found.hang_up, found.destroy) == ([], [], [])


def test_an_operator_leg_that_rang_for_a_caller_who_waits_is_hung_up() -> None:
    waiting = caller("1.1", stage="waiting", other=OPERATOR_LEG)
    assert plan(APP, [waiting, made_here(OPERATOR_LEG)], [], []).hang_up == [OPERATOR_LEG]


def test_what_a_caller_who_hung_up_left_behind_is_swept() -> None:
    found = plan(APP, [made_here(OPERATOR_LEG)], [bridge(BRIDGE, OPERATOR_LEG)], [])
    assert found == Plan(hang_up=[OPERATOR_LEG], destroy=[BRIDGE])


def test_what_is_held_here_is_left_alone() -> None:
    talking = caller("1.1", stage="talking", other=OPERATOR_LEG, bridge=BRIDGE)
    both = ["1.1", OPERATOR_LEG]
    assert plan(APP, [talking, made_here(OPERATOR_LEG)], [bridge(BRIDGE, *both)], both) == Plan()


@pytest.mark.parametrize(
    "channel",
    [
        caller("1.1", app="burgernet-two"),
        caller("1.1", app="burgernet-one2"),
        {"id": "1.1"},
        {"id": "1.1", "dialplan": {"app_name": "Dial", "app_data": "PJSIP/rotterdam-1"}},
        {"id": "bn-burgernet-two-leg-1", "dialplan": {}},
        {"id": "bn-burgernet-one2-leg-1", "dialplan": {}},
    ],
)
def test_what_is_of_somebody_else_is_left_alone(channel: dict[str, Any]) -> None:
    assert not is_ours(APP, channel)
    assert plan(APP, [channel], [bridge("bn-burgernet-two-bridge-1"), bridge("theirs")], []) == Plan()


@pytest.mark.parametrize("noted", ["", "{", "[]", "null", '"talking"', "7", "\x00"])
def test_a_checkpoint_that_cannot_be_read_counts_as_none(noted: str) -> None:
    assert checkpoint({"id": "1.1", "channelvars": {CHECKPOINT: noted}}) == {}


@pytest.mark.parametrize(
    "channel", [{"id": "1"}, {"id": "1", "channelvars": {}}, {"id": "1", "channelvars": {CHECKPOINT: None}}]
)
def test_a_channel_without_checkpoint_has_none(channel: dict[str, Any]) -> None:
    assert checkpoint(channel) == {}


ids = st.sampled_from(["1.1", "1.2", "1.3", f"bn-{APP}-a", f"bn-{APP}-b", f"bn-{APP}-c", "bn-burgernet-two-a"])
stages = st.fixed_dictionaries(
    {"stage": st.sampled_from(["waiting", "talking"])}, optional={"other": ids, "bridge": ids}
)
channels = st.lists(
    st.builds(lambda key, facts: caller(key, **facts), ids, stages), unique_by=lambda one: str(one["id"])
)
bridges = st.lists(
    st.builds(lambda key, legs: bridge(key, *legs), ids, st.lists(ids)), unique_by=lambda one: str(one["id"])
)


@given(channels, bridges, st.frozensets(ids))
def test_every_channel_of_ours_has_exactly_one_fate(
    there: list[dict[str, Any]], mixed: list[dict[str, Any]], held: frozenset[str]
) -> None:
    found = plan(APP, there, mixed, held)
    fates = [channel["id"] for channel, _ in found.adopt] + found.others + found.hang_up
    assert sorted(fates) == sorted(one["id"] for one in there if one["id"] not in held and is_ours(APP, one))
    assert set(found.ended) == held - {one["id"] for one in there}
    assert not any(set(one["channels"]) & held for one in mixed if one["id"] in found.destroy)
    assert all(name.startswith(f"bn-{APP}-") for name in found.destroy)


def test_an_operator_who_rings_still_goes_on_ringing() -> None:
    assert plan(APP, [made_here(OPERATOR_LEG)], [], [], awaited=[OPERATOR_LEG]) == Plan()


def test_an_answer_that_was_missed_is_made_up_for() -> None:
    answered = made_here(OPERATOR_LEG) | {"dialplan": {"app_name": "Stasis", "app_data": f"{APP},operator"}}
    assert plan(APP, [answered], [], [], awaited=[OPERATOR_LEG]) == Plan(answered=[OPERATOR_LEG])


def test_callers_are_adopted_in_the_order_in_which_they_came() -> None:
    channels = [caller("1.9"), caller("1.2", arrived="2026-05-01T12:02"), caller("1.1", arrived="2026-05-01T12:01")]
    assert [channel["id"] for channel, _ in plan(APP, channels, [], []).adopt] == ["1.1", "1.2", "1.9"]


@pytest.mark.parametrize("app", ["burgernet-one", "burgernet-" + "a" * 13])
@pytest.mark.parametrize("leg", ["1764597612.12", "1764597612.1234567", "a-long-node-1764597612.1234567890"])
def test_the_id_of_a_call_fits_and_begins_with_its_controller(app: str, leg: str) -> None:
    made = call_id(app, leg)
    assert len(made) <= 40
    assert made.startswith(f"{app}-")
    assert made.endswith(leg[-16:])
