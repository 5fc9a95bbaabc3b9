"""When a home is reminded: properties of the pure planner, and cases one can check by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.reminders import (
    DEFAULT_HOUR,
    MOST_FAILURES,
    Step,
    first_due,
    next_step,
    retry_at,
    usual_hour,
)
from providers.reporting_policy import Policies, ReportingPolicy
from vacancies.errors import InvalidInput
from vacancies.listings import REGION

DEFAULT = ReportingPolicy()
MINUTE = timedelta(minutes=1)
MOMENTS = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
HOURS = st.integers(0, 23)
EVERY_HOURS = st.integers(6, 24 * 10)


@st.composite
def policies(draw: st.DrawFn, first_minute: int = 0) -> ReportingPolicy:
    start = draw(st.integers(first_minute, 1439))
    found = ReportingPolicy(
        fresh_hours=draw(EVERY_HOURS),
        ageing_hours=366 * 24,
        from_minute=start,
        until_minute=draw(st.integers(start + 1, 1440)),
        weekdays=tuple(sorted(draw(st.sets(st.integers(1, 7), min_size=1)))),
    )
    found.check()
    return found


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=REGION).astimezone(UTC)


# By day only, so that no hour is left out or comes twice within the time of day.
BY_DAY = policies(first_minute=4 * 60)


@given(MOMENTS, HOURS, policies())
@example(berlin("2026-03-28 02:30"), 2, ReportingPolicy(from_minute=120, until_minute=180))
@example(berlin("2026-10-24 02:30"), 2, ReportingPolicy(from_minute=120, until_minute=180))
def test_never_outside_of_the_permitted_time(
    since: datetime, hour: int, policy: ReportingPolicy
) -> None:
    due = first_due(since, hour, policy)
    assert policy.permits(due)
    assert due >= since + policy.fresh_for / 2
    local = due.astimezone(REGION)
    assert local.isoweekday() in policy.weekdays
    assert policy.from_minute <= local.hour * 60 + local.minute < policy.until_minute


@given(MOMENTS, HOURS)
def test_by_default_never_at_night_nor_on_sundays(since: datetime, hour: int) -> None:
    local = first_due(since, hour, DEFAULT).astimezone(REGION)
    assert local.isoweekday() != 7
    assert 7 <= local.hour < 18


@given(MOMENTS, HOURS, BY_DAY)
def test_before_the_report_gets_old_where_mail_may_go_out_at_all(
    since: datetime, hour: int, policy: ReportingPolicy
) -> None:
    earliest, latest = since + policy.fresh_for / 2, since + policy.fresh_for
    due = first_due(since, hour, policy)
    if policy.next_permitted(earliest) < latest:
        assert due <= latest
    else:
        # Nothing was possible before: then on the first day on which it is.
        first = policy.next_permitted(latest)
        assert due >= first
        assert due.astimezone(REGION).date() == first.astimezone(REGION).date()


@given(MOMENTS, HOURS, BY_DAY)
def test_at_the_usual_hour_wherever_that_is_possible(
    since: datetime, hour: int, policy: ReportingPolicy
) -> None:
    earliest, latest = since + policy.fresh_for / 2, since + policy.fresh_for
    due = first_due(since, hour, policy)
    usual = [
        moment
        for days in range((latest - earliest).days + 3)
        for moment in [_at(latest - timedelta(days=days), hour)]
        if earliest <= moment <= latest and policy.permits(moment)
    ]
    if usual:
        assert due == max(usual)


def _at(moment: datetime, hour: int) -> datetime:
    """The beginning of that hour on the day of `moment`, as clocks in the region show it."""
    local = moment.astimezone(REGION).replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    return local.astimezone(UTC)


@given(MOMENTS, policies())
def test_the_next_permitted_moment_is_permitted_and_not_before(
    at: datetime, policy: ReportingPolicy
) -> None:
    found = policy.next_permitted(at)
    assert policy.permits(found)
    assert found >= at
    assert found - at <= timedelta(days=15)
    assert policy.next_permitted(found) == found
    # The one before it was not, unless `at` itself is.
    assert found == at or not policy.permits(found - MINUTE)


@given(st.dictionaries(HOURS, st.integers(1, 50)), st.integers(0, 23))
def test_the_usual_hour_turns_with_the_clock(counts: dict[int, int], turned_by: int) -> None:
    turned = {(hour + turned_by) % 24: n for hour, n in counts.items()}
    found = usual_hour(turned)
    if sum(counts.values()) < 3:
        assert found == DEFAULT_HOUR
        return

    def distance(to: int) -> int:
        return sum(n * min((to - h) % 24, (h - to) % 24) for h, n in turned.items())

    assert found in turned
    assert distance(found) == min(distance(hour) for hour in range(24) if hour in turned)


@pytest.mark.parametrize(
    ("counts", "hour"),
    [
        ({}, DEFAULT_HOUR),
        ({3: 2}, DEFAULT_HOUR),
        ({8: 20, 9: 3, 15: 2}, 8),
        ({23: 5, 0: 6, 1: 5}, 0),  # around midnight, not around noon
        ({10: 5, 16: 5}, 10),
    ],
)
def test_usual_hours_by_hand(counts: dict[int, int], hour: int) -> None:
    assert usual_hour(counts) == hour


@pytest.mark.parametrize(
    ("since", "hour", "due"),
    [
        # Reported at ten past ten, as every day: the next day at ten.
        ("2026-11-24 10:10", 10, "2026-11-25 10:00"),
        # A little earlier than usual this time: an hour before it gets old.
        ("2026-11-24 09:50", 10, "2026-11-25 08:50"),
        # At night: on the next day, when it may be, though old by then.
        ("2026-11-24 03:00", 10, "2026-11-24 17:00"),
        # On Saturday at noon: not on Sunday, but on Monday at the usual hour.
        ("2026-11-28 12:00", 10, "2026-11-30 10:00"),
        # Monday is early enough for what was said on Sunday.
        ("2026-11-29 12:00", 10, "2026-11-30 10:00"),
        # Summer time begins: the day has 23 hours, and ten is ten.
        ("2026-03-27 10:10", 10, "2026-03-28 10:00"),
        ("2026-03-28 10:10", 10, "2026-03-30 10:00"),
        # It ends on a Sunday; on Monday at ten the report is 24 hours old.
        ("2026-10-25 10:00", 10, "2026-10-26 10:00"),
    ],
)
def test_cases_by_hand(since: str, hour: int, due: str) -> None:
    assert first_due(berlin(since), hour, DEFAULT) == berlin(due)


def test_sunday_if_chosen_also_on_the_day_with_25_hours() -> None:
    daily = ReportingPolicy(weekdays=(1, 2, 3, 4, 5, 6, 7))
    # 24 hours after ten o'clock in summer it is nine in winter: eight is an hour before.
    assert first_due(berlin("2026-10-24 10:00"), 10, daily) == berlin("2026-10-25 08:00")
    assert first_due(berlin("2026-10-24 10:00"), 9, daily) == berlin("2026-10-25 09:00")


def test_once_a_week_is_near_the_end_of_the_week() -> None:
    weekly = ReportingPolicy(fresh_hours=7 * 24)
    assert first_due(berlin("2026-11-18 14:00"), 9, weekly) == berlin("2026-11-25 09:00")


def test_who_is_told_next() -> None:
    reminded_at = berlin("2026-11-27 10:00")  # a Friday
    told = ReportingPolicy(municipality_email="pflege@stadt.example", municipality_after_hours=48)
    found = next_step("staff", reminded_at, told)
    assert found is not None
    assert (found.step, found.due_at) == ("admins", berlin("2026-11-28 10:00"))
    found = next_step("admins", reminded_at, told)
    assert found is not None
    assert (found.step, found.due_at) == ("municipality", berlin("2026-11-30 07:00"))
    assert next_step("municipality", reminded_at, told) is None
    assert next_step("admins", reminded_at, DEFAULT) is None


@given(st.sampled_from(["staff", "admins"]), MOMENTS, policies())
def test_escalations_keep_to_the_permitted_time(
    step: Step, reminded_at: datetime, policy: ReportingPolicy
) -> None:
    found = next_step(step, reminded_at, policy)
    if found is not None:
        assert policy.permits(found.due_at)
        assert found.due_at >= reminded_at + timedelta(hours=policy.admins_after_hours)


def test_another_try_comes_later_each_time_and_not_for_ever() -> None:
    now = berlin("2026-11-25 09:00")
    waits = [at - now for n in range(1, MOST_FAILURES) if (at := retry_at(n, now, DEFAULT))]
    assert len(waits) == MOST_FAILURES - 1
    assert waits == sorted(waits)
    assert waits[0] == timedelta(minutes=5)
    assert retry_at(MOST_FAILURES, now, DEFAULT) is None


def test_the_longest_prefix_holds() -> None:
    state, town = ReportingPolicy(fresh_hours=48), ReportingPolicy(fresh_hours=12)
    found = Policies({"05": state, "05754008": town})
    assert found.of("05754008") == town
    assert found.of("05754012") == state
    assert found.of("09162000") == DEFAULT
    assert found.of(None) == DEFAULT
    assert found.shortest_period() == timedelta(hours=12)
    assert Policies({"": state}).of("09162000") == state


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"fresh_hours": 0}, "fresh_hours"),
        ({"fresh_hours": 73}, "ageing_hours"),
        ({"from_minute": 600, "until_minute": 600}, "from"),
        ({"until_minute": 1441}, "from"),
        ({"weekdays": ()}, "weekdays"),
        ({"weekdays": (0,)}, "weekdays"),
        ({"admins_after_hours": 48, "municipality_after_hours": 24}, "municipality_after_hours"),
        ({"municipality_email": "not an address"}, "email"),
        ({"municipality_email": "a@b.de\nBcc: c@d.de"}, "email"),
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ReportingPolicy(**wrong).check()  # type: ignore[arg-type]
    assert refused.value.field == field
