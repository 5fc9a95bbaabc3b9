"""The searches of all who watch, in columns: which of them a change concerns.

The same rules as a search on the board, the other way round: one home, many queries. A grid
of cells finds the searches whose area may hold the home; a few numpy steps decide. The cost
grows with those, not with all who watch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from vacancies.board import prefix_range
from vacancies.columns import municipality_number
from vacancies.geo import BBox, Floats, Slots, box_around, position
from vacancies.grid import Grid
from vacancies.models import HomeStatus, Listing, Point, Vacancy
from vacancies.search import (
    ANY_HOME,
    FAR_DAY,
    Query,
    home_word,
    line_word,
    needs_word,
    requirement,
)

WHOLE_EARTH = BBox(-180.0, -90.0, 180.0, 90.0)

Watcher = TypeVar("Watcher")


class Rows(Generic[Watcher]):
    """The searches in columns: a row a centre (or box).

    Every numpy step costs a microsecond whatever it is done to, so what most searches do not
    ask for stands apart (`_further`) and is looked at only where somebody does.
    """

    _FURTHER = (
        ("west", np.float64),
        ("south", np.float64),
        ("east", np.float64),
        ("north", np.float64),
        ("needs", np.int32),
        ("languages", np.int32),
        ("ownerships", np.int32),
        ("first_day", np.int32),
        ("last_day", np.int32),
        ("nights", np.int32),
        ("max_cost_eur", np.float64),
        ("municipality_from", np.int64),
        ("municipality_to", np.int64),
        ("include_full", np.bool_),
        ("own_only", np.bool_),
        ("is_box", np.bool_),
        ("has_centre", np.bool_),
    )

    def __init__(self, capacity: int = 64) -> None:
        self._circles = np.zeros((capacity, 4))  # position and radius in km; infinite: a box
        self._words = np.zeros((capacity, 2), dtype=np.int32)  # `line` and `forms`
        self._bits = np.zeros(capacity, dtype=np.int32)  # what a line must have, all of it
        self._asks_further = np.zeros(capacity, dtype=np.bool_)
        self._further = np.zeros(capacity, dtype=list(self._FURTHER))
        self._watchers: list[Any] = [None] * capacity  # a `Watcher` for each row in use
        self._free = list(range(capacity - 1, -1, -1))
        self._grid = Grid()
        self._seconds = 0  # rows beyond the first of a watcher
        self._boxes = 0  # rows without a centre

    def add(self, watcher: Watcher, query: Query) -> list[int]:
        """Enter a search; returns its rows, for `remove`."""
        needed = requirement(query)
        plain = requirement(_PLAIN)
        low, high = (-1, 10**13) if query.municipality is None else prefix_range(query.municipality)
        home = (
            needed.needs,
            needed.languages,
            needed.ownerships,
            needed.first_day,
            needed.last_day,
            needed.nights,
            needed.max_cost_eur,
            low,
            high,
            needed.include_full,
            query.own_only,
        )
        is_plain = msgspec.structs.replace(needed, line=plain.line, forms=plain.forms) == plain
        # A line has one form: to be one of several cannot be asked of bits in one step.
        is_one_form = needed.forms.bit_count() == 1
        is_plain &= is_one_form or needed.forms == plain.forms
        is_plain &= query.municipality is None and not query.own_only
        taken = []
        for box, center in _areas(query):
            row = self._take_row(watcher)
            taken.append(row)
            is_box = center is None or query.bbox is not None
            circle = (
                *((0.0, 0.0, 0.0) if center is None else position(center)),
                np.inf if is_box else query.radius_km,
            )
            self._circles[row] = circle
            self._words[row] = (needed.line, needed.forms)
            self._bits[row] = needed.line | (needed.forms if is_one_form else 0)
            self._boxes += is_box
            sides = (box.west, box.south, box.east, box.north)
            self._further[row] = (*sides, *home, is_box, center is not None)
            self._asks_further[row] = is_box or not is_plain
            self._grid.add(row, box)
        self._seconds += len(taken) - 1
        return taken

    def _take_row(self, watcher: Watcher) -> int:
        if not self._free:
            size = len(self._watchers)
            for name in ("_circles", "_words", "_bits", "_asks_further", "_further"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
            self._watchers += [None] * size
            self._free = list(range(2 * size - 1, size - 1, -1))
        row = self._free.pop()
        self._watchers[row] = watcher
        return row

    def remove(self, rows: list[int]) -> None:
        for row in rows:
            further = self._further[row]
            west, south, east, north = further.tolist()[:4]
            self._grid.remove(row, BBox(west, south, east, north))
            self._boxes -= int(further["is_box"])
            self._watchers[row] = None
        self._free += rows
        self._seconds -= len(rows) - 1

    def match(
        self, old: Listing | None, new: Listing
    ) -> tuple[dict[Watcher, float | None], set[Watcher]]:
        """Those who see the home as `new`, with their distance in km (None: no centre), and
        those who saw it as `old` and see it no more."""
        rows = self._grid.at(new.profile.point)
        shown = self._watchers_of(*self._inside(new.profile.point, self._meeting(new, rows)))
        if old is None or are_alike(old, new):
            return shown, set()
        if old.profile.point != new.profile.point:
            rows = self._grid.at(old.profile.point)
        before, _ = self._inside(old.profile.point, self._meeting(old, rows))
        return shown, {
            watcher for row in before.tolist() if (watcher := self._watchers[row]) not in shown
        }

    def _inside(self, point: Point, rows: Slots) -> tuple[Slots, Floats]:
        """Those of `rows` whose area holds the point, and their distances (NaN: no centre)."""
        if not len(rows):
            return rows, np.empty(0)
        circles = self._circles[rows]
        away = circles[:, :3] - position(point)
        squares = np.einsum("ij,ij->i", away, away)
        inside = squares <= circles[:, 3] ** 2
        rows, distances = rows[inside], np.sqrt(squares[inside])
        if self._boxes:
            box = self._further[rows]
            outside = box["is_box"] & ~(
                (box["west"] <= point.longitude)
                & (box["east"] >= point.longitude)
                & (box["south"] <= point.latitude)
                & (box["north"] >= point.latitude)
            )
            distances[~box["has_centre"]] = np.nan
            rows, distances = rows[~outside], distances[~outside]
        return rows, distances

    def _watchers_of(self, rows: Slots, distances: Floats) -> dict[Watcher, float | None]:
        """Of several centres of a search the nearest counts."""
        numbers, known = rows.tolist(), distances.tolist()
        if not self._seconds and not self._boxes:
            return dict(zip([self._watchers[row] for row in numbers], known, strict=True))
        found: dict[Watcher, float | None] = {}
        for row, distance in zip(numbers, known, strict=True):
            watcher = self._watchers[row]
            nearest = found.get(watcher)
            if nearest is None or distance < nearest:
                found[watcher] = None if math.isnan(distance) else distance
        return found

    def _meeting(self, listing: Listing, rows: Slots) -> Slots:
        """Those of `rows` that the listing satisfies, area apart: the same rules as `Board`."""
        if not len(rows) or listing.profile.status is not HomeStatus.OPEN:
            return rows[:0]
        lines = [(line_word(line, listing), line) for line in listing.vacancies if line.count > 0]
        keep = self._asks_further[rows]  # decided below
        bits = self._bits[rows]
        for word, _ in lines:
            keep |= bits & ~word == 0
        rows = rows[keep]
        asks = self._asks_further[rows]
        if np.count_nonzero(asks):
            rows = rows[~asks | self._meets_further(listing, lines, rows)]
        return rows

    def _meets_further(
        self, listing: Listing, lines: Sequence[tuple[int, Vacancy]], rows: Slots
    ) -> NDArray[np.bool_]:
        further = self._further[rows]
        needed, forms = self._words[rows].T
        keep = further["include_full"] & (not listing.free)
        for word, line in lines:
            fits = (needed & ~word == 0) & (forms & word != 0)
            keep |= fits & _is_in_time(line, further)
        total = listing.profile.costs.total_eur()
        municipality = municipality_number(listing.profile)
        needs, homes = needs_word(listing.profile), home_word(listing.profile)
        found: NDArray[np.bool_] = (
            keep
            & (further["needs"] & needs == further["needs"])
            & _has_one(further["languages"], homes)
            & _has_one(further["ownerships"], homes)
            & (further["max_cost_eur"] >= (np.inf if total is None else total))
            & (further["municipality_from"] <= municipality)
            & (further["municipality_to"] > municipality)
            & ~(further["own_only"] & (listing.origin is not None))
        )
        return found


_PLAIN = Query()


def _is_in_time(line: Vacancy, rows: NDArray[np.void]) -> NDArray[np.bool_]:
    start = 0 if line.available_from is None else line.available_from.toordinal()
    end = FAR_DAY if line.available_until is None else line.available_until.toordinal()
    last, first = np.minimum(rows["last_day"], end), np.maximum(rows["first_day"], start)
    found: NDArray[np.bool_] = last - first >= rows["nights"]
    return found


def _has_one(asked: NDArray[np.int32], word: int) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (asked == ANY_HOME) | (asked & word != 0)
    return found


def are_alike(old: Listing, new: Listing) -> bool:
    """Whether they concern the same searches."""
    return (
        (not old.free) == (not new.free)
        and old.vacancies == new.vacancies
        and old.profile == new.profile
    ) or _offer(old) == _offer(new)


def _offer(listing: Listing) -> tuple[object, ...]:
    """All of a listing that decides whom it concerns."""
    profile = listing.profile
    lines = [line_word(line, listing) for line in listing.vacancies if line.count > 0]
    days = [
        (line.available_from, line.available_until) for line in listing.vacancies if line.count > 0
    ]
    return (
        profile.point,
        profile.status,
        profile.needs,
        profile.languages,
        profile.ownership,
        profile.costs,
        profile.municipality,
        not listing.free,
        lines,
        days,
    )


def _areas(query: Query) -> list[tuple[BBox, Point | None]]:
    """Boxes, with the centre from which distances are; split where they cross the antimeridian."""
    areas: list[tuple[BBox, Point | None]]
    if query.bbox is not None:
        areas = [(query.bbox, center) for center in query.centres or (None,)]
    elif query.centres:
        areas = [(box_around(center, query.radius_km), center) for center in query.centres]
    else:
        areas = [(WHOLE_EARTH, None)]
    split: list[tuple[BBox, Point | None]] = []
    for box, center in areas:
        if box.west <= box.east:
            split.append((box, center))
        else:
            split.append((BBox(box.west, box.south, 180.0, box.north), center))
            split.append((BBox(-180.0, box.south, box.east, box.north), center))
    return split
