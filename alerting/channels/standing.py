"""Whether a provider, or a trunk, is worth trying: one that fails time after time rests, and single attempts find out
whether it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from alerting.channels.ringing import NOT_ANSWERED
from alerting.errors import SendError, TooMany
from alerting.receipts import Receipt

# So many failures one after another: that is no longer about the messages, or the telephones called.
IN_A_ROW = 5
TRY_AGAIN_S = 30.0
# How long to wait for what may be there again at any moment.
SOON_S = 1.0


class Standing:
    """Of a provider. Once it failed IN_A_ROW times, one attempt in `try_again_s` seconds is given to it; the first that
    it takes makes it as good as before. `to_blame`: a message that it took and did not deliver is better tried by
    another."""

    to_blame = True

    def __init__(self, try_again_s: float = TRY_AGAIN_S) -> None:
        self._try_again_s = try_again_s
        self._failed, self._next_trial, self._rests_until = 0, 0.0, 0.0

    def worth_trying(self) -> bool:
        """Whoever hears yes tries it: while it is down, nobody else is told so."""
        if self.opens_in() > 0:
            return False
        if self.is_down:
            self._next_trial = _moment() + self._try_again_s
        return True

    def opens_in(self) -> float:
        """Seconds until it may be tried; 0: now."""
        until = max(self._rests_until, self._next_trial) if self.is_down else self._rests_until
        return max(0.0, until - _moment())

    def took(self, receipt: Receipt) -> None:
        self._good()

    def refused(self, refusal: SendError) -> None:
        """A refusal of one message alone shows that it works."""
        self._rests_until = max(self._rests_until, _moment() + refusal.pause_s)
        if not refusal.pause_s:
            self._good()
        elif not isinstance(refusal, TooMany):
            self._bad()

    def unanswered(self) -> None:
        self._bad()

    @property
    def is_down(self) -> bool:
        """Whether it failed time after time; it may still be tried, one at a time."""
        return self._failed >= IN_A_ROW

    def _good(self) -> None:
        self._failed = 0

    def _bad(self) -> None:
        self._failed += 1
        if self._failed == IN_A_ROW:
            self._next_trial = _moment() + self._try_again_s


class Trunk(Standing):
    """Of our own exchange and its trunk: `there()` tells whether it can be asked at all. A trunk that is full may have
    room again a moment later; one through which nobody can be reached is down."""

    to_blame = False

    def __init__(self, there: Callable[[], bool], try_again_s: float = TRY_AGAIN_S) -> None:
        super().__init__(try_again_s)
        self._there = there

    def opens_in(self) -> float:
        return super().opens_in() if self._there() else SOON_S

    def took(self, receipt: Receipt) -> None:
        if receipt == NOT_ANSWERED["unreachable"]:
            self._bad()
        else:
            self._good()

    def refused(self, refusal: SendError) -> None:
        pass

    def unanswered(self) -> None:
        pass


def _moment() -> float:
    return asyncio.get_running_loop().time()
