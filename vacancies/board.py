"""The read model: every listing of the region in the memory of this process.

Columns in numpy, one slot a home; a closed home keeps its slot as a tombstone. `apply` is
the only way in, takes a listing only if its revision is newer, and never waits: between
two awaits of its caller the board, its revision and the audience agree.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from vacancies.columns import Columns
from vacancies.errors import InvalidParameter
from vacancies.geo import Floats, PointIndex, Slots, box_around, distances_km, in_box
from vacancies.geojson import EncodedFeature, encode_feature
from vacancies.models import CareForm, HomeStatus, Listing
from vacancies.search import LIMIT, Query, Requirement, requirement


@dataclass(frozen=True, slots=True)
class Change:
    """One home before and after."""

    slot: int
    old: Listing | None
    new: Listing


@dataclass(frozen=True, slots=True)
class Hit:
    listing: Listing
    distance_km: float | None
    feature: EncodedFeature


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search. `total` homes match in all, with `free_total` places per care
    form; `next` is the token of the next page, None on the last."""

    hits: list[Hit]
    total: int
    free_total: dict[CareForm, int]
    revision: int
    next: str | None


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
        self._ranks: NDArray[np.int64] | None = None
        self._names: list[tuple[str, str]] = []  # sort keys, in order

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
            else:
                self._listings[slot] = listing
                self._features[slot] = None
            if old is None or old.profile.point != listing.profile.point:
                self._index = None
            if old is None or old.profile.name != listing.profile.name:
                self._ranks = None
            self._columns.put(slot, listing)
            changes.append(Change(slot, old, listing))
        self.revision = max(self.revision, last)
        return changes

    def get(self, home_id: str) -> Listing | None:
        slot = self._slots.get(home_id)
        return None if slot is None else self._listings[slot]

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
        slots, distances = self.match(query)
        columns = self._columns
        free = columns.free[slots].sum(axis=0)
        total = len(slots)
        order = np.lexsort((self._rank()[slots], distances))
        slots, distances = slots[order], distances[order]
        if after is not None:
            slots, distances = self._after(query, after, slots, distances)
        more = len(slots) > limit
        slots, distances = slots[:limit], distances[:limit]
        hits = [
            Hit(self._listings[slot], distance if query.centres else None, self.feature(slot))
            for slot, distance in zip(slots.tolist(), distances.tolist(), strict=True)
        ]
        return Page(
            hits=hits,
            total=total,
            free_total={form: int(n) for form, n in zip(CareForm, free, strict=True) if n},
            revision=self.revision,
            next=_page_token(query, float(distances[-1]), hits[-1].listing) if more else None,
        )

    def _after(
        self, query: Query, token: str, slots: Slots, distances: Floats
    ) -> tuple[Slots, Floats]:
        """The rest of a sorted result, behind the place where `token` was given. It names
        that place by its sort key, which stays right when homes are renamed or go."""
        distance, name, home_id = _read_page_token(query, token)
        ranks = self._rank()
        rank = bisect_right(self._names, (name, home_id))
        behind = (distances > distance) | ((distances == distance) & (ranks[slots] >= rank))
        return slots[behind], distances[behind]

    def match(self, query: Query, within: Slots | None = None) -> tuple[Slots, Floats]:
        """Slots that match (among `within`, if given) and their distances in km; distances
        are 0 where there is no centre."""
        needed = requirement(query)
        slots, distances = self.in_area(query, within)
        keep = self._meets(slots, needed, query.municipality)
        return slots[keep], distances[keep]

    def in_area(self, query: Query, within: Slots | None = None) -> tuple[Slots, Floats]:
        """Slots in the area of `query`, whatever they offer, tombstones too."""
        columns = self._columns
        if query.centres:
            boxes = [box_around(center, query.radius_km) for center in query.centres]
            if within is None:
                slots = np.unique(np.concatenate([self._points().within(box) for box in boxes]))
            else:
                slots = within
            lats, lons = columns.latitude[slots], columns.longitude[slots]
            distances = np.minimum.reduce(
                [distances_km(center, lats, lons) for center in query.centres]
            )
            near = distances <= query.radius_km
            return slots[near], distances[near]
        if query.bbox is None:
            slots = np.arange(len(self._listings)) if within is None else within
            return slots, np.zeros(len(slots))
        slots = self._points().within(query.bbox) if within is None else within
        slots = slots[in_box(query.bbox, columns.latitude[slots], columns.longitude[slots])]
        return slots, np.zeros(len(slots))

    def _meets(
        self, slots: Slots, needed: Requirement, municipality: str | None
    ) -> NDArray[np.bool_]:
        columns = self._columns
        words = columns.words[slots]
        lines = (words & needed.line == needed.line) & (words & needed.forms != 0)
        lines &= columns.from_day[slots] <= needed.by_day
        lines &= columns.until_day[slots] >= needed.at_day
        keep: NDArray[np.bool_] = lines.any(axis=1)
        if needed.include_full:
            keep |= ~columns.has_free[slots]
        keep &= columns.is_open[slots]
        keep &= columns.needs[slots] & needed.needs == needed.needs
        keep &= columns.cost_eur[slots] <= needed.max_cost_eur
        if municipality is not None:
            low, high = prefix_range(municipality)
            keep &= (columns.municipality[slots] >= low) & (columns.municipality[slots] < high)
        return keep

    def changed_since(self, revision: int) -> Slots:
        """Slots whose state is newer than `revision`, in ascending order of revision."""
        revisions = self._columns.revision[: len(self._listings)]
        slots = np.flatnonzero(revisions > revision)
        return slots[np.argsort(revisions[slots])]

    def by_revision(self, slots: Slots, distances: Floats) -> tuple[Slots, Floats]:
        """The same in ascending order of revision: the order in which they are sent."""
        order = np.argsort(self._columns.revision[slots])
        return slots[order], distances[order]

    def revisions(self, slots: Slots) -> NDArray[np.int64]:
        return self._columns.revision[slots]

    def moved_since(self, slots: Slots, revision: int) -> Slots:
        return slots[self._columns.moved_revision[slots] > revision]

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
            names = [_sort_name(listing) for listing in self._listings]
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


def prefix_range(prefix: str) -> tuple[int, int]:
    """The municipality keys that begin with `prefix`, as numbers of 12 digits."""
    unit = 10 ** (12 - len(prefix))
    return int(prefix) * unit, (int(prefix) + 1) * unit


def _page_token(query: Query, distance_km: float, last: Listing) -> str:
    raw = msgspec.json.encode([query.fingerprint(), distance_km, *_sort_name(last)])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _sort_name(listing: Listing) -> tuple[str, str]:
    return (listing.profile.name.casefold(), listing.id)


def _read_page_token(query: Query, token: str) -> tuple[float, str, str]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        read = msgspec.json.decode(raw, type=tuple[str, float, str, str])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        read = ("", 0.0, "", "")
    fingerprint, distance_km, name, home_id = read
    if fingerprint != query.fingerprint():
        raise InvalidParameter(
            "This cursor is not from the same search. Begin again without it.", field="cursor"
        )
    return distance_km, name, home_id
