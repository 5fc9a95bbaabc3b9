"""The searches of all who watch, in columns: matching a change is a few numpy steps.

The same rules as a search on the board, the other way round: one home, many queries.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from vacancies.board import prefix_range
from vacancies.columns import municipality_number
from vacancies.geo import BBox, box_around, distances_km
from vacancies.models import HomeStatus, Listing, Point
from vacancies.search import FAR_DAY, Query, line_word, needs_word, requirement

WHOLE_EARTH = BBox(-180.0, -90.0, 180.0, 90.0)

Watcher = TypeVar("Watcher")


class Rows(Generic[Watcher]):
    """The searches of all viewers in columns: a row a centre (or box), so that matching a
    change is a few numpy steps however many watch."""

    _COLUMNS = (
        ("west", np.float64),
        ("south", np.float64),
        ("east", np.float64),
        ("north", np.float64),
        ("latitude", np.float64),
        ("longitude", np.float64),
        ("radius_km", np.float64),  # NaN: a box
        ("line", np.int32),
        ("forms", np.int32),
        ("needs", np.int32),
        ("by_day", np.int32),
        ("at_day", np.int32),
        ("max_cost_eur", np.float64),
        ("include_full", np.bool_),
        ("municipality_from", np.int64),
        ("municipality_to", np.int64),
    )

    def __init__(self, capacity: int = 64) -> None:
        # A free row has an empty box: it matches nothing.
        self._table = np.zeros(capacity, dtype=list(self._COLUMNS))
        self._table["west"] = np.inf
        self._watchers: list[Watcher | None] = [None] * capacity
        self._free = list(range(capacity - 1, -1, -1))

    def add(self, watcher: Watcher, query: Query) -> list[int]:
        """Enter a search; returns its rows, for `remove`."""
        needed = requirement(query)
        low, high = (-1, 10**13) if query.municipality is None else prefix_range(query.municipality)
        line = (
            needed.line,
            needed.forms,
            needed.needs,
            needed.by_day,
            needed.at_day,
            needed.max_cost_eur,
            needed.include_full,
            low,
            high,
        )
        taken = []
        for box, center in _areas(query):
            row = self._take_row(watcher)
            taken.append(row)
            point = (0.0, 0.0, np.nan)
            if center is not None:
                point = (center.latitude, center.longitude, query.radius_km)
            self._table[row] = (box.west, box.south, box.east, box.north, *point, *line)
        return taken

    def _take_row(self, watcher: Watcher) -> int:
        if not self._free:
            size = len(self._table)
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._table["west"][size:] = np.inf
            self._watchers += [None] * size
            self._free = list(range(2 * size - 1, size - 1, -1))
        row = self._free.pop()
        self._watchers[row] = watcher
        return row

    def remove(self, rows: list[int]) -> None:
        for row in rows:
            self._table["west"][row] = np.inf
            self._watchers[row] = None
        self._free += rows

    def match(self, listing: Listing) -> dict[Watcher, float | None]:
        """Those whom `listing` concerns, with their distance in km (None: no centre)."""
        if listing.profile.status is not HomeStatus.OPEN:
            return {}
        point, table = listing.profile.point, self._table
        rows = np.flatnonzero(
            (table["west"] <= point.longitude)
            & (table["east"] >= point.longitude)
            & (table["south"] <= point.latitude)
            & (table["north"] >= point.latitude)
        )
        if not len(rows):
            return {}
        table = table[rows]
        distances = distances_km(point, table["latitude"], table["longitude"])
        keep = ~(distances > table["radius_km"])  # NaN compares false: a box keeps all
        keep &= self._meets(listing, table)
        found: dict[Watcher, float | None] = {}
        pairs = zip(
            rows[keep].tolist(),
            distances[keep].tolist(),
            np.isnan(table["radius_km"][keep]).tolist(),
            strict=True,
        )
        for row, distance, is_box in pairs:
            watcher = self._watchers[row]
            assert watcher is not None
            known = found.get(watcher)
            found[watcher] = None if is_box else min(distance, distance if known is None else known)
        return found

    @staticmethod
    def _meets(listing: Listing, table: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which rows the listing satisfies, area apart: the same rules as `Board`."""
        keep = table["include_full"] & (not listing.free)
        for line in listing.vacancies:
            if line.count > 0:
                word = line_word(line, listing)
                start = 0 if line.available_from is None else line.available_from.toordinal()
                end = FAR_DAY if line.available_until is None else line.available_until.toordinal()
                keep = keep | (
                    (table["line"] & word == table["line"])
                    & (table["forms"] & word != 0)
                    & (table["by_day"] >= start)
                    & (table["at_day"] <= end)
                )
        total = listing.profile.costs.total_eur()
        municipality = municipality_number(listing)
        needs = needs_word(listing)
        found: NDArray[np.bool_] = (
            keep
            & (table["needs"] & needs == table["needs"])
            & (table["max_cost_eur"] >= (np.inf if total is None else total))
            & (table["municipality_from"] <= municipality)
            & (table["municipality_to"] > municipality)
        )
        return found


def _areas(query: Query) -> list[tuple[BBox, Point | None]]:
    """Boxes, with the centre of the circle in them; split where they cross the antimeridian."""
    areas: list[tuple[BBox, Point | None]]
    if query.centres:
        areas = [(box_around(center, query.radius_km), center) for center in query.centres]
    else:
        areas = [(query.bbox or WHOLE_EARTH, None)]
    split: list[tuple[BBox, Point | None]] = []
    for box, center in areas:
        if box.west <= box.east:
            split.append((box, center))
        else:
            split.append((BBox(box.west, box.south, 180.0, box.north), center))
            split.append((BBox(-180.0, box.south, box.east, box.north), center))
    return split
