"""Where municipalities are: their boundaries, and which of them a point lies in. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from vacancies.models import AssignedBy, Point

# Boundaries that were simplified one by one have gaps between them, some hundred metres wide.
# Degrees of latitude: about 300 m; of longitude less.
GAP_DEGREES = 0.0027
# For the same reason they overlap a little: a twentieth is more than any that were looked at.
MOST_SHARED = 0.05


class Boundaries:
    """The areas of all municipalities that have one, by key (AGS; a district's is the beginning
    of those of its municipalities). `generation` numbers this state of them."""

    def __init__(self, generation: int, areas: Mapping[str, BaseGeometry]) -> None:
        self.generation = generation
        self._keys = sorted(areas)
        self._known = frozenset(areas)
        self._shapes = np.array([areas[key] for key in self._keys], dtype=object)
        shapely.prepare(self._shapes)  # or each point would be held against every corner
        self._tree = shapely.STRtree(self._shapes)

    def key_at(self, point: Point) -> str | None:
        """The key of the smallest area around `point`; in a gap between two, of the nearer."""
        here = shapely.Point(point.longitude, point.latitude)
        boxes: list[int] = self._tree.query(here).tolist()
        around = [i for i in boxes if shapely.intersects_xy(self._shapes[i], here.x, here.y)]
        if around:
            return max((self._keys[i] for i in around), key=len)
        near: list[int] = self._tree.query(here, "dwithin", GAP_DEGREES).tolist()
        # Of the smallest kind, as above. Near one alone is outside: there nobody takes part.
        length = max((len(self._keys[i]) for i in near), default=0)
        kin = [i for i in near if len(self._keys[i]) == length]
        if len(kin) < 2:
            return None
        return self._keys[min(kin, key=lambda i: float(shapely.distance(here, self._shapes[i])))]

    def assign(self, point: Point, stated: str | None) -> tuple[str | None, AssignedBy | None]:
        """The municipality of a home at `point` whose provider has `stated` one, and how it came
        to that. What is stated holds where no boundary speaks against it, and where it says more
        precisely which part of the area it is."""
        found = self.key_at(point)
        if found is not None:
            is_finer = stated is not None and stated.startswith(found)
            holds = is_finer and not self._speaks_of(stated, finer_than=len(found))
            return (stated if holds else found), "position"
        return (None if self._speaks_of(stated) else stated), None

    def _speaks_of(self, stated: str | None, finer_than: int = 1) -> bool:
        """Whether one of the areas is, or contains, what is stated; one whose key has more digits
        than `finer_than`."""
        return stated is not None and any(
            stated[:length] in self._known for length in range(finer_than + 1, len(stated) + 1)
        )


def are_kin(one: str, other: str) -> bool:
    """Whether one of the two municipalities lies in the other, or they are the same."""
    return one.startswith(other) or other.startswith(one)


def overlapping(key: str, area: BaseGeometry, others: Mapping[str, BaseGeometry]) -> list[str]:
    """The keys of `others` that are no part of `key`, nor `key` of them, and yet share more of
    their area with it than boundaries do that were simplified one by one."""
    strangers = [other for other in others if not are_kin(other, key)]
    return [
        other
        for other in strangers
        if area.intersection(others[other]).area > MOST_SHARED * min(area.area, others[other].area)
    ]
