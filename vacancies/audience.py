"""Who watches where in this process, and what each viewer still has to be sent.

A viewer is a cursor, not a queue: it holds the homes that wait to be sent, in ascending
revision, the newest state of each only. So a slow phone gets fewer and newer events, and
memory stays bounded by the number of homes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vacancies.board import Board, Change, prefix_range
from vacancies.columns import municipality_number
from vacancies.geo import BBox, Floats, Slots, box_around, distances_km
from vacancies.models import HomeStatus, Listing, Point
from vacancies.search import Query, line_word, needs_word, requirement

WHOLE_EARTH = BBox(-180.0, -90.0, 180.0, 90.0)


class Waiting(NamedTuple):
    """One home that a viewer is to be sent: its state of `revision`, or that it is gone."""

    revision: int
    distance_km: float | None
    gone: bool


class Viewer:
    """One who watches a search. `waiting` is keyed by slot, in ascending revision.

    `reset` says that everything the viewer knows is void; it is told so first. `is_ready`
    says that the backlog has been sent and the viewer knows.
    """

    __slots__ = ("fingerprint", "is_ready", "query", "reset", "rows", "waiting")

    def __init__(self, query: Query) -> None:
        self.query = query
        self.fingerprint = query.fingerprint()
        self.waiting: dict[int, Waiting] = {}
        self.reset = False
        self.is_ready = False
        self.rows: list[int] = []

    def put(self, slot: int, waiting: Waiting) -> None:
        """A replacement moves to the end, behind all that is older than it."""
        self.waiting.pop(slot, None)
        self.waiting[slot] = waiting


class Audience:
    """All viewers of one board. Nothing in here waits."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._viewers: dict[Viewer, None] = {}
        self._rows = Rows()

    def __len__(self) -> int:
        return len(self._viewers)

    def join(self, query: Query, since: int | None) -> Viewer:
        """Register first, then replay, with no await between: no change falls through.

        `since` is the revision that the viewer has; None: it has nothing. A `since` from
        before the oldest tombstone cannot be replayed and resets the viewer.
        """
        viewer = Viewer(query)
        self._viewers[viewer] = None
        self._rows.add(viewer)
        if since is None or since < self._board.floor:
            viewer.reset = since is not None
            self._fill(viewer)
        else:
            self._replay(viewer, since)
        return viewer

    def reset(self, viewer: Viewer) -> None:
        """What the viewer knows is void: tell it so, then send everything."""
        viewer.reset, viewer.is_ready = True, False
        self._fill(viewer)

    def leave(self, viewer: Viewer) -> None:
        if viewer in self._viewers:
            del self._viewers[viewer]
            self._rows.remove(viewer)

    def _fill(self, viewer: Viewer) -> None:
        slots, distances = self._board.by_revision(*self._board.match(viewer.query))
        viewer.waiting = {}
        self._wait(viewer, slots, distances)

    def _wait(self, viewer: Viewer, slots: Slots, distances: Floats) -> None:
        has_centre = bool(viewer.query.centres)
        for slot, distance in zip(slots.tolist(), distances.tolist(), strict=True):
            revision = self._board.listing(slot).revision
            viewer.waiting[slot] = Waiting(revision, distance if has_centre else None, False)

    def _replay(self, viewer: Viewer, since: int) -> None:
        """Each home that changed: as a listing if it matches now, else as gone if it is in
        the area or was perhaps, before it moved."""
        board = self._board
        changed = board.changed_since(since)
        matched, distances = board.match(viewer.query, changed)
        nearby, _ = board.in_area(viewer.query, changed)
        gone = np.union1d(nearby, board.moved_since(changed, since))
        matching = dict(zip(matched.tolist(), distances.tolist(), strict=True))
        leaving = set(gone.tolist())
        has_centre = bool(viewer.query.centres)
        for slot in changed.tolist():
            revision = board.listing(slot).revision
            if slot in matching:
                distance = matching[slot] if has_centre else None
                viewer.waiting[slot] = Waiting(revision, distance, False)
            elif slot in leaving:
                viewer.waiting[slot] = Waiting(revision, None, True)

    def notify(self, changes: Iterable[Change]) -> set[Viewer]:
        """Note the changes with all whom they concern; returns those viewers.

        Must be called right after the board applied the changes, in ascending revision.
        """
        concerned: set[Viewer] = set()
        for change in changes:
            revision = change.new.revision
            now = self._rows.match(change.new)
            before = self._rows.match(change.old) if change.old is not None else {}
            for viewer, distance in now.items():
                viewer.put(change.slot, Waiting(revision, distance, False))
            for viewer in before.keys() - now.keys():
                viewer.put(change.slot, Waiting(revision, None, True))
            concerned.update(now, before)
        return concerned


class Rows:
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
        ("max_cost_eur", np.float64),
        ("include_full", np.bool_),
        ("municipality_from", np.int64),
        ("municipality_to", np.int64),
    )

    def __init__(self, capacity: int = 64) -> None:
        # A free row has an empty box: it matches nothing.
        self._table = np.zeros(capacity, dtype=list(self._COLUMNS))
        self._table["west"] = np.inf
        self._viewers: list[Viewer | None] = [None] * capacity
        self._free = list(range(capacity - 1, -1, -1))

    def add(self, viewer: Viewer) -> None:
        query = viewer.query
        needed = requirement(query)
        low, high = (-1, 10**13) if query.municipality is None else prefix_range(query.municipality)
        line = (
            needed.line,
            needed.forms,
            needed.needs,
            needed.by_day,
            needed.max_cost_eur,
            needed.include_full,
            low,
            high,
        )
        for box, center in _areas(query):
            row = self._take_row(viewer)
            point = (0.0, 0.0, np.nan)
            if center is not None:
                point = (center.latitude, center.longitude, query.radius_km)
            self._table[row] = (box.west, box.south, box.east, box.north, *point, *line)

    def _take_row(self, viewer: Viewer) -> int:
        if not self._free:
            size = len(self._table)
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._table["west"][size:] = np.inf
            self._viewers += [None] * size
            self._free = list(range(2 * size - 1, size - 1, -1))
        row = self._free.pop()
        self._viewers[row] = viewer
        viewer.rows.append(row)
        return row

    def remove(self, viewer: Viewer) -> None:
        for row in viewer.rows:
            self._table["west"][row] = np.inf
            self._viewers[row] = None
        self._free += viewer.rows
        viewer.rows = []

    def match(self, listing: Listing) -> dict[Viewer, float | None]:
        """The viewers whom `listing` concerns, with their distance in km (None: no centre)."""
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
        found: dict[Viewer, float | None] = {}
        pairs = zip(
            rows[keep].tolist(),
            distances[keep].tolist(),
            np.isnan(table["radius_km"][keep]).tolist(),
            strict=True,
        )
        for row, distance, is_box in pairs:
            viewer = self._viewers[row]
            assert viewer is not None
            known = found.get(viewer)
            found[viewer] = None if is_box else min(distance, distance if known is None else known)
        return found

    @staticmethod
    def _meets(listing: Listing, table: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which rows the listing satisfies, area apart: the same rules as `Board`."""
        keep = table["include_full"] & (not listing.free)
        for line in listing.vacancies:
            if line.count > 0:
                word = line_word(line, listing)
                day = 0 if line.available_from is None else line.available_from.toordinal()
                keep = keep | (
                    (table["line"] & word == table["line"])
                    & (table["forms"] & word != 0)
                    & (table["by_day"] >= day)
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
