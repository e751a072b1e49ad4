"""Two controllers on one node, as processes: kill -9 of one, then of both, with calls in every stage (with -rP the test
says how long the adoption took)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from burgernet.embedded import free_port
from telephony.handset import PhoneBox
from tests.conversations.exchange import FREE_NUMBER, Music, Phone, until
from tests.conversations.real import RealNode
from tests.truth.running import Running, running
from tests.truth.test_killed_controller import asks_for, deployed, in_line

# Lease, look, connecting and listing take 5 s at most on a quiet machine (docs/faults.md); a busy one gets more.
ADOPTED_S = 15


async def adopted(process: Running, calls: int) -> None:
    """Returns when so many calls were taken over."""
    began = asyncio.get_running_loop().time()

    async def so_many() -> bool:
        return process.log.read_text().count(" adopted at stage ") >= calls

    await until(so_many, f"{calls} calls adopted", bound_s=ADOPTED_S)
    print(f"{calls} calls adopted after {asyncio.get_running_loop().time() - began:.1f} s")


async def test_a_killed_controller_is_replaced_by_the_other_and_both_by_the_next_start(
    real: RealNode, box: PhoneBox, redis_url: str, postgres_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        deployment = await stack.enter_async_context(deployed(real, box, postgres_url, redis_url, tmp_path / "test"))
        action = await deployment.action("rotterdam")
        operators = [await deployment.operator(f"rotterdam-{number}") for number in (1, 2)]
        callers = [await deployment.caller(f"+3161234567{number}", silent=number > 3) for number in range(6)]
        talking, waiting, asked = callers[:2], callers[2:4], callers[4:]
        for caller, operator in zip(talking, operators, strict=True):
            await asks_for(deployment, caller, action.code)
            await operator.answers()
            await operator.talks_with(caller)
        for caller in waiting:
            await asks_for(deployment, caller, action.code)
            await caller.hears(Music())
        for caller in asked:
            await caller.dials(FREE_NUMBER)
            await caller.hears("ask-code")
        before = await in_line(deployment)
        assert len(before) == 2

        two = stack.enter_context(
            running(
                deployment.process.settings.model_copy(
                    update={
                        "controller": "two",
                        "spool_file": tmp_path / "two.spool",
                        "web_bind": f"127.0.0.1:{free_port()}",
                    }
                ),
                tmp_path / "two",
            )
        )
        two.starts()
        await two.is_up()
        deployment.process.is_killed()
        await adopted(two, 6)
        await all_as_before(talking, operators)
        assert await in_line(deployment) == before

        two.is_killed()
        two.starts()
        await adopted(two, 6)
        await all_as_before(talking, operators)
        assert await in_line(deployment) == before
        for caller in asked:
            await caller.hears("ask-code")
            await caller.hangs_up()

        deployment.process.starts()
        await deployment.process.is_up()
        await all_as_before(talking, operators)
        for caller, operator, next_one in zip(talking, operators, waiting, strict=True):
            await caller.hangs_up()
            await operator.is_hung_up()
            await operator.answers()
            await operator.talks_with(next_one)
        for caller in waiting:
            await caller.hangs_up()
        await until(lambda: deployment.all_ended(6), "every call ended in the book", bound_s=15)
        ended = sorted(str(call.ended_how) for call in await deployment.calls())
        assert ended == ["caller hung up: finding"] * 2 + ["caller hung up: talking"] * 4


async def all_as_before(callers: list[Phone], operators: list[Phone]) -> None:
    await asyncio.gather(*(operator.talks_with(caller) for caller, operator in zip(callers, operators, strict=True)))
