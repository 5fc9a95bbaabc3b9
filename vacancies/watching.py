"""The searches of all who watch, in columns: which of them a change concerns.

The same rules as a search on the board, the other way round: one home, many queries. A grid
of cells finds the searches whose area may hold the home; a few numpy steps decide. The cost
grows with those, not with all who watch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from vacancies.board import prefix_range
from vacancies.columns import municipality_number
from vacancies.geo import BBox, Slots, box_around, chords_km, position
from vacancies.models import HomeStatus, Listing, Point
from vacancies.search import FAR_DAY, Query, line_word, needs_word, requirement

WHOLE_EARTH = BBox(-180.0, -90.0, 180.0, 90.0)

Watcher = TypeVar("Watcher")
Cell = tuple[float, int, int]  # size in degrees, column, row


class Grid:
    """Which rows have an area that touches a point's cell.

    Small areas lie in small cells: at most 5 x 5 of them hold a row, and a point is looked
    up in one cell of each size that is in use.
    """

    CELLS_ACROSS = 4
    SMALLEST_DEGREES = 0.125

    def __init__(self) -> None:
        self._cells: dict[Cell, dict[int, None]] = {}
        self._sizes: dict[float, int] = {}  # how many rows use it
        self._found: dict[Cell, Slots] = {}  # the rows of a cell as an array, until it changes

    def add(self, row: int, box: BBox) -> None:
        size = self._size(box)
        self._sizes[size] = self._sizes.get(size, 0) + 1
        for cell in self._touched(box, size):
            self._cells.setdefault(cell, {})[row] = None
            self._found.pop(cell, None)

    def remove(self, row: int, box: BBox) -> None:
        size = self._size(box)
        self._sizes[size] -= 1
        if not self._sizes[size]:
            del self._sizes[size]
        for cell in self._touched(box, size):
            rows = self._cells[cell]
            del rows[row]
            if not rows:
                del self._cells[cell]
            self._found.pop(cell, None)

    def at(self, point: Point) -> Slots:
        """Rows whose box may hold the point."""
        found = []
        for size in self._sizes:
            cell = (size, int(point.longitude // size), int(point.latitude // size))
            rows = self._found.get(cell)
            if rows is None:
                of_cell = self._cells.get(cell)
                if of_cell is None:
                    continue
                rows = self._found[cell] = np.fromiter(of_cell, np.intp, len(of_cell))
            found.append(rows)
        if len(found) == 1:
            return found[0]
        return np.concatenate(found) if found else np.empty(0, dtype=np.intp)

    def _size(self, box: BBox) -> float:
        """The smallest size (a power of two) of which `CELLS_ACROSS` are enough."""
        extent = max(box.east - box.west, box.north - box.south) / self.CELLS_ACROSS
        return float(2.0 ** math.ceil(math.log2(max(extent, self.SMALLEST_DEGREES))))

    @staticmethod
    def _touched(box: BBox, size: float) -> Iterator[Cell]:
        for column in range(int(box.west // size), int(box.east // size) + 1):
            for row in range(int(box.south // size), int(box.north // size) + 1):
                yield (size, column, row)


class Rows(Generic[Watcher]):
    """The searches in columns: a row a centre (or box)."""

    _COLUMNS = (
        ("position", np.float64, 3),
        ("radius_km", np.float64),  # NaN: a box
        ("west", np.float64),
        ("south", np.float64),
        ("east", np.float64),
        ("north", np.float64),
        ("line", np.int32),
        ("forms", np.int32),
        ("needs", np.int32),
        ("by_day", np.int32),
        ("at_day", np.int32),
        ("max_cost_eur", np.float64),
        ("municipality_from", np.int64),
        ("municipality_to", np.int64),
        ("include_full", np.bool_),
    )

    def __init__(self, capacity: int = 64) -> None:
        self._table = np.zeros(capacity, dtype=list(self._COLUMNS))
        self._watchers: list[Watcher | None] = [None] * capacity
        self._free = list(range(capacity - 1, -1, -1))
        self._grid = Grid()

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
            low,
            high,
            needed.include_full,
        )
        taken = []
        for box, center in _areas(query):
            row = self._take_row(watcher)
            taken.append(row)
            circle = ((0.0, 0.0, 0.0), np.nan)
            if center is not None:
                circle = (position(center), query.radius_km)
            self._table[row] = (*circle, box.west, box.south, box.east, box.north, *line)
            self._grid.add(row, box)
        return taken

    def _take_row(self, watcher: Watcher) -> int:
        if not self._free:
            size = len(self._table)
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._watchers += [None] * size
            self._free = list(range(2 * size - 1, size - 1, -1))
        row = self._free.pop()
        self._watchers[row] = watcher
        return row

    def remove(self, rows: list[int]) -> None:
        for row in rows:
            west, south, east, north = (
                float(self._table[side][row]) for side in ("west", "south", "east", "north")
            )
            self._grid.remove(row, BBox(west, south, east, north))
            self._watchers[row] = None
        self._free += rows

    def match(
        self, old: Listing | None, new: Listing
    ) -> tuple[dict[Watcher, float | None], set[Watcher]]:
        """Those who see the home as `new`, with their distance in km (None: no centre), and
        those who saw it as `old` and see it no more."""
        nearby, distances = self._around(new.profile.point)
        shown = self._watchers_of(nearby, distances, self._meets(new, nearby))
        if old is None:
            return shown, set()
        if old.profile.point != new.profile.point:
            nearby, distances = self._around(old.profile.point)
        before = self._watchers_of(nearby, distances, self._meets(old, nearby))
        return shown, before.keys() - shown.keys()

    def _around(self, point: Point) -> tuple[Slots, NDArray[np.float64]]:
        """Rows whose area holds the point, and their distances (NaN: no centre)."""
        rows = self._grid.at(point)
        if not len(rows):
            return rows, np.empty(0)
        table = self._table[rows]
        radius_km = table["radius_km"]
        distances = chords_km(position(point), table["position"])
        inside = distances <= radius_km
        is_box = np.isnan(radius_km)
        if is_box.any():
            inside |= (
                is_box
                & (table["west"] <= point.longitude)
                & (table["east"] >= point.longitude)
                & (table["south"] <= point.latitude)
                & (table["north"] >= point.latitude)
            )
            distances[is_box] = np.nan
        return rows[inside], distances[inside]

    def _watchers_of(
        self, rows: Slots, distances: NDArray[np.float64], keep: NDArray[np.bool_]
    ) -> dict[Watcher, float | None]:
        """Of several centres of a search the nearest counts."""
        if not len(rows):
            return {}
        found: dict[Watcher, float | None] = {}
        watchers = self._watchers
        for row, distance in zip(rows[keep].tolist(), distances[keep].tolist(), strict=True):
            watcher = watchers[row]
            assert watcher is not None
            known = found.get(watcher)
            if known is None or distance < known:
                found[watcher] = None if math.isnan(distance) else distance
        return found

    def _meets(self, listing: Listing, rows: Slots) -> NDArray[np.bool_]:
        """Which rows the listing satisfies, area apart: the same rules as `Board`."""
        if not len(rows) or listing.profile.status is not HomeStatus.OPEN:
            return np.zeros(len(rows), dtype=np.bool_)
        table = self._table[rows]
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
