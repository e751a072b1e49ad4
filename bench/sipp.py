"""SIPp on both sides: the carrier that brings callers, and the telephones of all operators."""

from __future__ import annotations

import csv
import re
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from string import Template

from bench.results import percentile

CARRIER, PHONES = "127.0.0.2", "127.0.0.3"
PHONES_PORT = 6066
TALK_S = 3.0
# Nobody waits longer for the end of a call; what is not over then has failed.
LONGEST_CALL_S = 25
_LINE = re.compile(r"(\d+\.\d+)\s+(\S*)$")


@dataclass(frozen=True)
class Caller:
    """`keys`: what is pressed during the welcome."""

    number: str
    withheld: bool = False
    keys: str = ""


@dataclass(frozen=True)
class Load:
    """What became of calls at one rate. `answers_ms`: INVITE to 200. `invited`: caller's number -> epoch seconds."""

    rate: float
    calls: int
    failed: int
    seconds: float
    answers_ms: Sequence[float] = field(repr=False)
    invited: dict[str, float] = field(repr=False)

    def answer_ms(self, share: float) -> float:
        return percentile(self.answers_ms, share)


@contextmanager
def phones(talk_s: float = TALK_S) -> Iterator[Path]:
    """All operators' telephones: each rings, is answered at once, and hangs up after the talk. Gives the log in which
    every ring stands with its time and the account rung."""
    with tempfile.TemporaryDirectory(prefix="bench-phones-") as folder:
        scenario = _scenario(Path(folder), "operator.xml", talk_ms=int(talk_s * 1000))
        command = ["sipp", "-sf", str(scenario), "-i", PHONES, "-p", str(PHONES_PORT), "-mp", "30000"]
        log = Path(folder, "rings")
        with _running([*command, "-trace_logs", "-log_file", str(log)], folder):
            time.sleep(0.5)
            yield log


def calls(target: str, service: str, callers: Sequence[Caller], rate: float, longest_s: float = LONGEST_CALL_S) -> Load:
    """Lets the callers call `service` at `target` (HOST:PORT), `rate` a second; returns when the last call is over."""
    with tempfile.TemporaryDirectory(prefix="bench-carrier-") as folder:
        keys = sorted({caller.keys for caller in callers} - {""})
        for place, pressed in enumerate(keys):
            Path(folder, f"keys-{place}.pcap").write_bytes(pressing(pressed))
        scenario = _scenario(
            Path(folder), "caller.xml", **_branches(folder, len(keys)), longest_ms=int(longest_s * 1000)
        )
        _list_callers(Path(folder, "callers.csv"), callers, keys)
        begun = time.monotonic()
        done = subprocess.run(
            [
                *("sipp", "-sf", str(scenario), target, "-s", service, "-i", CARRIER, "-p", "5062", "-mp", "40000"),
                *("-inf", "callers.csv", "-r", f"{rate:.0f}", "-m", str(len(callers)), "-l", "15000", "-nostdin"),
                *("-trace_rtt", "-rtt_freq", "1", "-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_logs"),
                *("-log_file", "calls", "-timeout", f"{len(callers) / rate + longest_s * 2:.0f}"),
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=len(callers) / rate + longest_s * 4,
            check=False,
        )
        if not Path(folder, "stat.csv").exists():
            raise RuntimeError(f"SIPp did not call: {done.stderr.decode(errors='replace')[-500:]}")
        good = _succeeded(Path(folder, "stat.csv"))
        answers = [ms for file in Path(folder).glob("*_rtt.csv") for ms in _rtts(file)]
        invited = {who: at for at, who in read_log(Path(folder, "calls"))}
        return Load(rate, len(callers), len(callers) - good, time.monotonic() - begun, answers, invited)


def read_log(file: Path) -> list[tuple[float, str]]:
    """(epoch seconds, what) of every line that the scenarios logged."""
    if not file.exists():
        return []
    found = (_LINE.search(line) for line in file.read_text("utf-8", "replace").splitlines())
    return [(float(line[1]), line[2]) for line in found if line]


def pressing(keys: str, first_ms: int = 150) -> bytes:
    """A capture of RFC 4733 events as a telephone sends them: each key 100 ms, 60 ms apart."""
    packets, at, number, stamp = [], first_ms, 0, 8000
    for key in keys:
        event = "0123456789*#".index(key)
        for step in range(1, 9):
            duration, last = min(step, 6) * 160, step >= 6
            payload = struct.pack("!BBH", event, 0x8A if last else 0x0A, duration)
            marker = 0x80 if step == 1 else 0
            rtp = struct.pack("!BBHII", 0x80, 101 | marker, number, stamp, 0x42E5) + payload
            packets.append((at + step * 20, rtp))
            number += 1
        at, stamp = at + 220, stamp + 1760
    return _capture(packets)


def _capture(packets: Sequence[tuple[int, bytes]]) -> bytes:
    written = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for at, rtp in packets:
        udp = struct.pack("!HHHH", 40000, 40000, 8 + len(rtp), 0) + rtp
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\2", b"\x7f\0\0\1") + udp
        frame = b"\0" * 12 + b"\x08\0" + ip
        written += struct.pack("<IIII", at // 1000, at % 1000 * 1000, len(frame), len(frame)) + frame
    return written


def _scenario(folder: Path, name: str, **values: object) -> Path:
    text = Template((files("bench") / "scenarios" / name).read_text("utf-8")).substitute(values)
    file = folder / name
    file.write_text(text)
    return file


def _branches(folder: str, count: int) -> dict[str, str]:
    """One branch for each way of pressing keys: SIPp plays only captures that the scenario names."""
    choose, play = [], []
    for place in range(count):
        choose.append(
            f'<nop next="{place + 1}" test="{place + 10}"><action><strcmp assign_to="{place + 10}" variable="1" '
            f'value="{place}"/><test assign_to="{place + 10}" variable="{place + 10}" compare="equal" value="0"/>'
            "</action></nop>"
        )
        play.append(
            f'<label id="{place + 1}"/><nop next="90"><action>'
            f'<exec play_pcap_audio="{folder}/keys-{place}.pcap"/></action></nop>'
        )
    return {"choose": "\n".join(choose), "play": "\n".join(play)}


def _list_callers(file: Path, callers: Sequence[Caller], keys: Sequence[str]) -> None:
    rows = ["SEQUENTIAL"]
    for caller in callers:
        privacy = "id" if caller.withheld else "none"
        rows.append(f"{caller.number};{privacy};{keys.index(caller.keys) if caller.keys else '-'}")
    file.write_text("\n".join(rows) + "\n")


def _succeeded(file: Path) -> int:
    with file.open() as lines:
        last = list(csv.DictReader(lines, delimiter=";"))[-1]
    return int(last["SuccessfulCall(C)"])


def _rtts(file: Path) -> Iterator[float]:
    for line in file.read_text().splitlines()[1:]:
        yield float(line.split(";")[1])


@contextmanager
def _running(command: Sequence[str], folder: str) -> Iterator[None]:
    process = subprocess.Popen([*command, "-nostdin"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
