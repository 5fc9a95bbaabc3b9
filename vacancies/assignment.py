"""Which municipality a home belongs to: by its position, by hand, or as its provider states.

A changed boundary, a home that is new or has moved, and another statement of its provider are all
looked at in the same way, like policies (`judging.py`): by the sweeper, or by the command that
changed the boundary. A home whose municipality stays gets no new revision by that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from vacancies.actors import OPERATOR, Actor
from vacancies.boundaries import Boundaries
from vacancies.command import Unrecorded
from vacancies.database import Connection, Pool
from vacancies.errors import ForeignHome, UnknownHome
from vacancies.judging import select_approving
from vacancies.models import AssignedBy, Assignment, CareHome, Point, Standing
from vacancies.municipalities import read_boundaries, select_areas, select_generation
from vacancies.writer import Writer

BATCH = 500


class Place(msgspec.Struct, frozen=True, gc=False):
    """What a home's assignment is decided on, and what it is now."""

    home_id: str
    point: Point
    stated: str | None
    municipality: str | None
    by: AssignedBy | None


class Assign(msgspec.Struct, frozen=True, kw_only=True):
    """Put the home into the municipality in which it lies, as that was found from `place`. Nothing
    happens if it has moved since, or somebody has assigned it by hand."""

    place: Place
    municipality: str | None
    by: AssignedBy | None
    boundaries: int
    approves: bool = False  # that municipality, before it shows homes that are new there
    actor: Actor = OPERATOR

    @property
    def home_id(self) -> str:
        return self.place.home_id

    @property
    def kind(self) -> None:
        return None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home = _found(home, self.home_id)
        before = home.assignment
        now = (home.profile.point, before.stated)
        if before.by == "hand" or now != (self.place.point, self.place.stated):
            return home
        if before.boundaries > self.boundaries or home.profile.municipality == self.municipality:
            return home  # somebody else was at it too
        has_come = before.by == "position" and before.boundaries == 0  # it lay elsewhere before
        return replace(
            home,
            profile=replace(home.profile, municipality=self.municipality),
            assignment=Assignment(stated=before.stated, by=self.by, boundaries=self.boundaries),
            standing=Standing.WAITING if has_come and self.approves else home.standing,
        )


class AssignByHand(Unrecorded, frozen=True, kw_only=True):
    """Put the home into that municipality, wherever it lies; None: leave that to its position
    again."""

    municipality: str | None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home = _found(home, self.home_id)
        stated = home.assignment.stated
        if self.municipality is None:
            assignment, municipality = Assignment(stated=stated), stated
        else:
            assignment, municipality = Assignment(stated=stated, by="hand"), self.municipality
        if (home.profile.municipality, home.assignment) == (municipality, assignment):
            return home
        profile = replace(home.profile, municipality=municipality)
        return replace(home, profile=profile, assignment=assignment)


def _found(home: CareHome | None, home_id: str) -> CareHome:
    if home is None:
        raise UnknownHome(f"There is no home {home_id}.")
    if home.origin is not None:
        raise ForeignHome("This home belongs to a neighbouring service, and to nobody here.")
    return home


class Assigner:
    """Looks at all homes that no current boundary has been asked about. It keeps the boundaries:
    they are large, and seldom change."""

    def __init__(self) -> None:
        self._boundaries = Boundaries(0, {})

    async def run(
        self,
        connection: Connection,
        writer: Writer,
        progress: Callable[[int], None] = lambda homes: None,
    ) -> int:
        """Returns how many homes have come to another municipality. `progress` is told how many
        have been looked at since it was told last."""
        if await select_generation(connection) != self._boundaries.generation:
            generation, areas = await select_areas(connection)
            self._boundaries = await asyncio.to_thread(read_boundaries, generation, areas)
        generation = self._boundaries.generation
        changed = 0
        while places := await select_unassigned(connection, generation, BATCH):
            # In a thread: a boundary may have many thousands of corners.
            moves, stays = await asyncio.to_thread(self._judge, places)
            keys = list({move.municipality for move in moves if move.municipality is not None})
            if keys and (approving := await select_approving(connection, keys)):
                moves = [replace(move, approves=move.municipality in approving) for move in moves]
            settled = await writer.submit(moves) if moves else None
            if stays:
                await mark_looked_at(connection, stays, generation)
            done = sum(outcome.changed for outcome in settled.outcomes) if settled else 0
            changed += done
            progress(len(places))
            if done + len(stays) == 0:
                break  # all have moved meanwhile: the next round sees them
        return changed

    def _judge(
        self, places: Sequence[Place]
    ) -> tuple[list[Assign], list[tuple[Place, AssignedBy | None]]]:
        """Those that are to be put elsewhere, and those that are right, each with the reason."""
        moves: list[Assign] = []
        stays: list[tuple[Place, AssignedBy | None]] = []
        for place in places:
            key, by = self._boundaries.assign(place.point, place.stated)
            if key == place.municipality:
                stays.append((place, by))
                continue
            generation = self._boundaries.generation
            moves.append(Assign(place=place, municipality=key, by=by, boundaries=generation))
        return moves, stays


