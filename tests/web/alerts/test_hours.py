"""Quiet hours and messages a day, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vacancies.errors import InvalidInput
from vacancies.listings import REGION
from web.alerts.hours import Hours

NIGHT = Hours()
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    """A moment of the region's time; `fold` with a `*` behind it."""
    local = datetime.fromisoformat(text.rstrip("*")).replace(tzinfo=REGION)
    return local.replace(fold=int(text.endswith("*"))).astimezone(UTC)


@pytest.mark.parametrize(
    ("asked", "awake"),
    [
        ("2026-06-01T20:59", "2026-06-01T20:59"),
        ("2026-06-01T21:00", "2026-06-02T07:00"),
        ("2026-06-02T06:59", "2026-06-02T07:00"),
        ("2026-06-02T07:00", "2026-06-02T07:00"),
        # Nights with an hour less and one more.
        ("2026-03-28T22:00", "2026-03-29T07:00"),
        ("2026-10-24T22:00", "2026-10-25T07:00"),
    ],
)
def test_the_night_is_quiet(asked: str, awake: str) -> None:
    assert NIGHT.awake_at(at(asked)) == at(awake)


def test_an_end_that_comes_twice_or_never() -> None:
    hours = Hours(quiet_from_minute=22 * 60, quiet_until_minute=2 * 60 + 30)
    assert hours.awake_at(at("2026-10-25T01:00")) == at("2026-10-25T02:30")
    assert hours.awake_at(at("2026-10-25T02:10*")) == at("2026-10-25T02:30*")
    assert hours.awake_at(at("2026-03-29T01:00")) == at("2026-03-29T03:30")


def test_no_quiet_hours() -> None:
    assert not any(
        Hours(quiet_from_minute=0, quiet_until_minute=0).is_quiet(at(f"2026-06-01T{hour:02}:00"))
        for hour in range(24)
    )


def test_the_day_has_its_last_message() -> None:
    evening = at("2026-06-01T20:00")
    assert NIGHT.next_moment(evening, date(2026, 6, 1), 2) == evening
    assert NIGHT.next_moment(evening, date(2026, 6, 1), 3) == at("2026-06-02T07:00")
    assert NIGHT.next_moment(evening, date(2026, 5, 31), 3) == evening
    awake = Hours(quiet_from_minute=0, quiet_until_minute=0, most_a_day=1)
    assert awake.next_moment(evening, date(2026, 6, 1), 1) == at("2026-06-02T00:00")


minutes = st.integers(0, 24 * 60 - 1)


SPRING, AUTUMN = at("2026-03-27T00:00"), at("2026-10-23T00:00")


@given(
    base=st.sampled_from([SPRING, AUTUMN]),
    later=st.integers(0, 4 * 24 * 60),
    begin=minutes,
    end=minutes,
)
def test_it_is_the_first_moment_that_is_not_quiet(
    base: datetime, later: int, begin: int, end: int
) -> None:
    hours = Hours(quiet_from_minute=begin, quiet_until_minute=end)
    asked = base + later * MINUTE
    found = hours.awake_at(asked)
    first = asked
    while hours.is_quiet(first):
        first += MINUTE
    assert not hours.is_quiet(found)
    # An end in the hour that is left out in spring is that long after.
    assert first <= found <= first + timedelta(hours=1)
    if found != first:
        assert first.astimezone(REGION).date() == date(2026, 3, 29)


@pytest.mark.parametrize(
    "wrong", [{"quiet_from_minute": -1}, {"quiet_until_minute": 1440}, {"most_a_day": 0}]
)
def test_what_is_out_of_range_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        Hours(**wrong).check()
