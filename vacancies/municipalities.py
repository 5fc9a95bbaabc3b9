"""Those who take part: municipalities, districts and states, and where their areas are."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping

import asyncpg
import msgspec
import shapely
from shapely.geometry.base import BaseGeometry

from vacancies.boundaries import Boundaries
from vacancies.database import Connection, Pool, is_connection_error
from vacancies.errors import InvalidInput, UnknownMunicipality

# So old may be what is shown after a municipality has joined or changed its name.
KEPT_SECONDS = 60.0
RETRY_SECONDS = 5.0
PATIENCE_SECONDS = 1.0
# What a key begins with (Amtlicher Gemeindeschlüssel, Destatis).
LANDS = {
    "01": "Schleswig-Holstein",
    "02": "Hamburg",
    "03": "Niedersachsen",
    "04": "Bremen",
    "05": "Nordrhein-Westfalen",
    "06": "Hessen",
    "07": "Rheinland-Pfalz",
    "08": "Baden-Württemberg",
    "09": "Bayern",
    "10": "Saarland",
    "11": "Berlin",
    "12": "Brandenburg",
    "13": "Mecklenburg-Vorpommern",
    "14": "Sachsen",
    "15": "Sachsen-Anhalt",
    "16": "Thüringen",
}


class Municipality(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part, by its key (AGS): `homes` that are open and assigned to it or to a part of
    it, `has_boundary` if homes can be assigned by their position."""

    key: str
    name: str
    has_boundary: bool
    boundary_source: str
    homes: int

    @property
    def land(self) -> str | None:
        """The state that it lies in; None outside of Germany."""
        return LANDS.get(self.key[:2])


_SELECT = """
SELECT m.key, m.name, m.boundary IS NOT NULL AS has_boundary, m.boundary_source,
       (SELECT count(*) FROM care_home h
        WHERE h.status = 'open' AND starts_with(h.municipality, m.key)) AS homes
FROM municipality m
"""


class Names:
    """The names of all municipalities by key, as they were at most a minute ago."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._names: Mapping[str, str] = {}
        self._until = -math.inf

    async def all(self) -> Mapping[str, str]:
        """As they were before, while the database does not answer: pages need only the board."""
        if time.monotonic() >= self._until:
            # Set first: who asks at the same time takes what there is.
            self._until = time.monotonic() + KEPT_SECONDS
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    rows = await self._pool.fetch("SELECT key, name FROM municipality")
                self._names = {row["key"]: row["name"] for row in rows}
            except Exception as error:
                if not (isinstance(error, TimeoutError) or is_connection_error(error)):
                    raise
                self._until = time.monotonic() + RETRY_SECONDS
        return self._names


def _municipality(row: asyncpg.Record) -> Municipality:
    return msgspec.convert(dict(row), Municipality)


async def select_municipalities(connection: Connection | Pool) -> list[Municipality]:
    """All of them, by key: a district before its municipalities."""
    rows = await connection.fetch(f"{_SELECT} ORDER BY m.key")
    return [_municipality(row) for row in rows]


async def select_municipality(connection: Connection | Pool, key: str) -> Municipality:
    """Raises `UnknownMunicipality`."""
    row = await connection.fetchrow(f"{_SELECT} WHERE m.key = $1", key)
    if row is None:
        raise UnknownMunicipality(
            f"No municipality {key!r} takes part. `freiplatz municipality list` shows all."
        )
    return _municipality(row)


async def record_municipality(
    connection: Connection,
    key: str,
    name: str | None = None,
    boundary: BaseGeometry | None = None,
    boundary_source: str | None = None,
) -> bool:
    """Let a municipality take part, or change what is given of one that does; returns whether it
    is new. A new one needs a name. Raises `InvalidInput`."""
    async with connection.transaction():
        known = await connection.fetchval("SELECT name FROM municipality WHERE key = $1", key)
        if not (name or known):
            raise InvalidInput("It needs a name.", field="name")
        await connection.execute(
            "INSERT INTO municipality (key, name, boundary, boundary_source)"
            " VALUES ($1, $2, $3, coalesce($4, ''))"
            " ON CONFLICT (key) DO UPDATE SET name = excluded.name,"
            " boundary = coalesce(excluded.boundary, municipality.boundary),"
            " boundary_source = coalesce($4, municipality.boundary_source), updated_at = now()",
            key,
            name or known,
            None if boundary is None else shapely.to_geojson(boundary),
            boundary_source,
        )
        if boundary is not None:
            await _begin_generation(connection)
    return known is None


async def delete_municipality(connection: Connection, key: str) -> None:
    """Its homes are assigned anew: to the area around it, if that takes part. Raises
    `UnknownMunicipality`."""
    async with connection.transaction():
        await select_municipality(connection, key)
        await connection.execute("DELETE FROM municipality WHERE key = $1", key)
        await _begin_generation(connection)


async def _begin_generation(connection: Connection) -> None:
    await connection.execute("UPDATE boundary_head SET generation = generation + 1")


async def select_generation(connection: Connection | Pool) -> int:
    """That of the boundaries as they are now; 0 as long as there were none."""
    return int(await connection.fetchval("SELECT generation FROM boundary_head"))


async def select_areas(connection: Connection) -> tuple[int, dict[str, str]]:
    """Generation and boundaries (GeoJSON) by key, all of one state."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        generation = await select_generation(connection)
        rows = await connection.fetch(
            "SELECT key, boundary FROM municipality WHERE boundary IS NOT NULL"
        )
    return generation, {row["key"]: row["boundary"] for row in rows}


def read_boundaries(generation: int, areas: Mapping[str, str]) -> Boundaries:
    """Takes seconds for a whole country: not for the loop."""
    return Boundaries(generation, {key: shapely.from_geojson(each) for key, each in areas.items()})
