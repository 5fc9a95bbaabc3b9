"""The rules of the contract once more, as plainly as they can be written: for oracles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from geopy.distance import geodesic

from vacancies.models import HomeStatus, Listing, Vacancy
from vacancies.search import Query


def matches(listing: Listing, query: Query) -> bool:
    """Whether a search shows this home."""
    profile = listing.profile
    if profile.status is not HomeStatus.OPEN or (query.own_only and listing.origin is not None):
        return False
    point = (profile.point.latitude, profile.point.longitude)
    if query.centres and query.bbox is None and distance_km(listing, query) > query.radius_km:
        return False
    box = query.bbox
    if box is not None and not (
        box.south <= point[0] <= box.north and box.west <= point[1] <= box.east
    ):
        return False
    if not set(query.needs) <= set(profile.needs):
        return False
    if query.languages and not set(query.languages) & set(profile.languages):
        return False
    if query.ownerships and profile.ownership not in query.ownerships:
        return False
    if query.municipality is not None and not (profile.municipality or "").startswith(
        query.municipality
    ):
        return False
    total = profile.costs.total_eur()
    if query.max_cost_eur is not None and (total is None or total > query.max_cost_eur):
        return False
    if not listing.free:
        return query.include_full
    return any(_line_matches(line, listing, query) for line in listing.vacancies)


def _line_matches(line: Vacancy, listing: Listing, query: Query) -> bool:
    focuses = {*line.focuses, *listing.profile.focuses}
    return (
        line.count > 0
        and (not query.care_forms or line.care_form in query.care_forms)
        and (query.sex in (None, "any") or line.sex in ("any", query.sex))
        and (query.room in (None, "any") or line.room in ("any", query.room))
        and (not query.care_grade or not line.care_grades or query.care_grade in line.care_grades)
        and (not focuses or set(query.focuses) <= focuses)
        and _is_in_time(line, query)
    )


def _is_in_time(line: Vacancy, query: Query) -> bool:
    """Day by day: whether some stay of that length, within the time, is within the line."""
    if query.available_by is None:
        return True
    first, last = query.available_by, query.available_until or query.available_by
    nights = (last - first).days if query.nights is None else query.nights
    arrivals = (first + timedelta(days=n) for n in range((last - first).days - nights + 1))
    return any(
        (line.available_from is None or line.available_from <= arrival)
        and (
            line.available_until is None or line.available_until >= arrival + timedelta(days=nights)
        )
        for arrival in arrivals
    )


def distance_km(listing: Listing, query: Query) -> float:
    point = listing.profile.point
    return min(
        float(geodesic((center.latitude, center.longitude), (point.latitude, point.longitude)).km)
        for center in query.centres
    )


def expected(listings: Iterable[Listing], query: Query) -> dict[str, tuple[int, dict[str, Any]]]:
    """Revision and free places of all homes that a viewer of `query` should see."""
    return {
        listing.id: (listing.revision, {str(form): n for form, n in listing.free.items()})
        for listing in listings
        if matches(listing, query)
    }
