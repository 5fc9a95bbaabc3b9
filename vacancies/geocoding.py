"""From what people type, or a list says, to a point on the map.

Offline by default, and then for Germany only: postcodes, towns, and "postcode town".
A street resolves to its postcode. Towns abroad are not in the built-in gazetteer: homes
there need coordinates, and searches there `near=` or a geocoding service of your own
(setting `FREIPLATZ_GEOCODER`, see `online_geocoding.py`).
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import msgspec
import numpy as np

from vacancies.errors import AmbiguousPlace, UnknownPlace
from vacancies.gazetteer import Gazetteer, load_gazetteer
from vacancies.geo import apart_km
from vacancies.models import Address, Point, Precision
from vacancies.placenames import Wish, clean, key_of, normal_postcode, parse
from vacancies.places import Labels, Place
from vacancies.suggestions import Suggestions
from vacancies.towns import Town, dominant
from vacancies.understanding import towns_in

# A postcode and a town that are farther apart than this cannot both be meant.
CONTRADICTION_KM = 50.0
_MOST_CANDIDATES = 25
_MOST_NEAR_MATCHES = 5
_CITY_INHABITANTS = 100_000


class Geocoder(Protocol):
    async def places(self, q: str, limit: int = 10) -> list[Place]:
        """Places for `q` (postcode, town, "postcode town", street address, "lat, lon"),
        best first; [] when nothing is known."""

    async def find(self, q: str) -> Place:
        """The one place that `q` means.

        Raises `UnknownPlace`, or `AmbiguousPlace`, whose candidates are places: those of
        that name, or whose name is nearly so.
        """

    def suggest(self, q: str, limit: int = 8) -> list[Place]:
        """Places that somebody may mean who has typed `q` so far. Offline, in a millisecond."""

    def prepare(self) -> None:
        """Read now what the first question would wait for."""

    def locate(self, address: Address) -> Place | None:
        """Where a home of that address is, offline; None if that cannot be told."""

    async def aclose(self) -> None:
        """Let go of connections, if there are any."""


def open_geocoder(setting: str) -> Geocoder:
    """The geocoder for the setting: `offline`, or the address of a Nominatim or Photon."""
    offline = OfflineGeocoder()
    if setting == "offline":
        return offline
    from vacancies.online_geocoding import OnlineGeocoder

    return OnlineGeocoder(setting, offline)


class OfflineGeocoder:
    """Answers from the gazetteer, which is read at the first question (0.2 s)."""

    def __init__(self, gazetteer: Gazetteer | None = None) -> None:
        self._loaded = gazetteer

    @cached_property
    def _gazetteer(self) -> Gazetteer:
        return self._loaded or load_gazetteer()

    @cached_property
    def _labels(self) -> Labels:
        return Labels(self._gazetteer)

    @cached_property
    def _suggestions(self) -> Suggestions:
        return Suggestions(self._gazetteer, self._labels)

    def prepare(self) -> None:
        self.suggest("Gutersloh")

    def suggest(self, q: str, limit: int = 8) -> list[Place]:
        return self._suggestions.for_text(q, limit)

    async def aclose(self) -> None:
        pass

    async def places(self, q: str, limit: int = 10) -> list[Place]:
        wish = parse(q)
        found = self._candidates(wish)[0]
        if wish.postcode is None and wish.point is None and len(found) < limit:
            found += self._suggestions.beginning(wish.town, limit)
        return list(dict.fromkeys(found))[:limit]

    async def find(self, q: str) -> Place:
        found, decided = self._candidates(parse(q))
        if not found:
            raise UnknownPlace(
                "No place of that name or postcode is known. Check the spelling, add the"
                " postcode, or give coordinates.",
                candidates=_as_candidates(self._suggestions.near(q, _MOST_NEAR_MATCHES)),
            )
        if decided:
            return found[0]
        raise AmbiguousPlace(
            "Several places have that name. Choose one of the candidates.",
            candidates=_as_candidates(found[:_MOST_CANDIDATES]),
        )

    def _candidates(self, wish: Wish) -> tuple[list[Place], bool]:
        """Places, best first, and whether the first is clearly meant."""
        if wish.point is not None:
            at = wish.point
            label = f"{at.latitude:g}, {at.longitude:g}"
            return [Place(label, at.latitude, at.longitude, Precision.EXACT)], True
        towns = towns_in(self._gazetteer, wish.town)
        if wish.postcode in self._gazetteer.postcodes:
            return self._by_postcode(wish, wish.postcode, towns)
        if wish.postcode and (beside := self._beside_neighbours(wish.postcode, towns)):
            return [beside], True
        places = [self._labels.of_town(town) for town in towns]
        return places, dominant(towns) is not None

    def _by_postcode(
        self, wish: Wish, postcode: str, towns: list[Town]
    ) -> tuple[list[Place], bool]:
        for town in towns:
            # One of our own labels for an ambiguous name means the town, not the postcode.
            if key_of(self._labels.of_town(town).label) == (postcode, *key_of(wish.town)):
                return [self._labels.of_town(town)], True
        near = [town for town in towns if self._apart_km(postcode, town) <= CONTRADICTION_KM]
        if wish.guessed and wish.town and not near:
            return [self._labels.of_town(town) for town in towns], dominant(towns) is not None
        place = self._labels.of_postcode(postcode, near[0] if near else None)
        if not towns or near:
            return [place], True
        return [place, *(self._labels.of_town(town) for town in towns)], False

    def locate(self, address: Address) -> Place | None:
        """The postcode decides; one that does not exist is replaced by the town, or in a
        city by its neighbouring postcodes. None for other countries, and for a town that
        is not known or not unique."""
        if address.country != "DE":
            return None
        postcode = normal_postcode(address.postcode)
        if postcode in self._gazetteer.postcodes:
            return Place(postcode, *self._gazetteer.postcodes[postcode], Precision.POSTCODE)
        towns = towns_in(self._gazetteer, clean(address.city or ""))
        if postcode and self._gazetteer.neighbours(postcode):
            return self._beside_neighbours(postcode, towns)
        town = dominant(towns)
        return self._labels.of_town(town) if town else None

    def _beside_neighbours(self, postcode: str, towns: list[Town]) -> Place | None:
        """Where a postcode may be that no gazetteer has: the one of `towns` that lies among
        its neighbours, or, as a city is wide, these."""
        neighbours = self._gazetteer.neighbours(postcode)
        if not neighbours or not towns:
            return None
        middle = Point(*(float(value) for value in np.mean(neighbours, axis=0)))
        apart, town = min(
            ((apart_km(middle, town.point), town) for town in towns), key=lambda pair: pair[0]
        )
        if apart > CONTRADICTION_KM:
            return None
        if town.population < _CITY_INHABITANTS:
            return self._labels.of_town(town)
        label = f"{postcode} {town.name}"
        return Place(label, middle.latitude, middle.longitude, Precision.REGION, town.land)

    def contradiction_km(self, address: Address) -> float | None:
        """How far postcode and town are apart, None while they agree or one is unknown."""
        postcode = normal_postcode(address.postcode)
        if address.country != "DE" or postcode not in self._gazetteer.postcodes:
            return None
        towns = self._gazetteer.named(address.city or "")
        apart_km = min((self._apart_km(postcode, town) for town in towns), default=0.0)
        return apart_km if apart_km > CONTRADICTION_KM else None

    def _apart_km(self, postcode: str, town: Town) -> float:
        return apart_km(Point(*self._gazetteer.postcodes[postcode]), town.point)


def _as_candidates(places: list[Place]) -> list[dict[str, object]]:
    return [msgspec.to_builtins(place) for place in places]
