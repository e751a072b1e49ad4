"""When a message that did not certainly reach somebody by one channel goes by another, as rules without I/O."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from actions.models import DeliveryState, MessageKind

S = DeliveryState
NOT_REACHED = frozenset({S.BUSY, S.NO_ANSWER, S.FAILED, S.MACHINE})
# A conversation of which nothing more was heard: its controller died, or it still goes on.
QUIET = timedelta(minutes=15)
# A notice that no browser has shown: the telephone is off, or its browser closed.
NOT_SHOWN = timedelta(minutes=3)


@dataclass(frozen=True)
class FallBack:
    """`failed`: states in which nobody was reached, for certain. `silent_after`: so long after it was sent nothing was
    heard. `unsure`: states that prove nobody, for messages that ask for a key. `messages`: of which kinds. `own`: by
    the same telephone; else by a telephone of the same person that texts may go to."""

    by: str
    to: str
    failed: frozenset[S]
    silent_after: timedelta
    own: bool
    unsure: frozenset[S] = frozenset()
    messages: Collection[MessageKind] = field(default_factory=lambda: tuple(MessageKind))

    def due(self, kind: str, state: str, silent_for: timedelta, *, broken_off: bool = False) -> bool:
        """Whether it is time. `silent_for`: since the state changed; `broken_off`: the call of the attempt is over."""
        if MessageKind(kind) not in self.messages:
            return False
        if state in self.failed:
            return True
        # A result asks for no key: whoever answered it, heard it.
        if kind == MessageKind.RESULT:
            return False
        return state in self.unsure or (state == S.SENT and (silent_for > self.silent_after or broken_off))


CALLS = FallBack("voice", "sms", NOT_REACHED, QUIET, own=True, unsure=frozenset({S.ANSWERED}))
# A result that is not shown now is shown when the telephone is on again: nobody has to act on it.
NOTICES = FallBack(
    "push", "sms", frozenset({S.FAILED}), NOT_SHOWN, own=False, messages=(MessageKind.ALERT, MessageKind.UPDATE)
)
# Texts and mails have none: what does not arrive by them arrives by nothing that people did not choose themselves.
FALL_BACKS = (CALLS, NOTICES)
