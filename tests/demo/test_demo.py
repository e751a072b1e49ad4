"""The demonstration holds all its steps; and on its stage, every command that somebody who runs Burgernet needs."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from actions.geography import to_rd
from actions.participant_file import made_up
from burgernet.demo.show import NUMBERS, tell
from burgernet.demo.stage import DIRECTOR, Stage, environment, stage
from burgernet.demo.steps import DidNotHold, must, play, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


@dataclass
class Shell:
    """A terminal in which the settings of the stage are set."""

    settings: Mapping[str, str]

    async def runs(self, *words: str, typed: str = "", **settings: str) -> tuple[int, str]:
        """Exit status and all that was printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "ignore", "-c", "from burgernet.command_line import main; main()", *words),
            env={"PATH": os.environ["PATH"], "COLUMNS": "200", **self.settings, **settings},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(90):
            said, _ = await process.communicate(typed.encode())
        assert process.returncode is not None
        return process.returncode, said.decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ready(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    home = tmp_path_factory.mktemp("demo") / "home"
    async with stage(NUMBERS, lambda _: None, home, f"demo-{os.getpid()}") as built:
        # Asterisk asks a new trunk for the first time at some moment of its first half minute.
        await until(lambda: trunk_is_there(built), 60, "the trunk does not answer")
        folders = built.asterisk.folder, built.asterisk.folder.with_name(f"{built.asterisk.name}-network")
        yield built
    for folder in folders:
        shutil.rmtree(folder)


async def trunk_is_there(built: Stage) -> bool:
    return " Avail " in await built.console("pjsip show contacts")


async def nothing_alarms(shell: Shell) -> bool:
    status, _ = await shell.runs("alarms")
    return status == 0


@pytest.fixture
def shell(ready: Stage) -> Shell:
    return Shell(environment(ready.base.settings))


async def test_the_story_holds(ready: Stage) -> None:
    told = Console(file=io.StringIO(), width=200)
    assert await tell(ready, told), told.file.getvalue()  # type: ignore[attr-defined]
    assert told.file.getvalue().rstrip().endswith("17 of 17 steps held")  # type: ignore[attr-defined]


async def test_the_doctor_finds_nothing_red(shell: Shell) -> None:
    await until(lambda: nothing_alarms(shell), 60, "an alarm stays red")
    status, said = await shell.runs("doctor")
    assert status == 0, said
    for part in ("database", "keys", "Redis", "Asterisk (ARI)", "Asterisk (AMI)", "prompts", "trunk", "Twilio"):
        assert part in said
    assert " red " not in said


@pytest.mark.parametrize(
    ("wrong", "said_of_it"),
    [
        ({"BURGERNET_REDIS_URL": "redis://:wrong@127.0.0.1:1/0"}, "Redis"),
        ({"BURGERNET_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none"}, "database"),
        ({"BURGERNET_ARI_PASSWORD": "w" * 32}, "the log-in was refused: check BURGERNET_ARI_USER"),
        ({"BURGERNET_AMI_PASSWORD": "w" * 32}, "check BURGERNET_AMI_URL"),
        ({"BURGERNET_TWILIO_API_URL": "http://127.0.0.1:1"}, "Twilio"),
        ({"BURGERNET_SOUNDS_DIR": "/nonexistent/sounds"}, "burgernet prompts build"),
    ],
)
async def test_the_doctor_names_what_is_wrong_and_what_to_do(
    shell: Shell, wrong: dict[str, str], said_of_it: str
) -> None:
    status, said = await shell.runs("doctor", **wrong)
    assert status == 1
    assert " red " in said
    assert said_of_it in said


async def test_the_sound_check_hears_the_welcome(shell: Shell) -> None:
    status, said = await shell.runs("sound-check")
    assert status == 0, said
    assert "answered after" in said
    assert float(said.partition("likeness ")[2].partition(" ")[0]) > 0.9


async def test_the_sound_check_fails_when_nobody_answers(shell: Shell) -> None:
    status, said = await shell.runs("sound-check", BURGERNET_SIP_BIND="127.0.0.1:9")
    assert status == 1
    assert "the sound check failed" in said


async def test_a_telephone_in_the_terminal_calls_presses_keys_and_records(shell: Shell, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    typed = f"dial *12\nkeys 1\nnonsense\nplay {tmp_path}/none.wav\nrecord {heard}\nhangup\nquit\n"
    status, said = await shell.runs("phone", "--account", "rotterdam-2", typed=typed)
    assert status == 0, said
    assert "rotterdam-2 is registered" in said
    assert "That did not work" in said
    assert heard.read_bytes().startswith(b"RIFF")


async def test_a_telephone_with_a_wrong_password_says_so(shell: Shell) -> None:
    status, said = await shell.runs("phone", "--account", "rotterdam-2", "--password", "wrong")
    assert status == 1
    assert "rotterdam-2 was not registered: check the account" in said
    assert "Traceback" not in said


async def test_an_action_from_its_start_to_its_report_in_the_terminal(ready: Stage, shell: Shell) -> None:
    # Far from the places of the story, and with numbers that it knows: the two do not meet.
    await ready.base.register.add(made_up(5, 7, [to_rd(50.8514, 5.6910)], spread_m=100), DIRECTOR)
    area = ("--region", "limburg", "--circle", "50.8514,5.6910,800", "--kind", "look_out")
    status, said = await shell.runs("action", "start", *area, "--title", "de gele bus", "--text", "Een gele bus.")
    assert status == 0, said
    code = said.partition("Action ")[2][:3]
    assert f"Action {code}, look_out, open" in (await shell.runs("action", "report", code, "--follow"))[1]
    for words in (
        ("action", "note", code, "Bus gezien bij het station."),
        ("action", "tips", code),
        ("action", "update", code, "--text", "De bus is blauw."),
        ("action", "end", code, "--outcome", "none", "--text", "Niet gevonden."),
    ):
        status, said = await shell.runs(*words)
        assert status == 0, said
    status, said = await shell.runs("action", "report", code, "--follow")
    assert "look_out, ended, none" in said
    assert "text delivered" in said


async def test_a_step_that_does_not_hold_is_told_and_the_others_go_on() -> None:
    async def holds(_: None) -> str:
        """It rings"""
        return "at once"

    async def fails(_: None) -> None:
        """It does not ring"""
        must(held=False, otherwise="silence")

    told = Console(file=io.StringIO(), width=200)
    assert not await play([(fails, None), (holds, None)], told)
    lines = told.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "failed" in lines[0]
    assert DidNotHold.__name__ in lines[1]
    assert "silence" in lines[1]
    assert lines[-1] == "1 of 2 steps held"
