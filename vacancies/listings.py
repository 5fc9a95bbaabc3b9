"""From what a home has reported to what the public sees: pure rules, no I/O.

A listing depends on the home alone, whose `evaluated_at` stands in for the clock; time
moves only when the sweeper re-evaluates a home and gives it a new revision.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from vacancies.models import (
    HIDDEN,
    AdmissionStop,
    CareForm,
    CareHome,
    Freshness,
    HomeStatus,
    Listing,
    Profile,
    Room,
    Sex,
    Standing,
    Vacancy,
)

REGION = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
NAMELESS = "–"  # stands where a home has no name for the public
_FRESHEST_FIRST = tuple(Freshness)


def local_date(at: datetime) -> date:
    """The calendar day of `at` in the region."""
    return at.astimezone(REGION).date()


@lru_cache(maxsize=1_000)
def midnight(day: date) -> datetime:
    """The moment at which `day` begins in the region, in UTC."""
    return datetime.combine(day, time(), REGION).astimezone(UTC)


def freshness(home: CareHome) -> Freshness:
    """By the age of what the home said last. A home of a neighbour is no fresher than it is there,
    and not fresh while nothing is heard from there."""
    age, origin = _freshness_by_age(home), home.origin
    if origin is None:
        return age
    least = Freshness.FRESH if origin.silent_since is None else Freshness.AGEING
    return max(age, origin.said, least, key=_FRESHEST_FIRST.index)


def _freshness_by_age(home: CareHome) -> Freshness:
    said_at = home.last_said_at
    if said_at is None or home.standing is Standing.FROZEN:
        return Freshness.UNKNOWN
    age = home.evaluated_at - said_at
    if age < home.policy.fresh_for:
        return Freshness.FRESH
    return Freshness.AGEING if age < home.policy.ageing_for else Freshness.STALE


def valid_until(home: CareHome) -> datetime | None:
    """When its freshness is a worse one by time alone; None if it cannot become worse."""
    said_at, age = home.last_said_at, freshness(home)
    if said_at is None or age in (Freshness.STALE, Freshness.UNKNOWN):
        return None
    return said_at + (home.policy.fresh_for if age is Freshness.FRESH else home.policy.ageing_for)


def active_stop(home: CareHome) -> AdmissionStop | None:
    """The admission stop, unless its last day has passed."""
    stop = home.profile.admission_stop
    if stop is None or stop.until is None or stop.until >= local_date(home.evaluated_at):
        return stop
    return None


def evaluate(home: CareHome, at: datetime) -> CareHome:
    """The home as judged at `at`, with the moment at which that must be done again."""
    later = [moment for moment in _transitions(home) if moment > at]
    return replace(home, evaluated_at=at, next_transition_at=min(later) if later else None)


def _transitions(home: CareHome) -> list[datetime]:
    """Every moment at which time alone changes the public listing of `home`."""
    if home.profile.status is not HomeStatus.OPEN:
        return []
    moments = []
    said_at = home.last_said_at
    if said_at is not None:
        moments = [said_at + home.policy.fresh_for, said_at + home.policy.ageing_for]
    stop = home.profile.admission_stop
    if stop is not None and stop.until is not None:
        moments.append(midnight(stop.until + DAY))
    for line in home.vacancies:
        if line.available_from is not None:
            moments.append(midnight(line.available_from))
        if line.available_until is not None:
            moments.append(midnight(line.available_until + DAY))
    return moments


def is_small(home: CareHome) -> bool:
    """Whether details of one place could reveal a death; unknown capacity is not small."""
    licensed = sum(home.profile.capacity.values())
    return 0 < licensed < home.policy.detail_places


def public_listing(home: CareHome) -> Listing:
    return _trace(home) if home.standing in HIDDEN else own_listing(home)


def _trace(home: CareHome) -> Listing:
    """Of a home that is not approved: what tells viewers that it is gone, should they have seen
    it before it came to that municipality."""
    profile = home.profile
    status = HomeStatus.CLOSED if profile.status is HomeStatus.OPEN else profile.status
    return Listing(
        id=home.id,
        provider=home.provider,
        revision=home.revision,
        moved_revision=home.moved_revision,
        profile=Profile(
            name=NAMELESS,
            point=profile.point,
            municipality=profile.municipality,
            status=status,
            merged_into=profile.merged_into,
        ),
        freshness=Freshness.UNKNOWN,
        standing=home.standing,
        closed_at=home.closed_at or home.evaluated_at,
    )


def own_listing(home: CareHome) -> Listing:
    """What the public sees, or would see once the home is approved: for who reports for it, and
    for the desk of its municipality."""
    age = freshness(home)
    stop = active_stop(home)
    counts = (
        home.profile.status is HomeStatus.OPEN
        and stop is None
        and age in (Freshness.FRESH, Freshness.AGEING)
    )
    lines = _public_lines(home) if counts else ()
    free: dict[CareForm, int] = {}
    for line in lines:
        if line.count > 0:
            free[line.care_form] = free.get(line.care_form, 0) + line.count
    return Listing(
        id=home.id,
        provider=home.provider,
        revision=home.revision,
        moved_revision=home.moved_revision,
        profile=home.profile,
        freshness=age,
        standing=home.standing,
        free=free,
        vacancies=lines if free else (),
        admission_stop=stop,
        observed_at=None if age is Freshness.UNKNOWN else home.observed_at,
        confirmed_at=None if age is Freshness.UNKNOWN else home.confirmed_at,
        valid_until=valid_until(home),
        closed_at=home.closed_at,
        origin=home.origin,
    )


def _public_lines(home: CareHome) -> tuple[Vacancy, ...]:
    current = home.vacancies
    for line in current:
        if line.available_from or line.available_until:
            today = local_date(home.evaluated_at)
            current = tuple(_from_today(each, today) for each in current if _not_over(each, today))
            break
    # What a neighbour publishes is public, and made coarse already where that is due.
    if home.origin is not None or not is_small(home):
        return current
    merged: dict[tuple[CareForm, date | None, date | None], Vacancy] = {}
    for line in map(coarse, current):
        key = (line.care_form, line.available_from, line.available_until)
        known = merged.get(key)
        merged[key] = replace(line, count=line.count + known.count) if known else line
    return tuple(merged.values())


def _not_over(line: Vacancy, today: date) -> bool:
    return line.available_until is None or line.available_until >= today


def _from_today(line: Vacancy, today: date) -> Vacancy:
    """A date that has come means now."""
    if line.available_from is not None and line.available_from <= today:
        return replace(line, available_from=None)
    return line


def coarse(line: Vacancy) -> Vacancy:
    """A line without what could point to a person: in a small home "one place, double
    room, female, from tomorrow" reveals a death.

    Form and count stay. A coming date becomes the first of the month after it, so that
    nobody is promised a place too early; a last day is dropped.
    """
    start = line.available_from
    if start is not None:
        start = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return replace(
        line,
        sex=Sex.ANY,
        room=Room.ANY,
        care_grades=(),
        focuses=(),
        available_from=start,
        available_until=None,
        note=None,
    )
