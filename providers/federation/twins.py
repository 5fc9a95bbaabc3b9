"""Which homes of neighbours are homes of ours: near a border both sides may list the same one.

Ours is shown then: it is reported here. Two homes are one if they have the same name, and the same
street and postcode or nearly the same place. Words of a name may stand in any order.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict

import asyncpg

from providers.imports.cells import fold_street, fold_words
from vacancies.database import Connection, Pool
from vacancies.foreign import Match
from vacancies.geo import apart_km
from vacancies.homes import IS_SHOWN
from vacancies.models import Address, Point

NEAR_KM = 0.5

_PLACES = "id, name, street, postcode, latitude, longitude, status, merged_into"


class Twins:
    """Our open homes, by what a twin would be called."""

    def __init__(self) -> None:
        self._by_name: dict[frozenset[str], list[tuple[str, Address, Point]]] = defaultdict(list)

    def add(self, home_id: str, name: str, address: Address, point: Point) -> None:
        self._by_name[_words(name)].append((home_id, address, point))

    def of(self, name: str, address: Address, point: Point) -> str | None:
        """The id of our home that is the same as that one; None if there is none."""
        found = self._by_name.get(_words(name), ())
        for home_id, own_address, own_point in found:
            if _is_same_address(own_address, address) or apart_km(own_point, point) <= NEAR_KM:
                return home_id
        return None


def _words(name: str) -> frozenset[str]:
    return frozenset(filter(None, map(fold_words, re.split(r"[\s\-–/,.&+]+", name))))


def _is_same_address(one: Address, other: Address) -> bool:
    streets = fold_street(one.street), fold_street(other.street)
    return bool(streets[0] and one.postcode) and (streets[0], one.postcode) == (
        streets[1],
        other.postcode,
    )


async def select_twins(connection: Connection | Pool) -> Twins:
    rows = await connection.fetch(
        f"SELECT {_PLACES} FROM care_home WHERE origin IS NULL AND status = 'open'"
        f" AND {IS_SHOWN} ORDER BY id"
    )

    def read() -> Twins:
        twins = Twins()
        for row in rows:
            twins.add(row["id"], row["name"], *_place(row))
        return twins

    return await asyncio.to_thread(read)  # a large region is some 100 ms


async def select_mismatches(connection: Connection | Pool, slug: str, twins: Twins) -> list[Match]:
    """What is to be put right for the homes of that neighbour, since homes of ours are new, gone or
    changed."""
    rows = await connection.fetch(
        f"SELECT {_PLACES} FROM care_home WHERE origin = $1 AND status <> 'closed'", slug
    )

    def compare() -> list[Match]:
        found = []
        for row in rows:
            own_id = twins.of(row["name"], *_place(row))
            if own_id != row["merged_into"]:
                found.append(Match(home_id=row["id"], own_id=own_id))
        return found

    return await asyncio.to_thread(compare)


def _place(row: asyncpg.Record) -> tuple[Address, Point]:
    address = Address(street=row["street"], postcode=row["postcode"])
    return address, Point(row["latitude"], row["longitude"])
