"""What the public sees, and when time alone changes it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from vacancies.listings import (
    NAMELESS,
    evaluate,
    midnight,
    own_listing,
    public_listing,
    valid_until,
)
from vacancies.models import (
    AdmissionStop,
    CareForm,
    CareHome,
    Focus,
    Freshness,
    HomeStatus,
    Point,
    Policy,
    Profile,
    Room,
    Sex,
    Standing,
    StopReason,
    Vacancy,
)

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the clocks change in the next night
HOUR = timedelta(hours=1)


def home(*lines: Vacancy, at: datetime = NOW, **more: object) -> CareHome:
    profile = Profile(name="Haus", point=Point(51.9, 8.4), **more)  # type: ignore[arg-type]
    found = CareHome(
        id="h",
        provider_id=1,
        provider="p",
        profile=profile,
        vacancies=lines,
        observed_at=NOW,
        evaluated_at=NOW,
    )
    return evaluate(found, at)


def line(count: int = 1, **more: object) -> Vacancy:
    return Vacancy(care_form=CareForm.LONG_TERM, count=count, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("hours", "until"), [(0, 24), (23.99, 24), (24, 72), (71.99, 72)])
def test_freshness_says_until_when_it_holds(hours: float, until: float) -> None:
    listing = public_listing(home(line(), at=NOW + hours * HOUR))
    assert listing.valid_until == NOW + until * HOUR
    later = public_listing(home(line(), at=listing.valid_until))
    assert later.freshness is not listing.freshness
    just_before = home(line(), at=listing.valid_until - timedelta(microseconds=1))
    assert public_listing(just_before).freshness is listing.freshness


def test_what_is_stale_or_unknown_does_not_get_worse() -> None:
    assert valid_until(home(line(), at=NOW + 72 * HOUR)) is None
    assert valid_until(replace(home(), observed_at=None)) is None


@pytest.mark.parametrize(
    ("hours", "freshness", "is_free"),
    [
        (0, Freshness.FRESH, True),
        (23.99, Freshness.FRESH, True),
        (24, Freshness.AGEING, True),
        (71.99, Freshness.AGEING, True),
        (72, Freshness.STALE, False),
    ],
)
def test_freshness_counts_from_what_was_said_last(
    hours: float, freshness: Freshness, is_free: bool
) -> None:
    listing = public_listing(home(line(), at=NOW + hours * HOUR))
    assert (listing.freshness, bool(listing.free)) == (freshness, is_free)
    assert bool(listing.vacancies) == is_free


def test_a_confirmation_renews() -> None:
    found = replace(home(line()), confirmed_at=NOW + 30 * HOUR)
    assert public_listing(evaluate(found, NOW + 40 * HOUR)).freshness is Freshness.FRESH


def test_a_home_that_never_reported_is_unknown() -> None:
    found = replace(home(), observed_at=None)
    assert public_listing(found).freshness is Freshness.UNKNOWN
    assert evaluate(found, NOW).next_transition_at is None


def test_a_stop_ends_after_its_last_day_in_the_region() -> None:
    stop = AdmissionStop(reason=StopReason.STAFF, until=date(2026, 3, 29))
    found = home(line(), admission_stop=stop)
    assert public_listing(found).free == {}
    assert public_listing(found).admission_stop == stop
    # The 30th begins at 22:00 UTC: summer time by then.
    end = datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert evaluate(found, NOW + 24 * HOUR).next_transition_at == end
    assert public_listing(evaluate(found, end - HOUR)).free == {}
    assert public_listing(evaluate(found, end)).free == {CareForm.LONG_TERM: 1}


def test_coming_places_count_and_past_ones_do_not() -> None:
    coming = line(2, available_from=date(2026, 3, 30))
    past = line(4, available_until=date(2026, 3, 27))
    listing = public_listing(home(coming, past))
    assert listing.free == {CareForm.LONG_TERM: 2}
    assert listing.vacancies == (coming,)
    later = public_listing(home(coming, past, at=midnight(date(2026, 3, 30))))
    assert later.vacancies == (replace(coming, available_from=None),)


def test_a_full_home_shows_no_lines() -> None:
    listing = public_listing(home(line(0)))
    assert (listing.free, listing.vacancies) == ({}, ())
    assert listing.freshness is Freshness.FRESH


def test_a_closed_home_has_nothing_free_and_no_transition() -> None:
    found = home(line(), status=HomeStatus.CLOSED)
    assert public_listing(found).free == {}
    assert found.next_transition_at is None


DETAILED = line(
    1,
    sex=Sex.FEMALE,
    room=Room.DOUBLE,
    care_grades=(4,),
    focuses=(Focus.DEMENTIA,),
    note="Zimmer 12",
    available_from=date(2026, 3, 29),
    available_until=date(2026, 5, 9),
)


@pytest.mark.parametrize(
    ("capacity", "is_coarse"),
    [
        ({CareForm.LONG_TERM: 29}, True),
        ({CareForm.LONG_TERM: 20, CareForm.SHORT_TERM: 10}, False),
        ({CareForm.LONG_TERM: 30}, False),
        ({}, False),
    ],
)
def test_small_homes_show_the_count_alone(capacity: dict[CareForm, int], is_coarse: bool) -> None:
    listing = public_listing(home(DETAILED, line(2), capacity=capacity))
    assert listing.free == {CareForm.LONG_TERM: 3}
    if not is_coarse:
        assert listing.vacancies == (DETAILED, line(2))
        return
    # The coming date is the first of the month after it: never promised too early.
    assert listing.vacancies == (line(1, available_from=date(2026, 4, 1)), line(2))


def test_lines_of_a_small_home_that_look_alike_are_one() -> None:
    listing = public_listing(
        home(line(1, sex=Sex.MALE), line(1, sex=Sex.FEMALE), capacity={CareForm.LONG_TERM: 10})
    )
    assert listing.vacancies == (line(2),)


@pytest.mark.parametrize(("detail_places", "is_coarse"), [(0, False), (10, False), (11, True)])
def test_the_policy_says_which_homes_are_small(detail_places: int, is_coarse: bool) -> None:
    found = home(DETAILED, capacity={CareForm.LONG_TERM: 10})
    found = replace(found, policy=Policy(detail_places=detail_places))
    assert (public_listing(found).vacancies != (DETAILED,)) is is_coarse


@pytest.mark.parametrize("standing", [Standing.WAITING, Standing.REFUSED])
def test_of_a_home_that_is_not_approved_the_public_sees_no_trace(standing: Standing) -> None:
    found = replace(home(DETAILED), standing=standing)
    listing = public_listing(found)
    assert listing.is_hidden
    assert (listing.free, listing.vacancies, listing.observed_at) == ({}, (), None)
    left = Profile(name=NAMELESS, point=found.profile.point, status=HomeStatus.CLOSED)
    assert listing.profile == replace(left, municipality=found.profile.municipality)
    assert own_listing(found).vacancies == (DETAILED,)


days = st.dates(date(2026, 3, 20), date(2026, 4, 20))


@given(
    st.lists(
        st.builds(
            Vacancy,
            care_form=st.just(CareForm.LONG_TERM),
            count=st.integers(0, 3),
            available_from=st.none() | days,
            available_until=st.none() | days,
        ),
        max_size=4,
    ),
    st.none() | days,
    st.integers(0, 24 * 40),
)
def test_between_transitions_nothing_changes(
    lines: list[Vacancy], until: date | None, hours: int
) -> None:
    """So sweeping at `next_transition_at` is enough, however long one waits for it."""
    stop = None if until is None else AdmissionStop(reason=StopReason.OTHER, until=until)
    found = home(*lines, at=NOW + hours * HOUR, admission_stop=stop)
    end = found.next_transition_at
    assert end is None or end > found.evaluated_at
    for later in (HOUR / 3600, timedelta(days=400) if end is None else end - found.evaluated_at):
        moment = found.evaluated_at + later
        if end is None or moment < end:
            assert public_listing(evaluate(found, moment)) == public_listing(found)
    if end is not None:
        just_before = evaluate(found, end - timedelta(microseconds=1))
        assert public_listing(just_before) == public_listing(found)
