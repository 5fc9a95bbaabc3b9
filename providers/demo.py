"""A made-up but plausible region, so that a newcomer sees a living map in the first minute.

Pure and deterministic: the same number, seed and moment give the same homes. They lie at
real postcodes, beginning around Gütersloh and reaching all of Germany at some 15,000. Sizes
and care forms follow the field: seven homes in ten carry more than 30 places; most are full
or have one to three places free.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import TypeVar

import msgspec
import numpy as np
from msgspec.structs import replace

from providers import demo_names
from providers.demo_homes import State, made_up_lines, made_up_profile, observed_at
from vacancies.advice import AdviceOffice
from vacancies.gazetteer import Gazetteer, load_gazetteer
from vacancies.geo import distances_km
from vacancies.models import Address, CareForm, Contact, Point, Profile, Vacancy

MOST_HOMES = 50_000
CENTRE = Point(51.9069, 8.3785)  # Gütersloh
HOMES_PER_POSTCODE = 2  # about 16,000 homes share Germany's 8,168 postcodes


class DemoHome(msgspec.Struct, frozen=True, kw_only=True):
    """A home, and its only report so far; `vacancies` is None if it has never reported."""

    id: str
    provider: str  # its name
    state: State
    profile: Profile
    vacancies: tuple[Vacancy, ...] | None = None
    observed_at: datetime | None = None


_STATES = {
    State.FULL: 0.38,
    State.FREE: 0.34,
    State.AGEING: 0.10,
    State.STALE: 0.08,
    State.STOPPED: 0.05,
    State.UNKNOWN: 0.05,
}
# Main care form of a home, and names that such homes bear.
_KINDS = {
    CareForm.LONG_TERM: 0.76,
    CareForm.DAY: 0.10,
    CareForm.SHARED_FLAT: 0.05,
    CareForm.ASSISTED_LIVING: 0.04,
    CareForm.SHORT_TERM: 0.03,
    CareForm.HOSPICE: 0.02,
}
Kind = TypeVar("Kind")


def made_up_region(homes: int, seed: int, now: datetime) -> Iterator[DemoHome]:
    """`homes` homes (1 to 50,000), sorted by postcode; every state occurs from 30 homes on.

    Raises ValueError for other numbers.
    """
    if not 1 <= homes <= MOST_HOMES:
        raise ValueError(f"A demo has 1 to {MOST_HOMES:,} homes, not {homes:,}.")
    random = Random(seed)
    states = _shares(_STATES, homes, random)
    kinds = _shares(_KINDS, homes, random)
    sites = _sites(load_gazetteer(), homes, random)
    offset, provider, left = random.randrange(4_000), -1, 0
    variant = 0
    for index, site in enumerate(sites):
        if left == 0:
            provider, left = provider + 1, random.randint(3, 8)
        left -= 1
        state, profile = (
            states[index],
            made_up_profile(kinds[index], states[index], site.address, site.point, now, random),
        )
        if state is State.FREE:
            variant += 1
        digest = hashlib.sha256(f"demo:{seed}:{index}".encode()).digest()
        yield DemoHome(
            id="d" + base64.b32encode(digest[:8]).decode().rstrip("=").lower(),
            provider=demo_names.provider_name(provider, offset),
            state=state,
            profile=profile,
            vacancies=made_up_lines(state, profile, variant, now, random),
            observed_at=observed_at(state, now, random),
        )


def made_up_advice(homes: int, seed: int) -> Iterator[AdviceOffice]:
    """An advice office in each of the larger towns of the region of that size."""
    random = Random(seed)
    sites = _sites(load_gazetteer(), homes, random)
    towns = Counter(site.address.city for site in sites)
    for city, count in towns.most_common(max(1, len(towns) // HOMES_PER_POSTCODE)):
        there = [site for site in sites if site.address.city == city]
        site = there[random.randrange(count)]
        digest = hashlib.sha256(f"advice:{seed}:{city}".encode()).digest()
        yield AdviceOffice(
            id="d" + base64.b32encode(digest[:8]).decode().rstrip("=").lower(),
            name=f"Pflegestützpunkt {city} (Demo)",
            address=replace(site.address, street=demo_names.street(random)),
            contact=Contact(phone=demo_names.phone(random)),
            point=site.point,
        )


def _shares(shares: dict[Kind, float], count: int, random: Random) -> list[Kind]:
    """`count` values in about these shares, each at least once if there is room."""
    values = list(shares)[:count]
    for value, share in shares.items():
        values += [value] * max(0, round(share * count) - 1)
    first = next(iter(shares))
    values = (values + [first] * count)[:count]
    random.shuffle(values)
    return values


class _Site(msgspec.Struct, frozen=True):
    address: Address  # without a street
    point: Point


def _sites(gazetteer: Gazetteer, homes: int, random: Random) -> list[_Site]:
    """Where the homes stand: around the postcodes nearest to the centre."""
    codes = sorted(gazetteer.postcodes)
    points = np.array([gazetteer.postcodes[code] for code in codes])
    order = np.argsort(distances_km(CENTRE, points[:, 0], points[:, 1]), kind="stable")
    wanted = min(len(codes), max(10, math.ceil(homes / HOMES_PER_POSTCODE)))
    chosen = sorted(random.choices([int(index) for index in order[:wanted]], k=homes))
    cities: dict[int, tuple[str, float]] = {}
    sites = []
    for index in chosen:
        centre = Point(float(points[index, 0]), float(points[index, 1]))
        if index not in cities:
            apart = np.partition(distances_km(centre, points[:, 0], points[:, 1]), 1)[1]
            town = gazetteer.town_at(centre) or gazetteer.nearest_town(centre)
            cities[index] = town.name, min(max(float(apart) / 2, 0.3), 3.0)
        city, reach_km = cities[index]
        address = Address(postcode=codes[index], city=city)
        sites.append(_Site(address, _jittered(centre, reach_km, random)))
    return sites


def _jittered(centre: Point, reach_km: float, random: Random) -> Point:
    angle, away_km = random.uniform(0, 2 * math.pi), reach_km * math.sqrt(random.uniform(0.01, 1))
    north, east = away_km * math.sin(angle), away_km * math.cos(angle)
    per_degree = 111.2 * math.cos(math.radians(centre.latitude))
    return Point(
        round(centre.latitude + north / 111.2, 6), round(centre.longitude + east / per_degree, 6)
    )
