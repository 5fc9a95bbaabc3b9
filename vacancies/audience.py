"""Who watches where in this process, and what each viewer still has to be sent.

Viewers of the same search share a `Watch`: a change is matched and encoded once for all of
them. A viewer is a cursor, not a queue: it holds the revision up to which it has been handed
everything. Who keeps up gets the news of its watch as it comes; who fell behind, or has just
come, gets what it has missed from the board, newest state of each home only. So a slow phone
gets fewer and newer events, and costs no memory while it is slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from vacancies.board import Board, Change
from vacancies.geo import Floats, Slots
from vacancies.models import Listing
from vacancies.search import Query
from vacancies.watching import Rows


class News(msgspec.Struct, frozen=True, gc=False):
    """A home to be told of: its state of `revision` at `distance_km` (None: the search has
    no centre), or that it is gone from the search."""

    slot: int
    revision: int
    distance_km: float | None
    gone: bool


class Missed:
    """What a viewer has missed, as of `revision` of the board, in ascending revision.

    Arrays of equal length: 13 bytes a home. `next` is the first that was not handed out yet.
    """

    __slots__ = ("distances", "gone", "next", "revision", "slots")

    def __init__(
        self, slots: Slots, distances: Floats, gone: NDArray[np.bool_], revision: int
    ) -> None:
        self.slots = slots.astype(np.int32)
        self.distances = distances
        self.gone = gone
        self.revision = revision
        self.next = 0


class Viewer:
    """One who watches. `since` is the revision up to which all was handed to it (None: it has
    nothing yet).

    `is_behind` says that it takes no news as they come, but asks for what it has `missed`.
    `reset` says that all it knows is void; it is told so first. `is_ready` says that it was
    told that its backlog is complete.
    """

    __slots__ = ("is_behind", "is_ready", "missed", "reset", "since", "watch")

    def __init__(self) -> None:
        self.since: int | None = None
        self.missed: Missed | None = None
        self.is_behind = True
        self.is_ready = False
        self.reset = False
        self.watch: Watch | None = None


class Watch:
    """A search and all who watch it. `news` holds the changes that may not have been handed
    to all of them yet: by slot, in ascending revision, the newest state of each home."""

    __slots__ = ("fingerprint", "news", "query", "rows", "viewers")

    def __init__(self, query: Query) -> None:
        self.query = query
        self.fingerprint = query.fingerprint()
        self.news: dict[int, News] = {}
        self.rows: list[int] = []
        self.viewers: dict[Viewer, None] = {}

    def put(self, news: News) -> None:
        """A replacement moves to the end, behind all that is older than it."""
        self.news.pop(news.slot, None)
        self.news[news.slot] = news

    def after(self, since: int | None) -> list[News]:
        """What is news to who has all up to `since`."""
        return [news for news in self.news.values() if since is None or news.revision > since]

    def forget(self, revision: int) -> None:
        """Drop what has been handed to all: the news up to `revision`."""
        self.news = {slot: news for slot, news in self.news.items() if news.revision > revision}


class Audience:
    """All viewers of one board. Nothing in here waits."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._watches: dict[Query, Watch] = {}
        self._rows: Rows[Watch] = Rows()

    def __len__(self) -> int:
        """How many viewers there are."""
        return sum(len(watch.viewers) for watch in self._watches.values())

    @property
    def watches(self) -> int:
        """How many different searches they watch."""
        return len(self._watches)

    def join(self, viewer: Viewer, query: Query, since: int | None) -> None:
        """Register first; what it has missed is looked up later, with no change in between
        lost: from now on the board holds whatever news the viewer is not handed.

        `since` is the revision that the viewer has; None: it has nothing. A `since` from
        before the oldest tombstone cannot be replayed and resets the viewer.
        """
        watch = self._watches.get(query)
        if watch is None:
            watch = self._watches[query] = Watch(query)
            watch.rows = self._rows.add(watch, query)
        watch.viewers[viewer] = None
        viewer.watch = watch
        if since is not None and since < self._board.floor:
            viewer.reset, since = True, None
        viewer.since = since

    def leave(self, viewer: Viewer) -> None:
        watch, viewer.watch = viewer.watch, None
        if watch is None:
            return
        # Whoever is still to be handed something in this round is passed over.
        viewer.is_behind, viewer.missed = True, None
        del watch.viewers[viewer]
        if not watch.viewers:
            del self._watches[watch.query]
            self._rows.remove(watch.rows)

    def watching(self, listing: Listing) -> int:
        """How many viewers have this home in their search, as it is in `listing`."""
        shown, _ = self._rows.match(None, listing)
        return sum(len(watch.viewers) for watch in shown)

    def restart(self) -> None:
        """The board holds another history: slots mean other homes now, and all that anybody
        knows is void."""
        for watch in self._watches.values():
            watch.news.clear()
            for viewer in watch.viewers:
                viewer.since, viewer.missed = None, None
                viewer.reset, viewer.is_ready, viewer.is_behind = True, False, True

    def notify(self, changes: Iterable[Change]) -> set[Watch]:
        """Note the changes with all watches that they concern; returns those.

        Must be called right after the board applied the changes, in ascending revision.
        """
        concerned: set[Watch] = set()
        for change in changes:
            slot, revision = change.slot, change.new.revision
            shown, gone = self._rows.match(change.old, change.new)
            for watch, distance_km in shown.items():
                watch.put(News(slot, revision, distance_km, False))
            for watch in gone:
                watch.put(News(slot, revision, None, True))
            concerned.update(shown, gone)
        return concerned

    def catch_up(self, viewer: Viewer) -> Iterator[News]:
        """What the viewer has not been handed, in ascending revision; taking one hands it over.

        May be left at any point and begun again later. A home that has changed since the
        beginning comes once, at its place in the order of revisions.
        """
        board = self._board
        while viewer.missed is not None or viewer.since != board.revision:
            missed = viewer.missed
            if missed is None:
                missed = viewer.missed = self._missed(viewer)
            while missed.next < len(missed.slots):
                number = missed.next
                missed.next += 1
                slot = int(missed.slots[number])
                revision = board.listing(slot).revision
                if revision > missed.revision:
                    continue  # comes after these
                distance_km = float(missed.distances[number])
                gone = bool(missed.gone[number])
                yield News(slot, revision, None if np.isnan(distance_km) else distance_km, gone)
            viewer.since, viewer.missed = missed.revision, None

    def _missed(self, viewer: Viewer) -> Missed:
        assert viewer.watch is not None
        board, query = self._board, viewer.watch.query
        if viewer.since is None:
            slots, distances = board.by_revision(*board.match(query))
            gone = np.zeros(len(slots), dtype=np.bool_)
        else:
            slots, distances, gone = self._replay(query, viewer.since)
        if not query.centres:
            distances = np.full(len(slots), np.nan)
        return Missed(slots, distances, gone, board.revision)

    def _replay(self, query: Query, since: int) -> tuple[Slots, Floats, NDArray[np.bool_]]:
        """Each home that changed: as it is if it matches now, else as gone if it is in the
        area or was perhaps, before it moved."""
        board = self._board
        changed = board.changed_since(since)
        matched, distances = board.match(query, changed)
        nearby, _ = board.in_area(query, changed)
        left = np.union1d(nearby, board.moved_since(changed, since))
        left = np.setdiff1d(left, matched, assume_unique=True)
        slots = np.concatenate([matched, left])
        distances = np.concatenate([distances, np.full(len(left), np.nan)])
        order = np.argsort(board.revisions(slots))
        return slots[order], distances[order], (np.arange(len(slots)) >= len(matched))[order]
