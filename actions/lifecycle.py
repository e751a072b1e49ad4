"""Which step of an action may follow which."""

from actions.models import Outcome, Status

STEPS = {
    Status.DRAFT: frozenset({Status.OPEN, Status.ENDED}),
    Status.OPEN: frozenset({Status.ENDED}),
    Status.ENDED: frozenset[Status](),
}


def fault_in_step(now: str, then: Status, outcome: str | None = None) -> str | None:
    """Why an action in status `now` cannot go to `then`; None when it can. Ending needs an outcome."""
    if then not in STEPS[Status(now)]:
        return f"the action is {now}: it cannot become {then}"
    if then is Status.ENDED and outcome not in set(Outcome):
        return f"say how it ended: {', '.join(Outcome)}"
    return None


def fault_in_update(now: str) -> str | None:
    """Why an action in status `now` takes no update; None when it does."""
    return None if now == Status.OPEN else f"the action is {now}: only an open action can be updated"