async def select_unassigned(connection: Connection, generation: int, limit: int) -> list[Place]:
    """Open homes that were last looked at by boundaries older than `generation`."""
    rows = await connection.fetch(
        "SELECT id, latitude, longitude, stated_municipality, municipality, assigned_by"
        " FROM care_home WHERE boundaries < $1 AND status = 'open' AND origin IS NULL"
        " AND assigned_by IS DISTINCT FROM 'hand' ORDER BY boundaries LIMIT $2",
        generation,
        limit,
    )
    return [
        Place(
            row["id"],
            Point(row["latitude"], row["longitude"]),
            row["stated_municipality"],
            row["municipality"],
            row["assigned_by"],
        )
        for row in rows
    ]


async def mark_looked_at(
    connection: Connection, stays: Sequence[tuple[Place, AssignedBy | None]], generation: int
) -> None:
    """Nothing public changes, so this is no revision. A home that is not as it was seen is looked
    at again. Processes that know the home from before may write the old number back: that costs
    a look, nothing else."""
    places = [place for place, _ in stays]
    ids = [place.home_id for place in places]
    async with connection.transaction():
        # As the writer locks, and in its order: so neither waits for the other in a circle.
        await connection.execute(
            "SELECT FROM home_state WHERE home_id = ANY($1) ORDER BY home_id FOR NO KEY UPDATE",
            ids,
        )
        await connection.execute(
            "UPDATE care_home SET boundaries = $1, assigned_by = seen.by_now"
            " FROM unnest($2::text[], $3::float8[], $4::float8[], $5::text[], $6::text[],"
            " $7::text[], $8::text[])"
            " AS seen (id, latitude, longitude, stated, municipality, by_then, by_now)"
            " WHERE care_home.id = seen.id AND care_home.latitude = seen.latitude"
            " AND care_home.longitude = seen.longitude"
            " AND care_home.stated_municipality IS NOT DISTINCT FROM seen.stated"
            " AND care_home.municipality IS NOT DISTINCT FROM seen.municipality"
            " AND care_home.assigned_by IS NOT DISTINCT FROM seen.by_then",
            generation,
            ids,
            [place.point.latitude for place in places],
            [place.point.longitude for place in places],
            [place.stated for place in places],
            [place.municipality for place in places],
            [place.by for place in places],
            [by for _, by in stays],
        )


async def release(pool: Pool, writer: Writer, key: str) -> None:
    """Leave the homes that were put into `key` by hand to their position again."""
    rows = await pool.fetch(
        "SELECT id FROM care_home WHERE assigned_by = 'hand' AND municipality = $1", key
    )
    commands = [AssignByHand(home_id=row["id"], municipality=None) for row in rows]
    if commands:
        await writer.submit(commands)


async def select_homes_of_nobody(connection: Connection | Pool) -> list[tuple[str, str, Point]]:
    """Id, name and position of open homes that belong to no municipality that takes part."""
    rows = await connection.fetch(
        "SELECT id, name, latitude, longitude FROM care_home h"
        " WHERE status = 'open' AND origin IS NULL"
        " AND NOT EXISTS (SELECT FROM municipality m WHERE starts_with(h.municipality, m.key))"
        " ORDER BY name, id"
    )
    return [(row["id"], row["name"], Point(row["latitude"], row["longitude"])) for row in rows]
