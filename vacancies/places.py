"""A place as people are shown it: a point, and a label that, typed again, finds it again."""

from __future__ import annotations

import msgspec

from vacancies.gazetteer import Gazetteer
from vacancies.models import Point, Precision
from vacancies.towns import Town, dominant

# Their parts lie in no other town's neighbourhood, whatever is nearest.
_CITY_STATES = frozenset({"Berlin", "Bremen", "Hamburg"})


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A point with a label that, typed again, finds it again. `land` tells places apart; so
    does `near_town`, where the name does not: a larger town nearby."""

    label: str
    latitude: float
    longitude: float
    precision: Precision
    land: str = ""
    near_town: str = ""

    @property
    def point(self) -> Point:
        return Point(self.latitude, self.longitude)


class Labels:
    """Gives towns and postcodes their labels, and remembers them."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self._towns: dict[Town, Place] = {}
        self._postcodes: dict[str, Place] = {}

    def of_town(self, town: Town) -> Place:
        """The name where it is enough, else with postcode and Land."""
        place = self._towns.get(town)
        if place is None:
            place = self._towns[town] = self._town(town)
        return place

    def _town(self, town: Town) -> Place:
        at = (town.latitude, town.longitude, Precision.TOWN)
        if dominant(self._gazetteer.named(town.name)) is town:
            return Place(town.name, *at, town.land)
        label = f"{self._gazetteer.nearest_postcode(town.point)} {town.name}, {town.land}"
        larger = None
        if town.land not in _CITY_STATES:
            larger = self._gazetteer.nearest_larger(town)
        return Place(label, *at, town.land, larger.name if larger else "")

    def of_postcode(self, postcode: str, town: Town | None = None) -> Place:
        """With the name of `town`, else of the one that lies there."""
        place = self._postcodes.get(postcode) if town is None else None
        if place is None:
            point = Point(*self._gazetteer.postcodes[postcode])
            there = town or self._gazetteer.town_at(point)
            label = f"{postcode} {there.name}" if there else postcode
            beside = there or self._gazetteer.nearest_town(point)
            at = (point.latitude, point.longitude, Precision.POSTCODE)
            place = Place(label, *at, beside.land, "" if there else beside.name)
            if town is None:
                self._postcodes[postcode] = place
        return place
