"""From what people type, or a list says, to a point on the map.

Offline by default, and then for Germany only: postcodes, towns, and "postcode town".
A street resolves to its postcode. Towns abroad are not in the built-in gazetteer: homes
there need coordinates, and searches there `near=` or a geocoding service of your own
(setting `FREIPLATZ_GEOCODER`, see `online_geocoding.py`).
"""

from __future__ import annotations

import re
from typing import Protocol

import msgspec
import numpy as np

from vacancies.errors import AmbiguousPlace, UnknownPlace
from vacancies.gazetteer import Gazetteer, Town, dominant, load_gazetteer
from vacancies.geo import distances_km
from vacancies.models import Address, Point, Precision
from vacancies.placenames import Wish, clean, key_of, normal_postcode, parse

# A postcode and a town that are farther apart than this cannot both be meant.
CONTRADICTION_KM = 50.0
_MOST_CANDIDATES = 25
_DISTRICT_INHABITANTS = 20_000
_CITY_INHABITANTS = 100_000

_AFTER_HOUSE_NUMBER = re.compile(r"[0-9]+\s?[a-z]?\s+([^0-9]+)$", re.IGNORECASE)


class Place(msgspec.Struct, frozen=True):
    """A point with a label that, typed again, finds it again."""

    label: str
    latitude: float
    longitude: float
    precision: Precision

    @property
    def point(self) -> Point:
        return Point(self.latitude, self.longitude)


class Geocoder(Protocol):
    async def places(self, q: str, limit: int = 10) -> list[Place]:
        """Places for `q` (postcode, town, "postcode town", street address, "lat, lon"),
        best first; [] when nothing is known."""

    async def find(self, q: str) -> Place:
        """The one place that `q` means.

        Raises `UnknownPlace`, or `AmbiguousPlace` whose candidates are
        `{label, latitude, longitude, precision}`.
        """

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
        self._labels: dict[Town, str] = {}

    @property
    def _gazetteer(self) -> Gazetteer:
        if self._loaded is None:
            self._loaded = load_gazetteer()
        return self._loaded

    async def aclose(self) -> None:
        pass

    async def places(self, q: str, limit: int = 10) -> list[Place]:
        wish = parse(q)
        found = self._candidates(wish)[0]
        if wish.postcode is None and wish.point is None and len(found) < limit:
            towns = self._gazetteer.starting_with(wish.town, limit)
            found += [self._town_place(town) for town in towns]
        return list(dict.fromkeys(found))[:limit]

    async def find(self, q: str) -> Place:
        found, decided = self._candidates(parse(q))
        if not found:
            raise UnknownPlace(
                "No place of that name or postcode is known. Check the spelling, add the"
                " postcode, or give coordinates.",
                field="place",
            )
        if decided:
            return found[0]
        raise AmbiguousPlace(
            "Several places have that name. Choose one of the candidates.",
            candidates=[msgspec.to_builtins(place) for place in found[:_MOST_CANDIDATES]],
        )

    def _candidates(self, wish: Wish) -> tuple[list[Place], bool]:
        """Places, best first, and whether the first is clearly meant."""
        if wish.point is not None:
            at = wish.point
            label = f"{at.latitude:g}, {at.longitude:g}"
            return [Place(label, at.latitude, at.longitude, Precision.EXACT)], True
        towns = self._towns(wish.town)
        if wish.postcode in self._gazetteer.postcodes:
            return self._by_postcode(wish, wish.postcode, towns)
        places = [self._town_place(town) for town in towns]
        return places, dominant(towns) is not None

    def _by_postcode(
        self, wish: Wish, postcode: str, towns: list[Town]
    ) -> tuple[list[Place], bool]:
        for town in towns:
            # One of our own labels for an ambiguous name means the town, not the postcode.
            if key_of(self._label(town)) == (postcode, *key_of(wish.town)):
                return [self._town_place(town)], True
        near = [town for town in towns if self._apart_km(postcode, town) <= CONTRADICTION_KM]
        if wish.guessed and wish.town and not near:
            return [self._town_place(town) for town in towns], dominant(towns) is not None
        place = self._postcode_place(postcode, near[0] if near else None)
        if not towns or near:
            return [place], True
        return [place, *(self._town_place(town) for town in towns)], False

    def _towns(self, text: str) -> list[Town]:
        """Towns that `text` names, also behind a street or before a district."""
        gazetteer = self._gazetteer
        found = gazetteer.named(text)
        if not found and "," in text:
            return self._towns(text.split(",", 1)[1].strip())
        if not found and (behind := _AFTER_HOUSE_NUMBER.search(text)):
            return self._towns(behind[1].strip())
        words = re.split(r"[\s-]+", text)
        if not found and 2 <= len(words) <= 3:  # "Köln-Porz": only of what has districts
            whole = dominant(gazetteer.named(words[0]))
            if whole is not None and whole.population >= _DISTRICT_INHABITANTS:
                return [whole]
        return found

    def locate(self, address: Address) -> Place | None:
        """The postcode decides; one that does not exist is replaced by the town, or in a
        city by its neighbouring postcodes. None for other countries, and for a town that
        is not known or not unique."""
        if address.country != "DE":
            return None
        postcode = normal_postcode(address.postcode)
        if postcode in self._gazetteer.postcodes:
            return Place(postcode, *self._gazetteer.postcodes[postcode], Precision.POSTCODE)
        towns = self._towns(clean(address.city or ""))
        neighbours = self._gazetteer.neighbours(postcode) if postcode else []
        if not neighbours:
            town = dominant(towns)
            return self._town_place(town) if town else None
        latitude, longitude = (float(value) for value in np.mean(neighbours, axis=0))
        near = [(_km(Point(latitude, longitude), town.point), town) for town in towns]
        if not near or min(near, key=lambda pair: pair[0])[0] > CONTRADICTION_KM:
            return None
        town = min(near, key=lambda pair: pair[0])[1]
        if town.population < _CITY_INHABITANTS:
            return self._town_place(town)
        return Place(f"{postcode} {town.name}", latitude, longitude, Precision.REGION)

    def contradiction_km(self, address: Address) -> float | None:
        """How far postcode and town are apart, None while they agree or one is unknown."""
        postcode = normal_postcode(address.postcode)
        if address.country != "DE" or postcode not in self._gazetteer.postcodes:
            return None
        towns = self._gazetteer.named(address.city or "")
        apart_km = min((self._apart_km(postcode, town) for town in towns), default=0.0)
        return apart_km if apart_km > CONTRADICTION_KM else None

    def _apart_km(self, postcode: str, town: Town) -> float:
        return _km(Point(*self._gazetteer.postcodes[postcode]), town.point)

    def _postcode_place(self, postcode: str, town: Town | None) -> Place:
        point = Point(*self._gazetteer.postcodes[postcode])
        town = town or self._gazetteer.town_at(point)
        label = f"{postcode} {town.name}" if town else postcode
        return Place(label, point.latitude, point.longitude, Precision.POSTCODE)

    def _town_place(self, town: Town) -> Place:
        return Place(self._label(town), town.latitude, town.longitude, Precision.TOWN)

    def _label(self, town: Town) -> str:
        """The name where it is enough, else with postcode and Land."""
        label = self._labels.get(town)
        if label is None:
            label = town.name
            if dominant(self._gazetteer.named(town.name)) is not town:
                label = f"{self._gazetteer.nearest_postcode(town.point)} {town.name}, {town.land}"
            self._labels[town] = label
        return label


def _km(a: Point, b: Point) -> float:
    return float(distances_km(a, np.array([b.latitude]), np.array([b.longitude]))[0])
