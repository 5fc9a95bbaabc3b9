"""When to try again, and when to give up: pure, the clock is the caller's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# As the Standard Webhooks specification proposes; the last one is repeated.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
)
GIVE_UP_AFTER = timedelta(days=3)
MOST_RETRY_AFTER = timedelta(hours=24)
# Receivers that failed together should not be called together.
JITTER = 0.2


def next_attempt(
    attempts: int,
    failing_since: datetime,
    now: datetime,
    retry_after: timedelta | None,
    chance: float,
) -> datetime | None:
    """When to try again after `attempts` (from 1) failures in a row; None: give up.

    `chance` is from 0 to 1 and stretches the pause. What the receiver asks for can only
    lengthen it: one that always answers "again in a second" would be called for ever.
    The last try is made when three days are over.
    """
    deadline = failing_since + GIVE_UP_AFTER
    if now >= deadline:
        return None
    pause = max(PAUSES[min(attempts, len(PAUSES)) - 1], retry_after or timedelta())
    return min(now + pause * (1 + JITTER * chance), deadline)


def read_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The header `Retry-After` (RFC 9110, 10.2.3), seconds or a date; at most a day. None for
    what is absent, past or nonsense."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        pause = timedelta(seconds=int(value[:9]))
    else:
        try:
            moment = parsedate_to_datetime(value)
            pause = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
        except (ValueError, OverflowError):
            return None
    return min(pause, MOST_RETRY_AFTER) if pause > timedelta() else None
