"""The same call by a minimal controller as most would write it: events by websocket, every request by HTTP.

Run as a process: http_handler.py URL USER PASSWORD OPERATOR WELCOME WHISPER LEFT (the last three as ARI media)."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections import defaultdict
from typing import Any

import aiohttp


class Reference:
    def __init__(self, session: aiohttp.ClientSession, url: str, operator: str, welcome: str, whisper: str, left: str):
        self.session, self.url, self.operator = session, f"{url}/ari", operator
        self.welcome, self.whisper, self.left = welcome, whisper, left
        self.happened: dict[str, asyncio.Future[None]] = defaultdict(asyncio.get_running_loop().create_future)

    async def run(self) -> None:
        tasks = set()
        async with self.session.ws_connect(f"{self.url}/events", params={"app": "reference"}) as socket:
            print("up", flush=True)
            async for message in socket:
                event = json.loads(message.data)
                if event["type"] == "StasisStart" and event["args"] != ["operator"]:
                    task = asyncio.create_task(self.call(event["channel"]["id"]))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                elif thing := event.get("channel") or event.get("playback"):
                    self.tell(f"{event['type']} {thing['id']}")

    def tell(self, what: str) -> None:
        future = self.happened[what]
        if not future.done():
            future.set_result(None)

    async def call(self, caller: str) -> None:
        operator, bridge = uuid.uuid4().hex, uuid.uuid4().hex
        await self.ask("POST", f"channels/{caller}/answer")
        await self.play(caller, self.welcome)
        ring = {"endpoint": f"PJSIP/{self.operator}", "app": "reference", "appArgs": "operator", "callerId": "08000099"}
        await self.ask("POST", f"channels/{operator}", **ring)
        await self.until(f"StasisStart {operator}")
        await self.play(operator, self.whisper)
        await self.ask("POST", f"bridges/{bridge}", type="mixing")
        await self.ask("POST", f"bridges/{bridge}/addChannel", channel=f"{caller},{operator}")
        await self.until(f"StasisEnd {operator}")
        # A prompt to somebody whom a bridge has not yet let go is never heard, and its end never told.
        await self.ask("POST", f"bridges/{bridge}/removeChannel", channel=caller)
        await self.ask("DELETE", f"bridges/{bridge}")
        await self.play(caller, self.left)
        await self.ask("DELETE", f"channels/{caller}")

    async def play(self, channel: str, media: str) -> None:
        playback = uuid.uuid4().hex
        await self.ask("POST", f"channels/{channel}/play/{playback}", media=media)
        await self.until(f"PlaybackFinished {playback}")

    async def until(self, what: str) -> None:
        await asyncio.wait_for(self.happened[what], 60)
        del self.happened[what]

    async def ask(self, method: str, path: str, **query: Any) -> None:
        async with self.session.request(method, f"{self.url}/{path}", params=query) as answer:
            await answer.read()


async def main(url: str, user: str, password: str, *call: str) -> None:
    headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
    connector = aiohttp.TCPConnector(limit=90)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await Reference(session, url, *call).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
