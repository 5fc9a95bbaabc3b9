"""Who watches where in this process, and what each viewer still has to be sent.

A viewer is a cursor, not a queue: it holds the homes that wait to be sent, in ascending
revision, the newest state of each only. So a slow phone gets fewer and newer events, and
memory stays bounded by the number of homes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from vacancies.board import Board, Change
from vacancies.search import Query
from vacancies.watching import Rows


class Waiting(NamedTuple):
    """One home that a viewer is to be sent: its state of `revision`, or that it is gone."""

    revision: int
    distance_km: float | None
    gone: bool


class Viewer:
    """One who watches a search. `waiting` is keyed by slot, in ascending revision.

    `reset` says that everything the viewer knows is void; it is told so first. `is_ready`
    says that the backlog has been sent and the viewer knows. `is_void` says that another
    history of the board has begun, and `fill` must say anew what waits.
    """

    __slots__ = ("fingerprint", "is_ready", "is_void", "query", "reset", "rows", "waiting")

    def __init__(self, query: Query) -> None:
        self.query = query
        self.fingerprint = query.fingerprint()
        self.waiting: dict[int, Waiting] = {}
        self.reset = False
        self.is_ready = False
        self.is_void = False
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
        self._rows: Rows[Viewer] = Rows()

    def __len__(self) -> int:
        return len(self._viewers)

    def join(self, query: Query, since: int | None) -> Viewer:
        """Register first, then replay, with no await between: no change falls through.

        `since` is the revision that the viewer has; None: it has nothing. A `since` from
        before the oldest tombstone cannot be replayed and resets the viewer.
        """
        viewer = Viewer(query)
        self._viewers[viewer] = None
        viewer.rows = self._rows.add(viewer, viewer.query)
        if since is None or since < self._board.floor:
            viewer.reset = since is not None
            self.fill(viewer)
        else:
            self._replay(viewer, since)
        return viewer

    def invalidate(self, viewer: Viewer) -> None:
        """The board holds another history: slots mean other homes now. Cheap, since it is
        done for all viewers at once; each is filled when its turn comes."""
        viewer.waiting = {}
        viewer.reset, viewer.is_ready, viewer.is_void = True, False, True

    def fill(self, viewer: Viewer) -> None:
        """Everything that matches waits to be sent."""
        viewer.is_void = False
        slots, distances = self._board.by_revision(*self._board.match(viewer.query))
        has_centre = bool(viewer.query.centres)
        viewer.waiting = {
            slot: Waiting(self._board.listing(slot).revision, km if has_centre else None, False)
            for slot, km in zip(slots.tolist(), distances.tolist(), strict=True)
        }

    def leave(self, viewer: Viewer) -> None:
        if viewer in self._viewers:
            del self._viewers[viewer]
            self._rows.remove(viewer.rows)
            viewer.rows = []

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
