"""Texts about exercises: answered as such, and a tip for real never ends among them."""

from __future__ import annotations

from sqlmodel import update

from actions.desk import NewAction
from actions.matching import OpenAction
from actions.models import Participant
from actions.tips import Tips
from tests.inbound.line import ANNA, BERT, ME, Line

AREA = {"type": "circle", "lat": 51.9225, "lon": 4.4792, "radius": 2000}
WORDS = {"nl": ("de rode Fiets", "Kijk uit naar een fiets.")}


async def exercise(line: Line) -> OpenAction:
    return await line.desk.start_action(NewAction("look_out", "rotterdam", AREA, WORDS, exercise=True), ME)


async def test_a_tip_with_the_code_of_an_exercise_from_somebody_else_is_asked_about_and_kept_apart(line: Line) -> None:
    practice, real = await exercise(line), await line.action()
    await line.texted(ANNA, f"code {practice.code}: hij fietst langs de Maas")
    assert await line.answered(ANNA) == [line.words("exercise")]
    assert await line.tips(practice) == []
    (waiting,) = await Tips(line.store, line.vaults.police).of_no_action(ME)
    assert waiting.said.endswith("langs de Maas")
    line.clock.runs(minutes=2)
    await line.texted(ANNA, real.code)  # the real one
    assert [tip.said for tip in await line.tips(real)] == [waiting.said]


async def test_who_takes_part_in_exercises_is_answered_with_the_mark_of_one(line: Line) -> None:
    practice = await exercise(line)
    await line.takes_part(ANNA)
    async with line.store.writing() as session:
        await session.exec(update(Participant).values(exercise=True))
    await line.texted(ANNA, f"code {practice.code}: hij fietst langs de Maas")
    (tip,) = await line.tips(practice)
    assert tip.exercise
    assert await line.answered(ANNA) == ["OEFENING. " + line.words("tip", code=practice.code)]


async def test_when_nothing_but_an_exercise_is_open_nothing_is_open(line: Line) -> None:
    await exercise(line)
    await line.texted(BERT, "Ik zie een verdachte auto")
    assert await line.answered(BERT) == [line.words("nothing_open")]
