"""When to try again, by why it failed. What a carrier blocks is never tried again (its fault is not retryable): each
further try would make the block last."""

from datetime import datetime, timedelta

from actions.models import DeliveryState

# Seconds to wait after the first and the second attempt; after the third there is none.
WAITS_S = (5.0, 40.0)
# A conversation takes its time, and whoever does not come to the telephone is not there a moment later either.
WAITS_AFTER = {DeliveryState.BUSY: (20.0, 60.0), DeliveryState.NO_ANSWER: (60.0, 180.0)}
SPREAD = 0.5


def retry_at(
    attempts: int, moment: datetime, deadline: datetime, chance: float, state: str = DeliveryState.FAILED
) -> datetime | None:
    """When a delivery may be tried again after `attempts` attempts, the last of which failed at `moment` in this state.

    None: never, it had its attempts or the message is over by then. `chance` (0 to 1) spreads the moments by half their
    wait, so that a wave which failed together does not come back together."""
    waits = WAITS_AFTER.get(DeliveryState(state), WAITS_S)
    if attempts > len(waits):
        return None
    at = moment + timedelta(seconds=waits[attempts - 1] * (1 + SPREAD * chance))
    return at if at < deadline else None
