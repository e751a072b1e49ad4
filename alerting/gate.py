"""A provider that asks to be left alone is left alone: nobody passes until the time is over."""

from __future__ import annotations

import asyncio


class Gate:
    """Open until it is shut for a time. Moments are those of the event loop's clock."""

    def __init__(self) -> None:
        self._opens_at = 0.0

    def shut(self, seconds: float) -> None:
        """Shuts it for this long from now; never shortens an earlier time."""
        self._opens_at = max(self._opens_at, _moment() + seconds)

    async def passed(self, latest: float) -> bool:
        """Waits until it is open; False, at once, when it does not open before `latest`."""
        while (wait := self._opens_at - _moment()) > 0:
            if self._opens_at > latest:
                return False
            await asyncio.sleep(wait)
        return True


def _moment() -> float:
    return asyncio.get_running_loop().time()
