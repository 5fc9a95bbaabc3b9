"""When a delivery is tried again, without waiting for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from web.webhooks.schedule import GIVE_UP_AFTER, next_attempt, read_retry_after

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_tries_are_spread_over_three_days_and_end(chance: float) -> None:
    now, pauses = NOW, list[float]()
    while again_at := next_attempt(len(pauses) + 1, NOW, now, None, chance):
        pauses.append((again_at - now).total_seconds())
        now = again_at
    assert now == NOW + GIVE_UP_AFTER == NOW + timedelta(days=3)
    assert pauses[:4] == [
        pytest.approx(seconds * (1 + 0.2 * chance)) for seconds in (5, 300, 1800, 7200)
    ]
    assert 8 <= len(pauses) <= 10


def test_what_the_receiver_asks_for_lengthens_a_pause_only() -> None:
    hour, second = timedelta(hours=1), timedelta(seconds=1)
    assert next_attempt(1, NOW, NOW, hour, 0.0) == NOW + hour
    assert next_attempt(3, NOW, NOW, second, 0.0) == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 7 ", 7),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("١٢", None),
        ("9" * 400, 86_400),
        (format_datetime(NOW + timedelta(minutes=10), usegmt=True), 600),
        (format_datetime(NOW - timedelta(minutes=10), usegmt=True), None),
        ("Wed, 25 Nov 2026 12:01:00 -0000", 60),
        ("Wed, 99 Nov 2026 12:01:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Wed, 25 Nov 99999999999 12:01:00 GMT", None),
        ("Wed, 25 Nov 2026 12:01:99999999999999999999 GMT", None),
        ("Wed, 25 Nov 2026 12:01:00 +99999999999999", None),
        ("\udcff\udcfe", None),
    ],
)
def test_retry_after(value: str | None, seconds: int | None) -> None:
    found = read_retry_after(value, NOW)
    assert (found and found.total_seconds()) == seconds
