"""Where many people can go tonight."""

from __future__ import annotations

from datetime import UTC, date, datetime

from vacancies.board import Board
from vacancies.evacuation import MOST_CALLS, plan_evacuation
from vacancies.models import CareForm, Freshness, HomeStatus, Listing, Point, Profile, Vacancy

TODAY = date(2026, 11, 27)
CENTRE = Point(51.9, 8.4)


def a_listing(
    home_id: str,
    north_km: float,
    free: int = 0,
    freshness: Freshness = Freshness.FRESH,
    *,
    lines: tuple[Vacancy, ...] | None = None,
    capacity: dict[CareForm, int] | None = None,
    status: HomeStatus = HomeStatus.OPEN,
) -> Listing:
    point = Point(CENTRE.latitude + north_km / 111.2, CENTRE.longitude)
    if lines is None:
        lines = (Vacancy(care_form=CareForm.SHORT_TERM, count=free),) if free else ()
    counts: dict[CareForm, int] = {}
    for line in lines:
        counts[line.care_form] = counts.get(line.care_form, 0) + line.count
    profile = Profile(name=home_id, point=point, capacity=capacity or {}, status=status)
    return Listing(
        id=home_id,
        provider="x",
        revision=1,
        moved_revision=1,
        profile=profile,
        freshness=freshness,
        free=counts,
        vacancies=lines,
        observed_at=datetime(2026, 11, 27, tzinfo=UTC),
    )


def a_board(*listings: Listing) -> Board:
    board = Board()
    board.apply(listings, len(listings))
    return board


def test_sure_places_come_first_and_only_as_many_as_are_needed() -> None:
    board = a_board(
        a_listing("near-old", 1, 9, Freshness.AGEING),
        a_listing("near", 2, 3),
        a_listing("farther", 5, 4),
        a_listing("not needed", 9, 5),
        a_listing("full", 3),
        a_listing("stale", 4, 0, Freshness.STALE),
        a_listing("closed", 1, 0, status=HomeStatus.CLOSED),
        a_listing("too far", 60, 50),
    )
    plan = plan_evacuation(board, CENTRE, 7, TODAY)
    assert [(stay.listing.id, stay.free, stay.total) for stay in plan.sure] == [
        ("near", 3, 3),
        ("farther", 4, 7),
    ]
    assert plan.unsure == []
    # What is not needed can be called still; what is known to be free is not hidden.
    assert [(stay.listing.id, stay.free) for stay in plan.calls] == [
        ("near-old", 9),
        ("full", 0),
        ("stale", 0),
    ]
    assert plan.total == 7
    more = plan_evacuation(board, CENTRE, 20, TODAY)
    assert [stay.listing.id for stay in more.sure] == ["near", "farther", "not needed"]
    assert [(stay.listing.id, stay.total) for stay in more.unsure] == [("near-old", 21)]
    assert [stay.listing.id for stay in more.calls] == ["full", "stale"]
    few = plan_evacuation(board, CENTRE, 1000, TODAY, radius_km=100)
    assert few.total == 71


def test_only_what_can_be_had_tonight_counts() -> None:
    def line(form: CareForm, start: date | None = None, end: date | None = None) -> Vacancy:
        return Vacancy(care_form=form, count=1, available_from=start, available_until=end)

    before, after = date(2026, 11, 26), date(2026, 11, 28)
    board = a_board(
        a_listing(
            "a",
            1,
            lines=(
                line(CareForm.LONG_TERM),
                line(CareForm.SHORT_TERM, before, TODAY),
                line(CareForm.SHORT_TERM, TODAY),
                line(CareForm.SHORT_TERM, after),
                line(CareForm.RESPITE, None, before),
                line(CareForm.DAY),
            ),
        )
    )
    assert plan_evacuation(board, CENTRE, 10, TODAY).total == 3
    by_day = plan_evacuation(board, CENTRE, 10, TODAY, forms=(CareForm.DAY,))
    assert by_day.total == 1


def test_the_home_that_is_emptied_takes_nobody() -> None:
    board = a_board(a_listing("emptied", 0, 5), a_listing("other", 1, 2))
    plan = plan_evacuation(board, CENTRE, 10, TODAY, without="emptied")
    assert [stay.listing.id for stay in (*plan.sure, *plan.calls)] == ["other"]


def test_calls_are_for_beds_and_not_endless() -> None:
    days = [a_listing(f"day{n}", 1, capacity={CareForm.DAY: 12}) for n in range(5)]
    full = [
        a_listing(f"full{n:03}", 2 + n / 100, capacity={CareForm.LONG_TERM: 80}) for n in range(80)
    ]
    plan = plan_evacuation(a_board(*days, *full), CENTRE, 10, TODAY)
    assert [stay.listing.id for stay in plan.calls] == [f"full{n:03}" for n in range(MOST_CALLS)]
