"""Searches that found no free place, counted by municipality, care form and day.

Nothing of who asked is known here, and of what was asked only the place and the care forms. The
point is kept in memory for a minute at most, until the municipality around it is looked up.
A process that ends loses what it has counted in its last minute.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec
import structlog

from vacancies.board import Board
from vacancies.boundaries import Boundaries
from vacancies.database import Connection, Pool, borrowed, is_connection_error
from vacancies.models import CareForm, Point
from vacancies.municipalities import read_boundaries, select_areas, select_generation
from vacancies.rollup_days import ALL
from vacancies.search import Query

log = structlog.get_logger()

FLUSH_SECONDS = 60.0
# More are not searches of people. Then counts are too low; memory stays what it is.
MOST_WAITING = 10_000
# Looked up in one go.
LOOK_AT = 20
# Shown are groups of so many searches; what is smaller could point to somebody.
LEAST_SHOWN = 10


class _Asked(NamedTuple):
    day: date
    point: Point | None
    municipality: str | None
    care_forms: tuple[CareForm, ...]


class Row(NamedTuple):
    municipality: str
    care_form: str
    day: date


class Unmet:
    """What this process has counted, and has not written yet."""

    def __init__(self) -> None:
        self._asked: list[_Asked] = []
        self._rows: Counter[Row] = Counter()
        self._boundaries = Boundaries(0, {})

    def note(self, query: Query, day: date) -> None:
        """Somebody has searched, and nothing was free. Of two places the first one counts; a
        search without a place is nobody's."""
        point = query.centres[0] if query.centres else None
        if (point or query.municipality) and len(self._asked) < MOST_WAITING:
            self._asked.append(_Asked(day, point, query.municipality, query.care_forms))

    async def flush(self, pool: Pool, board: Board) -> None:
        """Write what was counted. If that fails it is tried again with the next."""
        if self._asked:
            async with borrowed(pool) as connection:
                await self._look_up(connection, board)
        if self._rows:
            async with borrowed(pool) as connection:
                await record_unmet(connection, self._rows)
            self._rows = Counter()

    async def _look_up(self, connection: Connection, board: Board) -> None:
        if await select_generation(connection) != self._boundaries.generation:
            generation, areas = await select_areas(connection)
            self._boundaries = await asyncio.to_thread(read_boundaries, generation, areas)
        asked, self._asked = self._asked, []
        for number, each in enumerate(asked):
            if number % LOOK_AT == 0:
                await asyncio.sleep(0)  # looking holds up the loop
            key = each.municipality
            if key is None and each.point is not None:
                key = _key_at(each.point, self._boundaries, board)
            elif key and not board.search(Query(municipality=key, include_full=True), 1).total:
                continue  # anybody can ask for any number
            if key:
                # Every search once, beside its care forms: as homes are counted.
                self._rows.update(Row(key, form, each.day) for form in (ALL, *each.care_forms))

    async def run_for_ever(
        self, pool: Pool, board: Board, *, seconds: float = FLUSH_SECONDS
    ) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.flush(pool, board)
            except Exception as error:
                if is_connection_error(error):
                    log.warning("searches could not be counted", error=type(error).__name__)
                else:
                    log.exception("searches could not be counted")


def _key_at(point: Point, boundaries: Boundaries, board: Board) -> str | None:
    """The municipality around `point`, else that of the nearest home: as homes are assigned."""
    near = board.search(Query(centres=(point,), include_full=True), 1).hits
    return boundaries.assign(point, near[0].listing.profile.municipality if near else None)[0]


async def record_unmet(connection: Connection, rows: Counter[Row]) -> None:
    """Add these to what was counted before."""
    # In one order, so that no two processes wait for each other in a circle.
    ordered = sorted(rows.items())
    await connection.execute(
        "INSERT INTO unmet_search AS known (municipality, care_form, day, searches)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::integer[])"
        " ON CONFLICT (municipality, care_form, day)"
        " DO UPDATE SET searches = known.searches + excluded.searches",
        *([getattr(row, name) for row, _ in ordered] for name in Row._fields),
        [searches for _, searches in ordered],
    )


class Group(msgspec.Struct, frozen=True):
    """So many searches for that care form ("all": for none in particular, and all others) in a
    municipality; None: in municipalities that are too few each to be shown."""

    municipality: str | None
    care_form: str
    searches: int


async def select_unmet(
    connection: Connection, municipality: str, first: date, last: date, care_forms: Sequence[str]
) -> list[Group]:
    """Searches in municipalities whose key begins with `municipality`, the most first. Groups of
    less than `LEAST_SHOWN` are put together by care form, and shown if they are enough then."""
    rows = await connection.fetch(
        "WITH counted AS ("
        "  SELECT municipality, care_form, sum(searches) AS searches FROM unmet_search"
        "  WHERE municipality >= $1 AND municipality < $1 || ':' AND day BETWEEN $2 AND $3"
        "  AND care_form = ANY($4::text[]) GROUP BY municipality, care_form"
        "), shown AS ("
        "  SELECT CASE WHEN searches >= $5 THEN municipality END AS place, care_form,"
        "  sum(searches)::integer AS searches FROM counted GROUP BY place, care_form"
        ") SELECT * FROM shown WHERE searches >= $5"
        " ORDER BY place IS NULL, searches DESC, place, care_form",
        municipality,
        first,
        last,
        list(care_forms),
        LEAST_SHOWN,
    )
    return [Group(*row) for row in rows]
