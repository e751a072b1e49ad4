"""When to try again."""

from datetime import datetime, timedelta

# Seconds to wait after the first and the second attempt; after the third there is none.
WAITS_S = (5.0, 40.0)
SPREAD = 0.5


def retry_at(attempts: int, moment: datetime, deadline: datetime, chance: float) -> datetime | None:
    """When a delivery may be tried again after `attempts` attempts, the last of which failed at `moment`.

    None: never, it had its attempts or the message is over by then. `chance` (0 to 1) spreads the moments by half their
    wait, so that a wave which failed together does not come back together."""
    if attempts > len(WAITS_S):
        return None
    at = moment + timedelta(seconds=WAITS_S[attempts - 1] * (1 + SPREAD * chance))
    return at if at < deadline else None
