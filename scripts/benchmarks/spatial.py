"""PostGIS and Redis with the homes of a region, asked for the nearest 50.

Both are asked over their socket, many questions at once, so that no time goes into talking:
PostGIS one statement for many questions on each of two connections, which returns sums alone;
Redis 100 commands a write. Redis knows no filter, so it looks at all homes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import chain, islice

import asyncpg
from redis.asyncio import Redis

from scripts.benchmarks.towns import Region
from vacancies.models import Point

Ask = Callable[[int, float], Awaitable[int]]
"""Asks from every n-th point of a region for a radius in km; how many homes were found."""

NEAREST = 50
CONNECTIONS = 2
PIPELINED = 100

_STATEMENT = """
SELECT count(*), sum(near.metres) FROM
    (SELECT ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography AS point
     FROM unnest($1::float8[], $2::float8[]) AS asked (latitude, longitude)) AS centre,
    LATERAL (
        SELECT ST_Distance(home.point, centre.point) AS metres FROM {table} AS home
        WHERE ST_DWithin(home.point, centre.point, $3) AND free = 0
        ORDER BY {order} LIMIT {limit}
    ) AS near
"""
SORTED = "PostGIS, ST_DWithin, sorted"
WALKED = "PostGIS, ST_DWithin, <->"
OWN_INDEX = "PostGIS, <->, an index a form"
REDIS = "Redis GEOSEARCH, no filter"


@asynccontextmanager
async def asked_postgis(address: str, region: Region) -> AsyncIterator[dict[str, Ask]]:
    """Three ways to ask: sort what `ST_DWithin` leaves; walk the index from the centre; the
    same with an index that holds just the homes with this form free."""
    connections = [await asyncpg.connect(address) for _ in range(CONNECTIONS)]
    try:
        await _fill_postgis(connections[0], region)
        by_metres, by_index = "metres", "home.point <-> centre.point"
        yield {
            SORTED: await _ask_postgis(connections, region, "home", by_metres),
            WALKED: await _ask_postgis(connections, region, "home", by_index),
            OWN_INDEX: await _ask_postgis(connections, region, "home_by_form", by_index),
        }
    finally:
        for connection in connections:
            await connection.close()


async def _fill_postgis(connection: asyncpg.Connection[asyncpg.Record], region: Region) -> None:
    homes = len(region.free)
    say(f"{homes:,} homes into PostGIS")
    await connection.execute(
        "DROP TABLE IF EXISTS given, home, home_by_form;"
        "CREATE TABLE given (free int, latitude float8, longitude float8)"
    )
    rows = zip(region.free, region.latitudes, region.longitudes, strict=True)
    await connection.copy_records_to_table("given", records=rows)
    await connection.execute(
        """
        CREATE TABLE home AS SELECT row_number() OVER () AS id, free,
            ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography AS point FROM given;
        CREATE TABLE home_by_form AS SELECT * FROM home;
        CREATE INDEX ON home USING gist (point);
        CREATE INDEX ON home_by_form USING gist (point) WHERE free = 0;
        """,
        timeout=600,
    )
    await connection.execute("VACUUM ANALYZE home")
    await connection.execute("VACUUM ANALYZE home_by_form")


async def _ask_postgis(
    connections: Sequence[asyncpg.Connection[asyncpg.Record]],
    region: Region,
    table: str,
    order: str,
) -> Ask:
    statement = _STATEMENT.format(table=table, order=order, limit=NEAREST)
    prepared = [await connection.prepare(statement) for connection in connections]

    async def ask(step: int, radius_km: float) -> int:
        async def part(number: int) -> int:
            points = region.asked[number * step :: CONNECTIONS * step]
            latitudes = [point.latitude for point in points]
            longitudes = [point.longitude for point in points]
            asked = (latitudes, longitudes, radius_km * 1000)
            found: int = await prepared[number].fetchval(*asked, timeout=600)
            return found

        return sum(await asyncio.gather(*map(part, range(CONNECTIONS))))

    return ask


@asynccontextmanager
async def asked_redis(socket_path: str, region: Region) -> AsyncIterator[dict[str, Ask]]:
    reader, writer = await asyncio.open_unix_connection(socket_path)

    async def send(commands: bytes) -> bytearray:
        """All the answers; an echo behind them tells their end."""
        writer.write(commands + _command("ECHO", "that was all"))
        answers = bytearray()
        while not answers.endswith(b"\r\nthat was all\r\n"):
            answers += await reader.read(1 << 20)
        return answers

    async def ask(step: int, radius_km: float) -> int:
        found, points = 0, region.asked[::step]
        for start in range(0, len(points), PIPELINED):
            some = points[start : start + PIPELINED]
            answers = await send(b"".join([_geosearch(point, radius_km) for point in some]))
            found += answers.count(b"*2\r\n")  # a home with its distance
        return found

    say(f"{len(region.free):,} homes into Redis")
    try:
        await send(_command("FLUSHALL"))
        homes = enumerate(zip(region.longitudes, region.latitudes, strict=True))
        while some := list(islice(homes, 10_000)):
            words = [(f"{east:.7f}", f"{north:.7f}", f"{home}") for home, (east, north) in some]
            await send(_command("GEOADD", "homes", *chain.from_iterable(words)))
        yield {REDIS: ask}
    finally:
        writer.close()


async def redis_version(socket_path: str) -> str:
    async with Redis(unix_socket_path=socket_path) as client:
        version: str = (await client.info("server"))["redis_version"]
        return version


def _geosearch(point: Point, radius_km: float) -> bytes:
    where = ("FROMLONLAT", f"{point.longitude:.7f}", f"{point.latitude:.7f}")
    circle = ("BYRADIUS", str(radius_km), "km", "ASC", "COUNT", str(NEAREST), "WITHDIST")
    return _command("GEOSEARCH", "homes", *where, *circle)


def _command(*words: str) -> bytes:
    parts = [f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]
    return "".join(parts).encode("ascii")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
