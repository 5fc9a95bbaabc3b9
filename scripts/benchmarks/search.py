"""The nearest 50 homes with a free place of one care form, beside PostGIS and Redis.

The same homes and questions for all. We answer in this process, on one core, one question a
call; they have both cores (`py` says how they are asked). Where they are slow they get
every tenth question only.

PostGIS is asked in three ways: sort what `ST_DWithin` leaves; walk the index from the centre; and
that with an index which holds nothing but the homes with this form free.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from statistics import median

import asyncpg
from msgspec.structs import replace

from scripts.benchmarks import search_http
from scripts.benchmarks.debian import Missing
from scripts.benchmarks.figures import Figure, Findings, Plot, figure
from scripts.benchmarks.postgis import postgis
from scripts.benchmarks.redis_server import redis_server
from scripts.benchmarks.spatial import (
    NEAREST,
    OWN_INDEX,
    REDIS,
    SORTED,
    WALKED,
    Ask,
    asked_postgis,
    asked_redis,
    redis_version,
    say,
)
from scripts.benchmarks.towns import FORMS, Region, made_up_region
from vacancies.board import Board
from vacancies.models import Freshness, Listing, Point, Profile, Vacancy
from vacancies.search import Query

RADII_KM = (25.0, 5.0)
QUESTIONS = 2_000
REQUESTS = 2_000
MANY_HOMES = 100_000
OURS = "Freiplatz, one core"

Rates = dict[tuple[str, int, float], list[float]]
"""Questions a second by who answers, homes and radius in km: a value a run."""


async def measure(homes: Sequence[int], served: int, runs: int) -> Findings:
    """In this process with each number of `homes`, and over HTTP with `served` of them."""
    found, rates = Findings(), Rates()
    async with AsyncExitStack() as stack:
        dsn = await _started_postgis(stack, found)
        redis = await _started_redis(stack, found)
        for count in homes:
            region = made_up_region(count, QUESTIONS)
            async with AsyncExitStack() as filled:
                sides: dict[str, Ask] = {OURS: _asked_board(region, found)}
                if dsn is not None:
                    sides |= await filled.enter_async_context(asked_postgis(dsn, region))
                if redis is not None:
                    sides |= await filled.enter_async_context(asked_redis(redis, region))
                # As `freiplatz serve` does it: what is loaded stays, and is not looked at again.
                gc.collect()
                gc.freeze()
                await _check(sides)
                await _measure(sides, count, runs, rates)
            gc.unfreeze()
    found.figures = _figures(rates, homes)
    found.figures += await search_http.measure(served, REQUESTS, runs)
    if len(homes) > 1:
        found.plots.append(_plot(rates, homes))
    return found


async def _check(sides: dict[str, Ask]) -> None:
    """All who know the filter must find the same; those at the very edge of a circle apart."""
    for radius_km in RADII_KM:
        found = {side: await ask(10, radius_km) for side, ask in sides.items()}
        found.pop(REDIS, None)
        if max(found.values()) > 1.005 * min(found.values()):
            raise RuntimeError(f"Different homes were found within {radius_km} km: {found}")


async def _measure(sides: dict[str, Ask], homes: int, runs: int, rates: Rates) -> None:
    for run in range(1, runs + 1):
        say(f"{homes:,} homes: run {run} of {runs}")
        for radius_km in RADII_KM:
            for side, ask in sides.items():
                step = 10 if side != OURS and homes > MANY_HOMES else 1
                began = time.perf_counter()
                await ask(step, radius_km)
                rate = QUESTIONS / step / (time.perf_counter() - began)
                rates.setdefault((side, homes, radius_km), []).append(rate)


def _asked_board(region: Region, found: Findings) -> Ask:
    homes = len(region.free)
    say(f"{homes:,} homes onto the board")
    board = Board()
    board.apply((_listing(region, number) for number in range(homes)), homes)
    queries = {
        radius_km: [
            Query(centres=(point,), radius_km=radius_km, care_forms=FORMS[:1])
            for point in region.asked
        ]
        for radius_km in RADII_KM
    }
    found.notes.append(_upkeep(board, queries[RADII_KM[0]][0]))

    async def ask(step: int, radius_km: float) -> int:
        homes = 0
        for query in queries[radius_km][::step]:
            slots, _ = board.nearest(query, NEAREST)
            homes += len(slots)
        return homes

    return ask


def _listing(region: Region, number: int) -> Listing:
    form = region.free[number]
    free = () if form < 0 else (Vacancy(care_form=FORMS[form], count=1),)
    point = Point(region.latitudes[number], region.longitudes[number])
    return Listing(
        id=f"h{number}",
        provider="bench",
        revision=number + 1,
        moved_revision=0,
        profile=Profile(name=f"Haus {number}", point=point),
        freshness=Freshness.FRESH,
        free={line.care_form: line.count for line in free},
        vacancies=free,
    )


def _upkeep(board: Board, query: Query) -> str:
    """What the index costs: once, and with each change."""
    homes = len(board)
    began = time.process_time()
    board.nearest(query)
    built = time.process_time() - began
    changed = [board.listing(slot) for slot in range(0, homes, -(-homes // 5_000))]
    began = time.process_time()
    for emptied in (True, False):
        for listing in changed:
            lines = () if emptied else listing.vacancies
            free = {} if emptied else listing.free
            revision = board.revision + 1
            board.apply([replace(listing, vacancies=lines, free=free, revision=revision)], revision)
    spent = (time.process_time() - began) / (2 * len(changed))
    return (
        f"{homes:,} homes: the index is built in {built * 1000:,.0f} ms when first asked; a change"
        f" of a home takes {spent * 1e6:.1f} µs, all of the board included."
    )


async def _started_postgis(stack: AsyncExitStack, found: Findings) -> str | None:
    try:
        dsn = await stack.enter_async_context(postgis())
    except Missing as missing:
        found.notes.append(str(missing))
        return None
    connection = await asyncpg.connect(dsn)
    found.versions["PostgreSQL"] = await connection.fetchval("SHOW server_version")
    found.versions["PostGIS"] = await connection.fetchval("SELECT PostGIS_Lib_Version()")
    await connection.close()
    return dsn


async def _started_redis(stack: AsyncExitStack, found: Findings) -> str | None:
    try:
        path = await stack.enter_async_context(redis_server())
    except Missing as missing:
        found.notes.append(str(missing))
        return None
    found.versions["Redis"] = await redis_version(path)
    return path


def _figures(rates: Rates, sizes: Sequence[int]) -> list[Figure]:
    goals = {(20_000, 25.0): 2.0, (20_000, 5.0): 2.0, (1_000_000, 25.0): 20.0}
    return [
        figure(
            f"{homes:,} homes, {radius_km:g} km",
            rates[OURS, homes, radius_km],
            rates.get((side, homes, radius_km), []),
            "queries/s",
            side,
            # An index for one question alone is there to show how far PostGIS can be brought.
            at_least=None if side == OWN_INDEX else goals.get((homes, radius_km)),
        )
        for homes in sizes
        for radius_km in RADII_KM
        for side in (SORTED, WALKED, OWN_INDEX, REDIS)
    ]


def _plot(rates: Rates, sizes: Sequence[int]) -> Plot:
    sides = dict.fromkeys(side for side, _, _ in rates)
    return Plot(
        "search",
        "The 50 nearest within 25 km",
        "homes",
        "queries/s",
        {
            side: [(homes, median(rates[side, homes, RADII_KM[0]])) for homes in sizes]
            for side in sides
        },
        log_x=True,
        log_y=True,
    )
