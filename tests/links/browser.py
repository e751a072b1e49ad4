"""A real Chromium, told what to do by its own protocol (CDP): keys, files, where it is."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

START_S, BOUND_S = 30.0, 20.0
LOOK_AGAIN_S = 0.05
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)
KEYS = {"Tab": 9, "Enter": 13, " ": 32}


class Browser:
    """One page. Every verb returns when what it says is so."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket, self._ids, self._session = socket, count(1), ""

    async def opens(self, address: str) -> None:
        target = await self._ask("Target.createTarget", url="about:blank")
        attached = await self._ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        await self._ask("Page.enable")
        await self.goes_to(address)

    async def goes_to(self, address: str) -> None:
        await self._ask("Page.navigate", url=address)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def stands_at(self, origin: str, lat: float, lon: float, accuracy: float) -> None:
        """From now on the device knows where it is, and pages of this origin may ask."""
        await self._ask("Browser.grantPermissions", origin=origin, permissions=["geolocation"])
        await self._ask("Emulation.setGeolocationOverride", latitude=lat, longitude=lon, accuracy=accuracy)

    async def without_scripts(self) -> None:
        await self._ask("Emulation.setScriptExecutionDisabled", value=True)

    async def looks_dark(self) -> None:
        await self._ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])

    async def chooses(self, field: str, file: Path) -> None:
        document = await self._ask("DOM.getDocument")
        node = await self._ask("DOM.querySelector", nodeId=document["root"]["nodeId"], selector=f"#{field}")
        await self._ask("DOM.setFileInputFiles", nodeId=node["nodeId"], files=[str(file)])

    async def presses(self, key: str) -> None:
        what = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        await self._ask("Input.dispatchKeyEvent", type="keyDown", **what, **text)
        await self._ask("Input.dispatchKeyEvent", type="keyUp", **what)

    async def types(self, text: str) -> None:
        await self._ask("Input.insertText", text=text)

    async def tabs_to(self, field: str) -> None:
        """With the keyboard alone; fails when it cannot be reached."""
        for _ in range(20):
            if await self.knows("document.activeElement && document.activeElement.id") == field:
                return
            await self.presses("Tab")
        raise AssertionError(f"the keyboard does not reach {field}")

    async def knows(self, expression: str) -> Any:
        found = await self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def until(self, expression: str) -> None:
        try:
            async with asyncio.timeout(BOUND_S):
                while not await self.knows(expression):  # noqa: ASYNC110 - what is waited for lies in the browser
                    await asyncio.sleep(LOOK_AGAIN_S)
        except TimeoutError:
            shown = await self.knows("document.body.innerText")
            raise AssertionError(f"it did not come to {expression}; the page says: {shown}") from None

    async def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        asked: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session and not method.startswith(("Browser.", "Target.")):
            asked["sessionId"] = self._session
        await self._socket.send_str(json.dumps(asked))
        async with asyncio.timeout(BOUND_S):
            while True:
                said = await self._socket.receive_json()
                if said.get("id") == number:
                    assert "error" not in said, said
                    result: dict[str, Any] = said["result"]
                    return result


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    """A Chromium of its own, with nothing in it, ended after the block."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: scripts/prepare dev installs it"
    process = await asyncio.create_subprocess_exec(
        program,
        *FLAGS,
        f"--user-data-dir={folder}",
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "DBUS_SESSION_BUS_ADDRESS": "disabled:"},
        start_new_session=True,
    )
    try:
        port, path = await _where(folder / "DevToolsActivePort")
        async with (
            ClientSession() as client,
            client.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0) as socket,
        ):
            yield Browser(socket)
            await socket.send_str(json.dumps({"id": 0, "method": "Browser.close"}))
        async with asyncio.timeout(BOUND_S):
            await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and whatever it started
        await process.wait()


async def _where(told: Path) -> tuple[str, str]:
    """The port and the address at which the browser listens, once it does."""
    async with asyncio.timeout(START_S):
        while len(lines := await asyncio.to_thread(_lines, told)) < 2:  # noqa: ASYNC110 - a file of the browser
            await asyncio.sleep(LOOK_AGAIN_S)
    return lines[0], lines[1]


def _lines(told: Path) -> list[str]:
    return told.read_text().split() if told.exists() else []
