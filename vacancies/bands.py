"""Homes with free places by where they are: how a search finds the nearest ones fast.

Only these homes are in here, once for each care form that they have free, so that a search
for a form looks at nobody else. A form has bands of latitude, each sorted by longitude; what a
circle needs of a band is one slice. For the few dozen homes that a search mostly looks at,
tuples beat columns in numpy; where homes stand close, columns win.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from math import dist, pi, sqrt
from typing import TypeAlias

import numpy as np

from vacancies.geo import KM_PER_DEGREE, Position, Slots, chords_km, narrowest_km, position
from vacancies.models import CareForm, HomeStatus, Listing, Point

Found: TypeAlias = list[tuple[float, int]]
"""Distances in km, and slots."""
Keep: TypeAlias = Callable[[list[int]], list[bool]]
"""Says of each of some slots whether it matches."""

_Forms: TypeAlias = tuple[CareForm | None, ...]

_PER_DEGREE = 10  # a band is 11 km high
_GLANCE_KM = 8.0
_FEW = 48
_EDGES = 1.5  # a circle that should hold n homes is made to hold so many times n


class _Band:
    """Homes between two latitudes, all in order of longitude. They are here twice, as tuples
    and as numbers side by side: which of them is read faster depends on how many are read."""

    __slots__ = ("homes", "longitudes", "positions", "slots")

    def __init__(self) -> None:
        self.longitudes = array("d")
        self.homes: list[tuple[Position, int]] = []  # with slots
        self.positions = array("d")  # three numbers a home
        self.slots = array("q")

    def insert(self, longitude: float, slot: int, place: Position) -> None:
        at = bisect_right(self.longitudes, longitude)
        self.longitudes.insert(at, longitude)
        self.homes.insert(at, (place, slot))
        self.positions[3 * at : 3 * at] = array("d", place)
        self.slots.insert(at, slot)

    def remove(self, longitude: float, slot: int) -> None:
        at = self.slots.index(slot, bisect_left(self.longitudes, longitude))
        del self.longitudes[at], self.homes[at], self.slots[at]
        del self.positions[3 * at : 3 * at + 3]


_Rows: TypeAlias = dict[int, _Band]
_Slice: TypeAlias = tuple[_Band, int, int]


class Bands:
    """All homes with free places of one board; `replace` keeps up with its changes."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        """`listings` by slot: those of the board itself, which go on changing."""
        self._listings = listings
        self._kinds: dict[CareForm | None, _Rows] = {}
        for slot, listing in enumerate(listings):
            self._add(slot, listing.profile.point, _forms(listing))

    def replace(self, slot: int, old: Listing | None, new: Listing) -> None:
        before, now = () if old is None else _forms(old), _forms(new)
        if old is not None:
            if before == now and old.profile.point == new.profile.point:
                return
            for form in before:
                point = old.profile.point
                self._kinds[form][_row(point.latitude)].remove(point.longitude, slot)
        self._add(slot, new.profile.point, now)

    def _add(self, slot: int, point: Point, forms: _Forms) -> None:
        if not forms:
            return
        place, row = position(point), _row(point.latitude)
        for form in forms:
            rows = self._kinds.setdefault(form, {})
            if row not in rows:
                rows[row] = _Band()
            rows[row].insert(point.longitude, slot, place)

    def seem_few(
        self, centres: Sequence[Point], radius_km: float, forms: Iterable[CareForm], limit: int
    ) -> bool:
        """Whether, at a glance, the circles hold fewer than `limit`."""
        kinds = [self._kinds.get(form, {}) for form in forms or (None,)]
        for center in centres:
            degree_km = narrowest_km(center.latitude, radius_km)
            if _first_reach_km(kinds, center, degree_km, limit) < radius_km:
                return False
        return True

    def around(
        self, centres: Sequence[Point], radius_km: float, forms: Iterable[CareForm]
    ) -> Slots:
        """All in boxes around the circles, and some more; each slot once."""
        kinds = [self._kinds.get(form, {}) for form in forms or (None,)]
        slices = [
            near
            for center in centres
            for near in _slices(kinds, center, radius_km, narrowest_km(center.latitude, radius_km))
        ]
        slots = _joined_slots(slices)
        return slots if len(kinds) == len(centres) == 1 else np.unique(slots)

    def nearest(
        self,
        centres: Sequence[Point],
        radius_km: float,
        forms: Iterable[CareForm],
        limit: int,
        keep: Keep | None,
    ) -> tuple[list[int], list[float]]:
        """Slots and distances in km of the `limit` homes with one of `forms` (none: any) that
        are nearest to any of `centres`: nearest first, by name where equally far. `keep`
        chooses among them. Fewer than `limit` are all that there are.
        """
        kinds = [self._kinds.get(form, {}) for form in forms or (None,)]
        found = _around(kinds, centres[0], radius_km, limit, keep)
        if len(centres) > 1:
            for center in centres[1:]:
                found += _around(kinds, center, radius_km, limit, keep)
            # The last word for a home has the centre that it is nearest to.
            best = {slot: km for km, slot in sorted(found, reverse=True)}
            found = [(km, slot) for slot, km in best.items()]
        found.sort()
        kms = [km for km, _ in found]
        if len(set(kms)) < len(kms):
            found.sort(key=lambda near: (near[0], sort_name(self._listings[near[1]])))
        return [slot for _, slot in found[:limit]], kms[:limit]


def _around(
    kinds: list[_Rows], center: Point, radius_km: float, limit: int, keep: Keep | None
) -> Found:
    """At least the `limit` nearest, or all: a small circle first, a larger one if it holds
    too few. Always all of the circle, so that of those equally far none is missing."""
    here, degree_km = position(center), narrowest_km(center.latitude, radius_km)
    reach_km = min(radius_km, _first_reach_km(kinds, center, degree_km, limit))
    while True:
        slices = _slices(kinds, center, reach_km, degree_km)
        count = sum([end - start for _, start, end in slices])
        if count >= limit or reach_km >= radius_km:
            within = _few_within if count <= _FEW else _many_within
            found = within(slices, here, reach_km)
            if len(kinds) > 1:  # a home may have several of the forms
                found = list(set(found))
            if keep is not None:
                kept = keep([slot for _, slot in found])
                found = [near for near, is_kept in zip(found, kept, strict=True) if is_kept]
            count = len(found)
            if count >= limit or reach_km >= radius_km:
                return found
        wider = sqrt(_EDGES * limit / (count + 1))
        reach_km = min(radius_km, reach_km * min(max(wider, 1.25), 3.0))


def _first_reach_km(kinds: list[_Rows], center: Point, degree_km: float, limit: int) -> float:
    """The radius that should hold `limit` homes, from a glance at the band of the centre."""
    width, count = _GLANCE_KM / degree_km, 0.5
    for rows in kinds:
        if band := rows.get(_row(center.latitude)):
            count += bisect_left(band.longitudes, center.longitude + width)
            count -= bisect_left(band.longitudes, center.longitude - width)
    glanced_km2 = 2 * _GLANCE_KM * KM_PER_DEGREE / _PER_DEGREE
    return sqrt(_EDGES * limit / count * glanced_km2 / pi)


def _slices(kinds: list[_Rows], center: Point, reach_km: float, degree_km: float) -> list[_Slice]:
    """The homes in a box around the circle, and some more: bands are taken whole."""
    height, width = reach_km / KM_PER_DEGREE, reach_km / degree_km
    first, last = _row(center.latitude - height), _row(center.latitude + height)
    return [
        (band, bisect_left(band.longitudes, west), bisect_right(band.longitudes, east))
        for west, east in _sides(center.longitude, width)
        for rows in kinds
        for row in range(first, last + 1)
        if (band := rows.get(row))
    ]


def _few_within(slices: list[_Slice], here: Position, reach_km: float) -> Found:
    return [
        (km, slot)
        for band, start, end in slices
        for place, slot in band.homes[start:end]
        if (km := dist(place, here)) <= reach_km
    ]


def _many_within(slices: list[_Slice], here: Position, reach_km: float) -> Found:
    positions = b"".join([band.positions[3 * start : 3 * end] for band, start, end in slices])
    kms = chords_km(here, np.frombuffer(positions).reshape(-1, 3))
    near = np.flatnonzero(kms <= reach_km)
    near = near[kms[near].argsort()]  # who sorts them once more then has little to do
    slots = _joined_slots(slices)[near]
    return list(zip(kms[near].tolist(), slots.tolist(), strict=True))


def _joined_slots(slices: list[_Slice]) -> Slots:
    return np.frombuffer(
        b"".join([band.slots[start:end] for band, start, end in slices]), dtype=np.int64
    )


def _sides(longitude: float, width: float) -> tuple[tuple[float, float], ...]:
    """From west to east; two pieces across the antimeridian."""
    west, east = longitude - width, longitude + width
    if width >= 180:
        return ((-180.0, 180.0),)
    if west < -180:
        return ((west + 360, 180.0), (-180.0, east))
    if east > 180:
        return ((west, 180.0), (-180.0, east - 360))
    return ((west, east),)


def _row(latitude: float) -> int:
    return int((latitude + 90) * _PER_DEGREE)


def _forms(listing: Listing) -> _Forms:
    """Under which forms the home is to be found: what it has free, and None for any."""
    if listing.profile.status is not HomeStatus.OPEN:
        return ()
    free = {line.care_form for line in listing.vacancies if line.count > 0}
    return (None, *sorted(free)) if free else ()


def sort_name(listing: Listing) -> tuple[str, str]:
    """What decides between homes that are equally far, and sorts where there is no centre."""
    return (listing.profile.name.casefold(), listing.id)
