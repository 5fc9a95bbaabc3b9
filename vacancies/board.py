"""The read model: every listing of the region in the memory of this process.

Columns in numpy, one slot a home; a closed home keeps its slot as a tombstone. `apply` is
the only way in, takes a listing only if its revision is newer, and never waits: between
two awaits of its caller the board, its revision and the audience agree.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vacancies.bands import Bands, sort_name
from vacancies.columns import Columns
from vacancies.facets import Facets, count_choices
from vacancies.geo import Floats, PointIndex, Slots, box_around, chords_km, in_box, position
from vacancies.geojson import EncodedFeature, encode_feature
from vacancies.models import CareForm, HomeStatus, Listing
from vacancies.page import Hit, Page, page_token, read_page_token
from vacancies.search import LIMIT, Query, Requirement, asks_for_forms_only, requirement

_FORMS = tuple(CareForm)


@dataclass(frozen=True, slots=True)
class Change:
    """One home before and after."""

    slot: int
    old: Listing | None
    new: Listing


class Board:
    """All listings up to and including `revision`, of the database history `epoch`."""

    def __init__(self, epoch: str = "", floor: int = 0) -> None:
        self.epoch = epoch
        self.revision = 0
        self.floor = floor  # cursors from before this revision missed tombstones
        self._columns = Columns()
        self._slots: dict[str, int] = {}
        self._listings: list[Listing] = []
        self._features: list[EncodedFeature | None] = []
        self._index: PointIndex | None = None
        self._bands: Bands | None = None
        self._ranks: NDArray[np.int64] | None = None
        self._names: list[tuple[str, str]] = []  # sort keys, in order
        self._id_ranks: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """How many homes are open."""
        return int(np.count_nonzero(self._columns.is_open[: len(self._listings)]))

    def become(self, other: Board) -> None:
        """Take over all of `other`, at once: another history of the database begins."""
        self.__dict__.update(other.__dict__)

    def apply(self, listings: Iterable[Listing], last: int) -> list[Change]:
        """Take what is newer than what is here; all up to `last` is known then."""
        changes = []
        for listing in listings:
            slot = self._slots.get(listing.id)
            old = None if slot is None else self._listings[slot]
            if old is not None and old.revision >= listing.revision:
                continue
            if slot is None:
                slot = self._slots[listing.id] = len(self._listings)
                self._listings.append(listing)
                self._features.append(None)
                self._id_ranks = None
            else:
                self._listings[slot] = listing
                self._features[slot] = None
            if old is None or old.profile.point != listing.profile.point:
                self._index = None
            if old is None or old.profile.name != listing.profile.name:
                self._ranks = None
            if self._bands is not None:
                self._bands.replace(slot, old, listing)
            self._columns.put(slot, old, listing)
            changes.append(Change(slot, old, listing))
        self.revision = max(self.revision, last)
        return changes

    def get(self, home_id: str) -> Listing | None:
        """None if there is no such home, or none that the public may know of."""
        slot = self._slots.get(home_id)
        listing = None if slot is None else self._listings[slot]
        return None if listing is None or listing.is_hidden else listing

    def listings(self) -> Iterable[Listing]:
        """All of them, tombstones too."""
        return self._listings

    def listing(self, slot: int) -> Listing:
        return self._listings[slot]

    def feature(self, slot: int) -> EncodedFeature:
        feature = self._features[slot]
        if feature is None:
            feature = self._features[slot] = encode_feature(self._listings[slot])
        return feature

    def feature_of(self, home_id: str) -> bytes:
        """The whole Feature of a home that is on the board."""
        return self.feature(self._slots[home_id]).at(None)

    def search(self, query: Query, limit: int = LIMIT, after: str | None = None) -> Page:
        """One page of the homes that match, nearest first; by name where there is no centre.

        Raises `InvalidParameter` for a token that is not of this search.
        """
        if after is None and _is_nearby(query) and self._seem_few(query, limit + 1):
            first, apart = self.nearest(query, limit + 1)
            if len(first) <= limit:  # so these are all
                return self._page(query, first, apart, limit, np.array(first, dtype=np.intp))
        slots, distances = found, _ = self.match(query)
        if after is not None:
            slots, distances = self._after(query, after, slots, distances)
        first, apart = self._first(query, slots, distances, limit + 1)
        return self._page(query, first, apart, limit, found)

    def nearest(self, query: Query, limit: int = LIMIT) -> tuple[list[int], list[float]]:
        """Slots of the first `limit` homes that match, in the order of `search`, and their
        distances in km. Around a centre this does not look at all that match."""
        if not _is_nearby(query):
            return self._first(query, *self.match(query), limit)
        keep = None if asks_for_forms_only(query) else partial(self._keep, query)
        return self._free().nearest(query.centres, query.radius_km, query.care_forms, limit, keep)

    def _seem_few(self, query: Query, limit: int) -> bool:
        return self._free().seem_few(query.centres, query.radius_km, query.care_forms, limit)

    def _keep(self, query: Query, slots: list[int]) -> list[bool]:
        found = np.array(slots, dtype=np.intp)
        kept: list[bool] = self._meets(query, requirement(query), found).tolist()
        return kept

    def _first(
        self, query: Query, slots: Slots, distances: Floats, limit: int
    ) -> tuple[list[int], list[float]]:
        """The first `limit` of a result in whatever order, sorted."""
        ranks = self._rank()[slots]
        if len(slots) > limit:
            key = distances if query.centres else ranks
            among = np.flatnonzero(key <= np.partition(key, limit - 1)[limit - 1])
            slots, distances, ranks = slots[among], distances[among], ranks[among]
        order = np.lexsort((ranks, distances))[:limit]
        return slots[order].tolist(), distances[order].tolist()

    def _page(
        self, query: Query, slots: list[int], distances: list[float], limit: int, found: Slots
    ) -> Page:
        """The page of the first `limit` of `slots`, which are one more if there is a next;
        `found` are all that match."""
        has_centre, features = bool(query.centres), self._features
        hits = [
            Hit(
                self._listings[slot],
                km if has_centre else None,
                features[slot] or self.feature(slot),
            )
            for slot, km in zip(slots[:limit], distances[:limit], strict=True)
        ]
        more = len(slots) > limit
        free = self._columns.free.take(found, axis=0).sum(axis=0).tolist()
        return Page(
            hits=hits,
            total=len(found),
            free_total={form: n for form, n in zip(_FORMS, free, strict=True) if n},
            revision=self.revision,
            next=page_token(query, distances[limit - 1], hits[-1].listing) if more else None,
        )

    def _after(
        self, query: Query, token: str, slots: Slots, distances: Floats
    ) -> tuple[Slots, Floats]:
        """The rest of a result, behind the place where `token` was given. It names that
        place by its sort key, which stays right when homes are renamed or go."""
        distance, name = read_page_token(query, token)
        ranks = self._rank()
        rank = bisect_right(self._names, name)
        behind = (distances > distance) | ((distances == distance) & (ranks[slots] >= rank))
        return slots[behind], distances[behind]

    def match(self, query: Query, within: Slots | None = None) -> tuple[Slots, Floats]:
        """Slots that match (among `within`, if given) and their distances in km; distances
        are 0 where there is no centre."""
        needed = requirement(query)
        if within is None and _is_nearby(query):
            slots = self._free().around(query.centres, query.radius_km, query.care_forms)
        else:
            slots = self._candidates(query) if within is None else within
            if not needed.include_full:
                slots = slots[self._columns.offers.take(slots) & needed.forms != 0]
        slots, distances = self.in_area(query, slots)
        keep = self._meets(query, needed, slots)
        return slots[keep], distances[keep]

    def in_area(self, query: Query, within: Slots | None = None) -> tuple[Slots, Floats]:
        """Slots in the area of `query`, whatever they offer, tombstones too."""
        columns = self._columns
        slots = self._candidates(query) if within is None else within
        if query.own_only:
            slots = slots[columns.is_own.take(slots)]
        if query.bbox is not None:
            latitudes, longitudes = columns.latitude.take(slots), columns.longitude.take(slots)
            slots = slots[in_box(query.bbox, latitudes, longitudes)]
        if query.centres:
            places = columns.position.take(slots, axis=0)
            distances = chords_km(position(query.centres[0]), places)
            for center in query.centres[1:]:
                distances = np.minimum(distances, chords_km(position(center), places))
            if query.bbox is not None:
                return slots, distances
            near = distances <= query.radius_km
            return slots[near], distances[near]
        return slots, np.zeros(len(slots))

    def _candidates(self, query: Query) -> Slots:
        """Slots of all in the area of `query`, and some more."""
        if query.bbox is not None:
            return self._points().within(query.bbox)
        if query.centres:
            boxes = [box_around(center, query.radius_km) for center in query.centres]
            found = [self._points().within(box) for box in boxes]
            return found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        return np.arange(len(self._listings))

    def _meets(self, query: Query, needed: Requirement, slots: Slots) -> NDArray[np.bool_]:
        prefix = query.municipality
        return self._columns.meets(slots, needed, prefix_range(prefix) if prefix else None)

    def facets(self, query: Query) -> Facets:
        """How many homes each choice of the search form would leave."""
        slots, _ = self.in_area(query)
        prefix = query.municipality
        municipalities = prefix_range(prefix) if prefix else None
        return count_choices(self._columns, slots, requirement(query), municipalities)

    def changed_since(self, revision: int) -> Slots:
        """Slots whose state is newer than `revision`, in ascending order of revision."""
        revisions = self._columns.revision[: len(self._listings)]
        slots = np.flatnonzero(revisions > revision)
        return slots[np.argsort(revisions[slots])]

    def by_revision(self, slots: Slots, distances: Floats) -> tuple[Slots, Floats]:
        """The same in ascending order of revision: the order in which they are sent."""
        order = np.argsort(self._columns.revision[slots])
        return slots[order], distances[order]

    def by_id(self, slots: Slots) -> Slots:
        """The same in ascending order of their ids: an order that outlives every change."""
        if self._id_ranks is None:
            order = sorted(range(len(self._listings)), key=lambda slot: self._listings[slot].id)
            self._id_ranks = np.empty(len(order), dtype=np.int64)
            self._id_ranks[order] = np.arange(len(order))
        return slots[np.argsort(self._id_ranks[slots])]

    def revisions(self, slots: Slots) -> NDArray[np.int64]:
        return self._columns.revision[slots]

    def moved_since(self, slots: Slots, revision: int) -> Slots:
        return slots[self._columns.moved_revision[slots] > revision]

    def _free(self) -> Bands:
        if self._bands is None:
            self._bands = Bands(self._listings)
        return self._bands

    def _points(self) -> PointIndex:
        if self._index is None:
            n = len(self._listings)
            self._index = PointIndex(
                self._columns.latitude[:n], self._columns.longitude[:n], np.arange(n)
            )
        return self._index

    def _rank(self) -> NDArray[np.int64]:
        """The place of each slot in the order of names: breaks ties, the same everywhere."""
        if self._ranks is None:
            names = [sort_name(listing) for listing in self._listings]
            order = sorted(range(len(names)), key=names.__getitem__)
            self._names = [names[slot] for slot in order]
            self._ranks = np.empty(len(names), dtype=np.int64)
            self._ranks[order] = np.arange(len(names))
        return self._ranks

    def counts(self) -> dict[str, int]:
        """Open homes per freshness, for metrics."""
        found: dict[str, int] = {}
        for listing in self._listings:
            if listing.profile.status is HomeStatus.OPEN:
                found[listing.freshness] = found.get(listing.freshness, 0) + 1
        return found


def _is_nearby(query: Query) -> bool:
    """Whether `Bands` can answer: only homes with free places, around a centre, whoever has
    reported them."""
    if query.include_full or query.own_only:
        return False
    return bool(query.centres) and query.bbox is None


def prefix_range(prefix: str) -> tuple[int, int]:
    """The municipality keys that begin with `prefix`, as numbers of 12 digits."""
    unit = 10 ** (12 - len(prefix))
    return int(prefix) * unit, (int(prefix) + 1) * unit
