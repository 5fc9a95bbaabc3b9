"""Where the area of a desk is, and whose homes a boundary would take: nobody gets homes of others
by drawing a line around them, or by moving one of its own to where others are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from vacancies.boundaries import Boundaries, are_kin, overlapping
from vacancies.database import borrowed
from vacancies.models import Point
from vacancies.municipalities import read_boundaries, select_areas
from web.desk.access import AtDesk
from web.state import state


async def own_area(at: AtDesk) -> Callable[[Point], bool]:
    """Whether a point is the desk's: where it would be assigned to it. As long as the municipality
    has no boundary, everywhere where no other has one."""
    async with borrowed(state().deployment.pool) as connection:
        generation, stored = await select_areas(connection)
    boundaries = await asyncio.to_thread(read_boundaries, generation, stored)

    def is_own(point: Point) -> bool:
        key = boundaries.key_at(point)
        return at.key not in stored if key is None else at.desk.owns(key)

    return is_own


async def settle_area(at: AtDesk, area: BaseGeometry) -> tuple[BaseGeometry, list[str]]:
    """`area` as the desk may have it, without what strangers have already; and the names of those
    who would lose too much land or a home by it, also of a district around it. What they give up,
    the operator decides."""
    async with borrowed(state().deployment.pool) as connection:
        _generation, stored = await select_areas(connection)
        rows = await connection.fetch("SELECT key, name FROM municipality")
        homes = await connection.fetch(
            "SELECT latitude, longitude, stated_municipality, municipality FROM care_home"
            " WHERE status = 'open' AND origin IS NULL AND municipality IS NOT NULL"
            " AND assigned_by IS DISTINCT FROM 'hand'"
        )
    names = {row["key"]: row["name"] for row in rows}
    own, losers = await asyncio.to_thread(_settle, at, area, stored, names, homes)
    return own, [names.get(key, key) for key in losers]


def _settle(
    at: AtDesk,
    area: BaseGeometry,
    stored: Mapping[str, str],
    participants: Collection[str],
    homes: Sequence[Any],
) -> tuple[BaseGeometry, list[str]]:
    others = {key: shapely.from_geojson(text) for key, text in stored.items() if key != at.key}
    losers = set(overlapping(at.key, area, others))
    # Boundaries that were simplified one by one overlap a little: whoever came first keeps that.
    strangers = [shape for key, shape in others.items() if not are_kin(key, at.key)]
    own = shapely.make_valid(area.difference(shapely.union_all(strangers)))
    boundaries = Boundaries(0, {**others, at.key: own})
    for home in homes:
        holder = _holder(home["municipality"], participants)
        if holder is None or holder == at.key:
            continue
        point = Point(home["latitude"], home["longitude"])
        found, _by = boundaries.assign(point, home["stated_municipality"])
        if found is not None and at.desk.owns(found):
            losers.add(holder)
    return own, sorted(losers)


def _holder(municipality: str, participants: Collection[str]) -> str | None:
    """Whose desk a home is at that is assigned to `municipality`: the smallest that takes part."""
    around = [key for key in participants if municipality.startswith(key)]
    return max(around, key=len, default=None)
