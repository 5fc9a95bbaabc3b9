"""When a home is reminded to report, and who is told after that: pure rules, no I/O.

A home falls silent when it last said something; that begins an episode. Within one, its staff is
reminded once, then the admins of its provider are told, then its municipality. It ends when the
home reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import msgspec

from providers.reporting_policy import ReportingPolicy, moment_of
from vacancies.listings import REGION

Step = Literal["staff", "admins", "municipality"]

DEFAULT_HOUR = 9
LEAST_REPORTS = 3  # fewer say nothing about a habit
# So much before the report gets old, where the usual hour comes too late.
LEAD = timedelta(hours=1)
# After a failure, another try; the next one later, and in the end none.
MOST_FAILURES = 8
_FIRST_RETRY = timedelta(minutes=5)
_LONGEST_RETRY = timedelta(hours=2)


class NextStep(msgspec.Struct, frozen=True):
    """Who is told next, and when."""

    step: Step
    due_at: datetime


def usual_hour(counts: Mapping[int, int]) -> int:
    """The hour of the day (0 to 23, in the region) in which a home usually reports: the
    circular median of `counts`, the number of its reports by hour; `DEFAULT_HOUR` if they are
    too few. The hour from which the others are least away, around the clock; the earliest of
    those that are equally good."""
    if sum(counts.values()) < LEAST_REPORTS:
        return DEFAULT_HOUR

    def distance(hour: int) -> int:
        return sum(n * min((hour - h) % 24, (h - hour) % 24) for h, n in counts.items())

    return min(sorted(hour for hour, n in counts.items() if n > 0), key=distance)


def first_due(since: datetime, hour: int, policy: ReportingPolicy) -> datetime:
    """When the staff of a home is reminded that was last heard at `since` and usually reports
    in the `hour` (UTC).

    Before the report is as old as the policy allows: at the usual hour, or (where that falls
    outside) up to an hour before. But not in the first half of that time: nobody is asked in the
    evening what they said in the morning. If mail may go out at no moment in between, as over a
    Sunday, then at the usual hour of the first day after.
    """
    earliest, latest = since + policy.fresh_for / 2, since + policy.fresh_for
    for day in _days(latest, earliest):
        moment = _usual_moment(day, hour, policy)
        if earliest <= moment <= latest and policy.permits(moment):
            return moment
    for day in _days(latest, earliest):
        opens, closes = max(policy.opening(day), earliest), min(policy.closing(day), latest)
        if opens < closes and policy.permits(moment := max(opens, closes - LEAD)):
            return moment
    return _after(latest, hour, policy)


def next_step(step: Step, reminded_at: datetime, policy: ReportingPolicy) -> NextStep | None:
    """What follows on `step` while the home stays silent; None if nobody is left."""
    if step == "staff":
        admins_at = reminded_at + timedelta(hours=policy.admins_after_hours)
        return NextStep("admins", policy.next_permitted(admins_at))
    if step == "admins" and policy.municipality_email is not None:
        municipality_at = reminded_at + timedelta(hours=policy.municipality_after_hours)
        return NextStep("municipality", policy.next_permitted(municipality_at))
    return None


def retry_at(failures: int, now: datetime, policy: ReportingPolicy) -> datetime | None:
    """When to try again after so many `failures`, the last of them `now`; None: no more."""
    if failures >= MOST_FAILURES:
        return None
    wait = min(_FIRST_RETRY * 2 ** (failures - 1), _LONGEST_RETRY)
    return policy.next_permitted(now + wait)


def _usual_moment(day: date, hour: int, policy: ReportingPolicy) -> datetime:
    """The beginning of the usual hour; outside of the permitted time of day the opening, or the
    last hour."""
    minute = max(hour * 60, policy.from_minute)
    if minute >= policy.until_minute:
        minute = max(policy.from_minute, policy.until_minute - 60)
    return moment_of(day, minute)


def _after(latest: datetime, hour: int, policy: ReportingPolicy) -> datetime:
    opens = policy.next_permitted(latest)
    moment = _usual_moment(opens.astimezone(REGION).date(), hour, policy)
    return moment if moment >= opens and policy.permits(moment) else opens.astimezone(UTC)


def _days(latest: datetime, earliest: datetime) -> Iterator[date]:
    """The days in the region from that of `latest` back to that of `earliest`."""
    day, last = latest.astimezone(REGION).date(), earliest.astimezone(REGION).date()
    while day >= last:
        yield day
        day -= timedelta(days=1)
