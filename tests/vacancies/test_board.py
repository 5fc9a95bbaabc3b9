"""What a search finds, against looking at every home: dense and sparse places, homes at the
same point, several centres, the antimeridian, a pole, filters, and changes between searches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.flow import naive
from vacancies.board import Board
from vacancies.geo import BBox, distances_km
from vacancies.models import (
    CareForm,
    Costs,
    Focus,
    Freshness,
    HomeStatus,
    Listing,
    Need,
    Ownership,
    Point,
    Profile,
    Room,
    Sex,
    SpokenLanguage,
    Vacancy,
)
from vacancies.search import Query

# A town, its neighbour, both sides of the antimeridian, and around a pole.
PLACES = [Point(51.9, 8.4), Point(52.0, 8.6), Point(-16.8, 179.97), Point(-16.8, -179.97)]
PLACES += [Point(89.97, 0.0), Point(89.98, 175.0)]
FORMS = [CareForm.LONG_TERM, CareForm.SHORT_TERM, CareForm.DAY]


def made_up_listing(number: int, revision: int, random: Random) -> Listing:
    """Often at the very point of another, often with its name."""
    place = random.choice(PLACES)
    steps = random.choice([0, 1, 3, 40, 180])  # of about a kilometre
    point = Point(
        min(place.latitude + random.randint(-steps, steps) / 100, 90.0),
        (place.longitude + random.randint(-steps, steps) / 60 + 180) % 360 - 180,
    )
    is_open = random.random() < 0.9
    lines = tuple(
        Vacancy(
            care_form=random.choice(FORMS),
            count=random.randint(0, 2),
            sex=random.choice(list(Sex)),
            care_grades=random.choice([(), (2, 3)]),
            available_from=random.choice([None, date(2026, 4, 2), date(2026, 5, 1)]),
            available_until=random.choice([None, None, date(2026, 4, 16)]),
        )
        for _ in range(random.choice([0, 1, 1, 3]) if is_open else 0)
    )
    free: dict[CareForm, int] = {}
    for line in lines:
        if line.count:
            free[line.care_form] = free.get(line.care_form, 0) + line.count
    profile = Profile(
        name=random.choice(["Haus Ä", "haus ä", "Haus B", f"Haus {number}"]),
        point=point,
        municipality=random.choice([None, "05754008"]),
        costs=random.choice(
            [Costs(), Costs(care_eur=1, training_eur=1, board_eur=1, investment_eur=1)]
        ),
        needs=random.choice([(), (Need.MRSA,)]),
        languages=random.choice([(), (SpokenLanguage.TURKISH,), (SpokenLanguage.SIGN,)]),
        ownership=random.choice([None, *Ownership]),
        status=HomeStatus.OPEN if is_open else HomeStatus.CLOSED,
    )
    return Listing(
        id=f"h{number}",
        provider="p",
        revision=revision,
        moved_revision=revision,
        profile=profile,
        freshness=Freshness.FRESH,
        free=free,
        vacancies=lines if free else (),
    )


# No home lies next to the edge of such a circle.
circles = st.builds(
    lambda centres, radius_km, forms: Query(
        centres=tuple(centres), radius_km=radius_km, care_forms=tuple(sorted(forms))
    ),
    st.lists(
        st.sampled_from([*PLACES, Point(51.95, 8.5), Point(0.0, 0.0)]), min_size=1, max_size=3
    ),
    st.sampled_from([1.234567, 7.654321, 33.333333, 187.654321]),
    st.sets(st.sampled_from(FORMS)),
)
filters: st.SearchStrategy[dict[str, object]] = st.sampled_from(
    [
        {},
        {},
        {"sex": Sex.FEMALE},
        {"care_grade": 4},
        {"needs": (Need.MRSA,)},
        {"available_by": date(2026, 4, 1)},
        {"available_by": date(2026, 4, 1), "available_until": date(2026, 4, 20)},
        {"available_by": date(2026, 3, 1), "available_until": date(2026, 4, 20), "nights": 14},
        {"languages": (SpokenLanguage.TURKISH, SpokenLanguage.POLISH)},
        {"ownerships": (Ownership.PUBLIC,)},
        {"municipality": "057"},
        {"max_cost_eur": 10.0},
        {"include_full": True},
    ]
)


def check(board: Board, listings: dict[str, Listing], query: Query, limit: int) -> None:
    """`nearest`, and all pages of `search`, are what looking at every home finds."""
    anywhere = replace(query, centres=(), bbox=None)
    true_km = {
        listing.id: _distance_km(listing, query)
        for listing in listings.values()
        if naive.matches(listing, anywhere) and _distance_km(listing, query) <= query.radius_km
    }
    slots, distances = board.nearest(query, limit)
    found = [board.listing(slot) for slot in slots]
    assert len(found) == min(limit, len(true_km))
    _check_order(found, distances, true_km)

    paged: list[Listing] = []
    paged_km: list[float] = []
    after = None
    while True:
        page = board.search(query, limit, after)
        assert page.total == len(true_km)
        for form in CareForm:
            places = sum(listings[home].free.get(form, 0) for home in true_km)
            assert page.free_total.get(form, 0) == places
        paged += [hit.listing for hit in page.hits]
        paged_km += [hit.distance_km or 0.0 for hit in page.hits]
        after = page.next
        if after is None:
            break
    assert {listing.id for listing in paged} == true_km.keys()
    _check_order(paged, paged_km, true_km)


def _check_order(found: list[Listing], distances: list[float], true_km: dict[str, float]) -> None:
    assert distances == sorted(distances)
    assert len({listing.id for listing in found}) == len(found)
    assert distances == pytest.approx([true_km[listing.id] for listing in found], abs=1e-6)
    nearest = sorted(true_km.values())[: len(found)]
    assert distances == pytest.approx(nearest, abs=1e-6)
    for one, other in pairwise(found):
        if one.profile.point == other.profile.point:
            names = [(home.profile.name.casefold(), home.id) for home in (one, other)]
            assert names == sorted(names)


def _distance_km(listing: Listing, query: Query) -> float:
    point = listing.profile.point
    where = np.array([point.latitude]), np.array([point.longitude])
    return min((float(distances_km(center, *where)[0]) for center in query.centres), default=0.0)


@given(st.integers(0, 2**32), st.integers(0, 300), circles, filters, st.sampled_from([1, 3, 50]))
def test_a_search_finds_what_looking_at_every_home_finds(
    seed: int, homes: int, circle: Query, wishes: dict[str, object], limit: int
) -> None:
    random = Random(seed)
    board = Board()
    listings = {f"h{n}": made_up_listing(n, n + 1, random) for n in range(homes)}
    board.apply(listings.values(), homes)
    check(board, listings, replace(circle, **wishes), limit)
    for step in range(20):  # new homes too, moved ones, closed ones, renamed ones
        revision = homes + step + 1
        listing = made_up_listing(random.randint(0, homes + 3), revision, random)
        listings[listing.id] = listing
        board.apply([listing], revision)
    check(board, listings, replace(circle, **wishes), limit)
    check(board, listings, circle, limit)


@given(st.integers(0, 2**32), filters, st.sampled_from([1, 7, 500]))
def test_a_search_without_a_centre_sorts_by_name(
    seed: int, wishes: dict[str, object], limit: int
) -> None:
    random = Random(seed)
    board = Board()
    listings = {f"h{n}": made_up_listing(n, n + 1, random) for n in range(40)}
    board.apply(listings.values(), 40)
    query = Query(**wishes)  # type: ignore[arg-type]
    matching = [listing for listing in listings.values() if naive.matches(listing, query)]
    matching.sort(key=lambda listing: (listing.profile.name.casefold(), listing.id))
    found, after = [], None
    while True:
        page = board.search(query, limit, after)
        assert page.total == len(matching)
        found += [hit.listing for hit in page.hits]
        after = page.next
        if after is None:
            break
    assert found == matching
    slots, _ = board.nearest(query, limit)
    assert [board.listing(slot) for slot in slots] == matching[:limit]


@given(
    st.floats(-90, 90), st.floats(-180, 180), st.sampled_from([1.0, 25.0, 200.0]), st.floats(0, 360)
)
def test_a_circle_reaches_its_edge(
    latitude: float, longitude: float, radius_km: float, bearing: float
) -> None:
    center = Point(latitude, longitude)
    board = Board()
    for number, share in enumerate([0.999, 1.001]):
        there = geodesic(kilometers=radius_km * share).destination((latitude, longitude), bearing)
        listing = made_up_listing(number, number + 1, Random(1))
        point = Point(there.latitude, (there.longitude + 180) % 360 - 180)
        listing = replace(
            listing,
            profile=replace(listing.profile, point=point, status=HomeStatus.OPEN),
            vacancies=(Vacancy(care_form=CareForm.DAY, count=1),),
            free={CareForm.DAY: 1},
        )
        board.apply([listing], number + 1)
    query = Query(centres=(center,), radius_km=radius_km)
    assert board.nearest(query)[0] == [0]
    assert board.match(query)[0].tolist() == [0]


def test_a_box_across_the_antimeridian_holds_both_sides() -> None:
    random = Random(1)
    board = Board()
    listings = [made_up_listing(n, n + 1, random) for n in range(200)]
    board.apply(listings, 200)
    page = board.search(Query(bbox=BBox(179.9, -20, -179.9, -10), include_full=True), 500)
    expected = {
        listing.id
        for listing in listings
        if listing.profile.status is HomeStatus.OPEN
        and -20 <= listing.profile.point.latitude <= -10
        and abs(listing.profile.point.longitude) >= 179.9
    }
    assert {hit.listing.id for hit in page.hits} == expected
    sides = {listing.profile.point.longitude > 0 for listing in listings if listing.id in expected}
    assert sides == {True, False}


# Each parameter of the form: the values, and the search with one of them chosen.
CHOICES: dict[str, tuple[Iterable[Any], Callable[[Query, Any], Query]]] = {
    "care_form": (CareForm, lambda query, one: replace(query, care_forms=(one,))),
    "sex": ((Sex.FEMALE, Sex.MALE), lambda query, one: replace(query, sex=one)),
    "room": ((Room.SINGLE, Room.DOUBLE), lambda query, one: replace(query, room=one)),
    "care_grade": (range(1, 6), lambda query, one: replace(query, care_grade=one)),
    "focus": (Focus, lambda query, one: replace(query, focuses=(*query.focuses, one))),
    "need": (Need, lambda query, one: replace(query, needs=(*query.needs, one))),
    "language": (SpokenLanguage, lambda query, one: replace(query, languages=(one,))),
    "ownership": (Ownership, lambda query, one: replace(query, ownerships=(one,))),
    "municipality": (("05754008",), lambda query, one: replace(query, municipality=one)),
}


@given(st.randoms(use_true_random=False), circles, filters, filters, st.booleans())
def test_a_choice_leaves_what_its_count_says(
    random: Random, query: Query, one: dict[str, Any], other: dict[str, Any], is_circle: bool
) -> None:
    board = Board()
    listings = [made_up_listing(number, number + 1, random) for number in range(60)]
    board.apply(listings, len(listings))
    query = replace(query if is_circle else Query(care_forms=query.care_forms), **{**one, **other})
    facets = board.facets(query)
    assert facets.total == board.search(query, 1).total
    for name, (values, chosen) in CHOICES.items():
        counts = facets.counts[name]
        for value in values:
            assert counts.get(str(value), 0) == board.search(chosen(query, value), 1).total, (
                name,
                value,
            )
    for key, slot in facets.municipalities.items():
        assert board.listing(slot).profile.municipality == key


def test_the_order_of_ids_is_one_for_all_changes() -> None:
    random, board, listings = Random(5), Board(), dict[str, Listing]()
    for revision in range(1, 60):
        listing = made_up_listing(random.randrange(30), revision, random)
        listings[listing.id] = listing
        board.apply([listing], revision)
        slots, _ = board.match(Query(include_full=True))
        found = [board.listing(slot).id for slot in board.by_id(slots).tolist()]
        open_ids = (i for i, each in listings.items() if each.profile.status is HomeStatus.OPEN)
        assert found == sorted(open_ids)
