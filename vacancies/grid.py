"""A grid of cells over the earth: which areas may hold a point."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from vacancies.geo import BBox, Slots
from vacancies.models import Point

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
