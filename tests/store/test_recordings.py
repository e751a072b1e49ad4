"""A message with the operator's own recording: kept with it or not at all, and found again by whom it is told to."""

from __future__ import annotations

import io
import wave
from dataclasses import replace

import pytest

from actions.books import Actor
from actions.desk import Desk, NewAction, Refused
from actions.models import Action, Attempt, Delivery, DeliveryState, Message, MessageSound, now
from actions.store import Store
from actions.wordings import Wording, Wordings
from tests.store.rows import all_of

CIRCLE = {"type": "circle", "lat": 51.92, "lon": 4.48, "radius": 2000}
TEXTS = {"nl": ("de Golf", "Kijk uit."), "en": ("the Golf", "Look out.")}
NEW = NewAction("look_out", "rotterdam", CIRCLE, TEXTS)


def recording(seconds: float = 1.0, *, rate: int = 8000, channels: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"\1\2" * int(seconds * rate * channels))
    return out.getvalue()


OWN = recording()


async def test_each_message_of_an_action_keeps_its_own_recording(country: Store, actor: Actor) -> None:
    desk = Desk(country)
    started = await desk.start_action(replace(NEW, sounds={"nl": OWN, "en": recording(2)}), actor)
    await desk.update_action(started.code, TEXTS, actor, {"en": recording(3)})
    await desk.end_action(started.code, "none", TEXTS, actor)
    kinds = {message.id: message.kind for message in await all_of(country, Message)}
    kept = {(kinds[row.message_id], row.language): row.wav for row in await all_of(country, MessageSound)}
    assert kept == {("alert", "nl"): OWN, ("alert", "en"): recording(2), ("update", "en"): recording(3)}


@pytest.mark.parametrize(
    ("sounds", "fault"),
    [
        ({"en": OWN}, "en: a recording needs its text too: that goes out on every other channel"),
        ({"nl": b"RIFF"}, "nl: the recording is no WAV file"),
        ({"nl": recording(rate=16000)}, "nl: the recording is not 8 kHz, 16 bit, mono"),
        ({"nl": recording(channels=2)}, "nl: the recording is not 8 kHz, 16 bit, mono"),
        ({"nl": recording(121)}, "nl: the recording lasts 121 s; it must sound, and 120 s at most"),
        ({"nl": recording(0)}, "nl: the recording lasts 0 s; it must sound, and 120 s at most"),
    ],
)
async def test_a_recording_that_cannot_be_told_changes_nothing(
    country: Store, actor: Actor, sounds: dict[str, bytes], fault: str
) -> None:
    desk, dutch = Desk(country), {"nl": TEXTS["nl"]}
    with pytest.raises(Refused) as refused:
        await desk.start_action(replace(NEW, texts=dutch, sounds=sounds), actor)
    assert refused.value.faults == [fault]
    assert await all_of(country, Action) == []

    started = await desk.start_action(NEW, actor)
    with pytest.raises(Refused, match=fault):
        await desk.update_action(started.code, dutch, actor, sounds)
    with pytest.raises(Refused, match=fault):
        await desk.end_action(started.code, "none", dutch, actor, sounds)
    assert [message.kind for message in await all_of(country, Message)] == ["alert"]
    assert (await all_of(country, Action))[0].status == "open"
    assert await all_of(country, MessageSound) == []


async def test_who_is_called_hears_the_message_of_his_own_attempt(country: Store, actor: Actor) -> None:
    desk, wordings = Desk(country), Wordings(country)
    started = await desk.start_action(replace(NEW, sounds={"nl": OWN}), actor)
    await desk.update_action(started.code, {"nl": ("de Golf", "Hij is rood.")}, actor)
    alert, update = [await _attempt(country, message) for message in await all_of(country, Message)]
    assert await wordings.of_attempt(alert) == {
        "nl": Wording("de Golf", "Kijk uit.", OWN),
        "en": Wording("the Golf", "Look out."),
    }
    assert await wordings.of_attempt(update) == {"nl": Wording("de Golf", "Hij is rood.")}
    assert await wordings.of_attempt("no such attempt") == {}


async def _attempt(store: Store, message: Message) -> str:
    assert message.id is not None
    async with store.writing() as session:
        delivery = Delivery(
            message_id=message.id, contact_point_id=1, channel="voice", language="nl", state=DeliveryState.SENT
        )
        session.add(delivery)
        await session.flush()
        assert delivery.id is not None
        attempt = Attempt(delivery_id=delivery.id, number=1, provider="asterisk", deadline=now())
        session.add(attempt)
        return attempt.id
