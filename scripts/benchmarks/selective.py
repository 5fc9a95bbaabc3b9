"""Which of many viewers a change concerns, each with a circle and a filter of its own.

Ours is `Audience.notify` in this process, old and new state of the home, with all that is noted
for the viewers. PostGIS holds the circles with their boxes in an index, and the filters; Redis
knows no filter, and looks for all viewers within the widest circle. Both are asked over their
socket, many changes at once.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median

import asyncpg
import numpy as np
from redis.asyncio import Redis

from scripts.benchmarks.debian import Missing
from scripts.benchmarks.figures import Figure, Findings, Plot, figure
from scripts.benchmarks.postgis import postgis
from scripts.benchmarks.redis_server import redis_server
from scripts.benchmarks.spatial import CONNECTIONS, PIPELINED, redis_version, say
from scripts.benchmarks.towns import points_in_towns
from vacancies.audience import Audience, Viewer
from vacancies.board import Board, Change
from vacancies.models import CareForm, Freshness, Listing, Point, Profile, Vacancy
from vacancies.search import Query

CHANGES = 2_000
RADII_KM = (5.0, 50.0)
FORMS = tuple(CareForm)
GRADES = (1, 2, 3, 4, 5)
AS_MANY = 10_000  # the circles of other crowds are drawn as much smaller or larger
PLOTTED = (1_000, 3_000, 10_000, 30_000, 100_000)
GOAL_US = 50.0

Ask = Callable[[], Awaitable[int]]
"""Asks for all changes; how many viewers they concern."""


@dataclass
class Crowd:
    """`queries` of viewers and the homes that change, of one region."""

    queries: list[Query]
    changes: list[Change]


def crowd(viewers: int, shrink: float = 1.0) -> Crowd:
    """Always the same for the same numbers. `shrink` divides the radii."""
    random = np.random.default_rng(2)
    places = zip(*(column.tolist() for column in points_in_towns(viewers, random)), strict=True)
    radii = (random.uniform(*RADII_KM, viewers) / shrink).tolist()
    forms = random.integers(len(FORMS), size=viewers).tolist()
    grades = random.integers(1, len(GRADES) + 1, size=viewers).tolist()
    queries = [
        Query(
            centres=(Point(*place),), radius_km=radius, care_forms=(FORMS[form],), care_grade=grade
        )
        for place, radius, form, grade in zip(places, radii, forms, grades, strict=True)
    ]
    places = zip(*(column.tolist() for column in points_in_towns(CHANGES, random)), strict=True)
    forms = random.integers(len(FORMS), size=CHANGES).tolist()
    changes = [
        _change(number, Point(*place), FORMS[form])
        for number, (place, form) in enumerate(zip(places, forms, strict=True))
    ]
    return Crowd(queries, changes)


def _change(number: int, point: Point, form: CareForm) -> Change:
    """One place more, the first one, or the last one gone, in a home that takes the higher
    care grades."""
    before, after = ((1, 2), (0, 1), (1, 0))[number % 3]
    old, new = (
        Listing(
            id=f"h{number}",
            provider="bench",
            revision=revision,
            moved_revision=0,
            profile=Profile(name=f"Haus {number}", point=point),
            freshness=Freshness.FRESH,
            free={form: count} if count else {},
            vacancies=(Vacancy(care_form=form, count=count, care_grades=GRADES[1:]),),
        )
        for count, revision in ((before, number + 1), (after, CHANGES + number + 1))
    )
    return Change(number, old, new)


async def measure(viewers: int, runs: int) -> Findings:
    found = Findings()
    given = crowd(viewers)
    ours, matches = _ours(given, runs)
    found.notes.append(
        f"{viewers:,} viewers, {matches:.1f} of them concerned by a change on average."
    )
    theirs: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        try:
            dsn = await stack.enter_async_context(postgis())
            asked = await stack.enter_async_context(_asked_postgis(dsn, given, found))
            theirs["PostGIS"] = [await _timed(asked, matches) for _ in range(runs)]
        except Missing as reason:
            found.notes.append(str(reason))
        try:
            path = await stack.enter_async_context(redis_server())
            found.versions["redis-server"] = await redis_version(path)
            asked = await stack.enter_async_context(_asked_redis(path, given))
            theirs["Redis GEOSEARCH, no filter"] = [await _timed(asked, None) for _ in range(runs)]
        except Missing as reason:
            found.notes.append(str(reason))
    found.figures = [_figure(ours, theirs.get(name, []), name) for name in theirs or [""]]
    found.plots.append(_plot(runs))
    return found


def _figure(ours: list[float], theirs: list[float], name: str) -> Figure:
    return figure(
        "matching a change",
        ours,
        theirs,
        "µs",
        name,
        goal=f"at most {GOAL_US:g} µs",
        met=median(ours) <= GOAL_US,
    )


def _ours(given: Crowd, runs: int) -> tuple[list[float], float]:
    """(microseconds a change, a value a run; viewers concerned by a change on average)"""
    audience = Audience(Board())
    viewers = [Viewer() for _ in given.queries]
    for viewer, query in zip(viewers, given.queries, strict=True):
        audience.join(viewer, query, 0)
    gc.collect()
    gc.freeze()  # as `freiplatz serve` does
    micros, concerned = [], 0
    for run in range(runs + 1):
        concerned = 0
        began = time.perf_counter()
        for change in given.changes:
            concerned += len(audience.notify((change,)))
        spent = time.perf_counter() - began
        for viewer in viewers:
            assert viewer.watch is not None
            viewer.watch.news.clear()  # they have been handed out
        if run:  # the first one fills the cells of the grid
            micros.append(spent / len(given.changes) * 1e6)
    gc.unfreeze()
    return micros, concerned / len(given.changes)


async def _timed(asked: Ask, matches: float | None) -> float:
    """Microseconds a change. They must find the viewers that we find."""
    began = time.perf_counter()
    count = await asked()
    spent = time.perf_counter() - began
    if matches is not None and abs(count / CHANGES / matches - 1) > 0.005:
        raise RuntimeError(f"{count / CHANGES:.2f} viewers were found, not {matches:.2f}")
    return spent / CHANGES * 1e6


@asynccontextmanager
async def _asked_postgis(dsn: str, given: Crowd, found: Findings) -> AsyncIterator[Ask]:
    """One statement for many changes on each of two connections; it returns a sum alone."""
    connections = [await asyncpg.connect(dsn) for _ in range(CONNECTIONS)]
    try:
        say("viewers into PostGIS")
        first = connections[0]
        found.versions["PostGIS"] = await first.fetchval("SELECT postgis_lib_version()")
        await first.execute(
            "CREATE TABLE given (latitude float8, longitude float8, metres float8, form text,"
            " grade int)"
        )
        rows = [
            (c.latitude, c.longitude, q.radius_km * 1000, str(q.care_forms[0]), q.care_grade)
            for q in given.queries
            for c in q.centres
        ]
        await first.copy_records_to_table("given", records=rows)
        await first.execute(
            """
            CREATE TABLE viewer AS SELECT *,
                ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography AS centre,
                ST_Envelope(ST_Buffer(ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)
                    ::geography, metres)::geometry) AS box FROM given;
            CREATE INDEX ON viewer USING gist (box);
            """,
            timeout=600,
        )
        await first.execute("VACUUM ANALYZE viewer")
        prepared = [
            await connection.prepare(
                """
                SELECT count(*) FROM (
                    SELECT ST_SetSRID(ST_MakePoint(longitude, latitude), 4326) AS point, form
                    FROM unnest($1::float8[], $2::float8[], $3::text[])
                        AS changed (latitude, longitude, form)) AS home
                JOIN viewer ON viewer.box && home.point
                    AND ST_DWithin(viewer.centre, home.point::geography, viewer.metres)
                    AND viewer.form = home.form AND viewer.grade = ANY ($4::int[])
                """
            )
            for connection in connections
        ]

        async def ask() -> int:
            async def part(number: int) -> int:
                homes = [change.new for change in given.changes[number::CONNECTIONS]]
                count: int = await prepared[number].fetchval(
                    [home.profile.point.latitude for home in homes],
                    [home.profile.point.longitude for home in homes],
                    [str(home.vacancies[0].care_form) for home in homes],
                    list(GRADES[1:]),
                    timeout=600,
                )
                return count

            return sum(await asyncio.gather(*map(part, range(CONNECTIONS))))

        yield ask
    finally:
        for connection in connections:
            await connection.close()


@asynccontextmanager
async def _asked_redis(path: str, given: Crowd) -> AsyncIterator[Ask]:
    async with Redis(unix_socket_path=path) as client:
        say("viewers into Redis")
        async with client.pipeline(transaction=False) as pipe:
            for number, query in enumerate(given.queries):
                center = query.centres[0]
                pipe.geoadd("viewers", (center.longitude, center.latitude, str(number)))
            await pipe.execute()
        reader, writer = await asyncio.open_unix_connection(path)

        async def ask() -> int:
            count = 0
            for start in range(0, CHANGES, PIPELINED):
                for change in given.changes[start : start + PIPELINED]:
                    point = change.new.profile.point
                    where = f"{point.longitude:.7f} {point.latitude:.7f}"
                    writer.write(
                        f"GEOSEARCH viewers FROMLONLAT {where} BYRADIUS {RADII_KM[1]} km"
                        " WITHDIST\r\n".encode()
                    )
                writer.write(b"ECHO end\r\n")
                answers = bytearray()
                while not answers.endswith(b"\r\nend\r\n"):
                    answers += await reader.read(1 << 20)
                count += answers.count(b"*2\r\n")
            return count

        yield ask
        writer.close()


def _plot(runs: int) -> Plot:
    """The same region with more viewers, and with circles so much smaller that as many are
    concerned: the cost goes with those."""
    growing, steady = [], []
    for viewers in PLOTTED:
        say(f"{viewers:,} viewers")
        micros, matches = _ours(crowd(viewers), min(runs, 3))
        growing.append((viewers, median(micros)))
        say(f"  {median(micros):.0f} µs, {matches:.1f} concerned")
        micros, matches = _ours(crowd(viewers, float((viewers / AS_MANY) ** 0.5)), min(runs, 3))
        steady.append((viewers, median(micros)))
        say(f"  {median(micros):.0f} µs, {matches:.1f} concerned, circles to match")
    return Plot(
        "matching",
        "Matching a change to those who watch",
        "viewers",
        "µs a change",
        {"circles of 5 to 50 km": growing, "as many concerned everywhere": steady},
        log_x=True,
        log_y=True,
    )
