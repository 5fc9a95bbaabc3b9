"""Offices that advise on care for nothing (Pflegestützpunkte, § 7c SGB XI): who to call when no
place is found."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from vacancies.database import Connection, Pool
from vacancies.geo import chords_km, position, positions
from vacancies.models import Address, Contact, Point

# So old may be what is shown after an operator has changed the list.
KEPT_SECONDS = 60.0
# Further away nobody goes for advice.
FURTHEST_KM = 60.0


class AdviceOffice(msgspec.Struct, frozen=True, kw_only=True):
    """`area` holds the first digits of the municipality keys that it is there for; None: it is
    there for all who are near."""

    id: str
    name: str
    address: Address
    contact: Contact
    point: Point
    area: str | None = None


class AdviceOffices:
    """All offices, as they were at most a minute ago: they are few and seldom change."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._offices: Sequence[AdviceOffice] = ()
        self._until = -math.inf

    async def all(self) -> Sequence[AdviceOffice]:
        if time.monotonic() >= self._until:
            self._offices = await select_advice_offices(self._pool)
            self._until = time.monotonic() + KEPT_SECONDS
        return self._offices


def office_for(
    offices: Sequence[AdviceOffice], point: Point, municipality: str | None = None
) -> AdviceOffice | None:
    """Whom to ask at `point`: an office for that municipality, the smallest area first; else,
    and among several, the nearest, if it is near."""
    own = [o for o in offices if municipality and o.area and municipality.startswith(o.area)]
    closest = max((len(o.area or "") for o in own), default=0)
    own = [o for o in own if len(o.area or "") == closest]
    if nearest := _nearest(own or offices, point):
        office, km = nearest
        if own or km <= FURTHEST_KM:
            return office
    return None


def _nearest(offices: Sequence[AdviceOffice], point: Point) -> tuple[AdviceOffice, float] | None:
    if not offices:
        return None
    points = [office.point for office in offices]
    places = positions(
        np.array([p.latitude for p in points]), np.array([p.longitude for p in points])
    )
    kms = chords_km(position(point), places)
    best = int(kms.argmin())
    return offices[best], float(kms[best])


async def select_advice_offices(connection: Connection | Pool) -> list[AdviceOffice]:
    """All of them, by name."""
    rows = await connection.fetch("SELECT * FROM advice_office ORDER BY name, id")
    return [
        AdviceOffice(
            id=row["id"],
            name=row["name"],
            address=Address(street=row["street"], postcode=row["postcode"], city=row["city"]),
            contact=Contact(phone=row["phone"], email=row["email"], website=row["website"]),
            point=Point(row["latitude"], row["longitude"]),
            area=row["area"],
        )
        for row in rows
    ]


async def upsert_advice_offices(connection: Connection, offices: Iterable[AdviceOffice]) -> None:
    """Write them over those with the same id."""
    await connection.executemany(
        "INSERT INTO advice_office (id, name, street, postcode, city, latitude, longitude, phone,"
        " email, website, area) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, street = excluded.street,"
        " postcode = excluded.postcode, city = excluded.city, latitude = excluded.latitude,"
        " longitude = excluded.longitude, phone = excluded.phone, email = excluded.email,"
        " website = excluded.website, area = excluded.area, updated_at = now()",
        [
            (
                office.id,
                office.name,
                office.address.street,
                office.address.postcode,
                office.address.city,
                office.point.latitude,
                office.point.longitude,
                office.contact.phone,
                office.contact.email,
                office.contact.website,
                office.area,
            )
            for office in offices
        ],
    )


async def delete_advice_offices(connection: Connection, ids: Sequence[str]) -> int:
    """Returns how many there were."""
    deleted = await connection.fetch(
        "DELETE FROM advice_office WHERE id = ANY($1) RETURNING id", ids
    )
    return len(deleted)
