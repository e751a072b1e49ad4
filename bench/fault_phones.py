"""SIPp as the carrier and as operators' telephones while something is broken: batches of callers that run beside the
fault, phones that count the talks that were cut, phones that vanish in mid-ring."""

from __future__ import annotations

import asyncio
import csv
import random
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from string import Template

from bench.sipp import pressing, read_log

CARRIER, PHONES = "127.0.0.12", "127.0.0.13"
PHONES_PORT, VANISHING_PORT = 6076, 6078
LONGEST_CALL_S = 240
STAT = "stat.csv"


class Sipp:
    """One SIPp process in a folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-faults-"))
        self._process: asyncio.subprocess.Process | None = None

    async def starts(self, *words: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *("sipp", *words, "-nostdin", "-trace_stat", "-stf", STAT, "-fd", "1", "-trace_logs", "-log_file", "log"),
            cwd=self.folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def ends(self, bound_s: float) -> None:
        """Returns when all its calls are over, or are ended at the bound."""
        assert self._process
        try:
            async with asyncio.timeout(bound_s):
                await self._process.wait()
        except TimeoutError:
            await self.is_killed()

    async def is_killed(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def is_put_away(self) -> None:
        await self.is_killed()
        shutil.rmtree(self.folder, ignore_errors=True)

    def logged(self) -> list[tuple[float, str]]:
        """(epoch seconds, what) of every line of the scenario's log."""
        return read_log(self.folder / "log")

    def counted(self, column: str) -> int:
        """What SIPp counted, not older than a second: SuccessfulCall, FailedCall, TotalCallCreated."""
        with (self.folder / STAT).open() as lines:
            rows = [row for row in csv.DictReader(lines, delimiter=";") if row.get(f"{column}(C)")]
        return int(rows[-1][f"{column}(C)"]) if rows else 0

    def written(self, scenario: str, **values: object) -> str:
        """A scenario of the benches, filled in."""
        text = Template((files("bench") / "scenarios" / scenario).read_text("utf-8")).substitute(values)
        file = self.folder / scenario
        file.write_text(text)
        return str(file)


class Callers(Sipp):
    """`count` callers, the first of them `first`; all press `keys` during the welcome. Every fifth is withheld.
    `patience_s`: each hangs up within so many seconds, as the seed `first` decides; None: nobody does."""

    def __init__(self, count: int, first: int, keys: str = "", patience_s: float | None = None) -> None:
        super().__init__()
        self.count, self.first, self._keys, self._patience_s = count, first, keys, patience_s

    @property
    def withheld(self) -> int:
        return sum(_is_withheld(place) for place in range(self.first, self.first + self.count))

    async def call(self, target: str, service: str, rate: float) -> None:
        """Returns at once; the calls come at this rate a second."""
        chance = random.Random(self.first)  # noqa: S311 - the same ones each time
        patience_ms = int((self._patience_s or 0) * 1000)
        rows = [
            f"+3164{place:07d};{'id' if _is_withheld(place) else 'none'};-;{chance.randint(0, patience_ms)}"
            for place in self._places()
        ]
        (self.folder / "callers.csv").write_text("\n".join(["SEQUENTIAL", *rows]) + "\n")
        port = 5072 + self.first % 400
        await self.starts(
            *("-sf", self._scenario(), target, "-s", service, "-i", CARRIER, "-p", str(port)),
            *("-mp", str(40000 + self.first % 400 * 10), "-inf", "callers.csv", "-r", f"{rate:g}"),
            *("-m", str(self.count), "-l", "5000"),
        )

    def _places(self) -> range:
        return range(self.first, self.first + self.count)

    def _scenario(self) -> str:
        choose = ""
        if self._keys:
            keys = self.folder / "keys.pcap"
            keys.write_bytes(pressing(self._keys))
            choose = f'<nop><action><exec play_pcap_audio="{keys}"/></action></nop>'
        scenario = "caller.xml" if self._patience_s is None else "hanging_up.xml"
        return self.written(scenario, choose=choose, play="", longest_ms=LONGEST_CALL_S * 1000)


def _is_withheld(place: int) -> bool:
    return place % 5 == 4


class Phones(Sipp):
    """All operators' telephones: each rings, is answered at once, hangs up after the talk."""

    async def plugged_in(self, talk_s: float) -> None:
        scenario = self.written("operator.xml", talk_ms=int(talk_s * 1000))
        await self.starts("-sf", scenario, "-i", PHONES, "-p", str(PHONES_PORT), "-mp", "50000")

    @property
    def cut(self) -> int:
        """Talks that ended before the operator hung up."""
        return self.counted("FailedCall")


class VanishingPhones(Sipp):
    """Telephones that ring and are unplugged: `is_killed`."""

    async def plugged_in(self) -> None:
        scenario = self.written("ringing.xml")
        await self.starts("-sf", scenario, "-i", PHONES, "-p", str(VANISHING_PORT), "-mp", "56000")
