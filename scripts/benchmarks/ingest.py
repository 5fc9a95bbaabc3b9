"""How many reports the store and the HTTP API take, beside what one would write by hand.

The store: 64 writers of one home each beside a loop that makes a transaction of every report,
ordered by the same head; and calls of 500 beside `COPY` of the same rows into an equal table.
Over HTTP (`ingest_http.py`): 64 clients with keys beside a route that does nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from scripts.benchmarks import ingest_http
from scripts.benchmarks.disk import fsyncs
from scripts.benchmarks.figures import Findings, figure, percentile
from scripts.benchmarks.program import data_folder
from scripts.benchmarks.region import CALL, fill, home_id, lines, opened
from vacancies.commands import Report
from vacancies.database import Connection
from vacancies.deployment import Deployment
from vacancies.homes import encode_lines
from vacancies.provider import ensure_provider

HOMES = 15_000
WRITERS = 64
LOOP_CONNECTIONS = 16
CALLS_IN_FLIGHT = 4
COPIED_ROWS = 50_000
COLUMNS = ("home_id", "revision", "kind", "observed_at", "reported_at", "vacancies", "api_key_id")

# Made before the clock runs, for both sides.
LINES = [lines(number) for number in range(60)]
ENCODED = [encode_lines(report) for report in LINES]


async def measure(seconds: float, runs: int) -> Findings:
    async with data_folder() as environ:
        data_dir = Path(environ["FREIPLATZ_DATA_DIR"])
        found = await _measure_store(data_dir, seconds, runs)
        more = await ingest_http.measure(environ, seconds, runs)
    found.figures += more.figures
    found.versions |= more.versions
    return found


async def _measure_store(data_dir: Path, seconds: float, runs: int) -> Findings:
    writers, loop, calls, copied, alone, bare = [], [], [], [], [], []
    async with opened(data_dir) as deployment, AsyncExitStack() as stack:
        provider = await ensure_provider(deployment.pool, "Bench")
        print(f"Making {HOMES:,} homes.", file=sys.stderr)
        await fill(deployment, provider, HOMES)
        assert deployment.servers is not None
        url = deployment.servers.database_url
        connections = []
        for _ in range(LOOP_CONNECTIONS):
            connections.append(await asyncpg.connect(url))
            stack.push_async_callback(connections[-1].close)
        await connections[0].execute("CREATE TABLE copied (LIKE report INCLUDING ALL)")
        gc.collect()
        gc.freeze()  # as `serve` does
        for run in range(runs):
            print(f"Run {run + 1} of {runs}, the store.", file=sys.stderr)
            loop.append(await _rate(_transactions(connections), LOOP_CONNECTIONS, seconds))
            writers.append(await _rate(_reports(deployment), WRITERS, seconds))
            calls.append(await _rate(_calls(deployment), CALLS_IN_FLIGHT, seconds))
            copied.append(await _copy(connections[0]))
            alone.append(1000 / await _rate(_reports(deployment), 1, seconds / 2))
            bare.append(percentile(fsyncs(data_dir), 0.5))
        versions = {
            "PostgreSQL": await deployment.pool.fetchval("SHOW server_version"),
            "asyncpg": asyncpg.__version__,
        }
        gc.unfreeze()
    name = f"store, {WRITERS} writers of one home each"
    by_hand = f"a transaction each, {LOOP_CONNECTIONS} connections"
    return Findings(
        [
            figure(name, writers, loop, "reports/s", by_hand, at_least=20),
            figure(f"store, calls of {CALL}", calls, copied, "reports/s", "COPY", at_least=0.2),
            figure("store, one writer alone, mean", alone, bare, "ms", "a bare fsync"),
        ],
        versions=versions,
    )


Work = Callable[[int, int], Awaitable[int]]


async def _rate(work: Work, workers: int, seconds: float) -> float:
    """Reports a second of `workers` that each call `work` (who, how often before; gives how
    many reports it was) again and again."""

    async def repeat(worker: int) -> int:
        done = turn = 0
        while time.perf_counter() < end:
            done += await _awaited(work(worker, turn))
            turn += 1
        return done

    began = time.perf_counter()
    end = began + seconds
    done = sum(await asyncio.gather(*(repeat(worker) for worker in range(workers))))
    return done / (time.perf_counter() - began)


async def _awaited(work: Awaitable[int]) -> int:
    return await work


def _reports(deployment: Deployment) -> Work:
    async def work(worker: int, turn: int) -> int:
        command = Report(home_id=home_id(worker), vacancies=LINES[turn % len(LINES)])
        settled = await deployment.writer.submit([command])
        assert settled.outcomes[0].changed
        return 1

    return work


def _calls(deployment: Deployment) -> Work:
    """All homes one after the other, so that the calls in flight share none."""
    prepared = [
        [
            Report(home_id=home_id(number), vacancies=LINES[number % len(LINES)])
            for number in range(start, start + CALL)
        ]
        for start in range(0, HOMES, CALL)
    ]
    made = 0

    async def work(worker: int, turn: int) -> int:
        nonlocal made
        made += 1
        settled = await deployment.writer.submit(prepared[made % len(prepared)])
        assert all(outcome.changed for outcome in settled.outcomes)
        return CALL

    return work


def _transactions(connections: list[Connection]) -> Work:
    """What one would write by hand: each report a transaction, ordered by the same head."""

    async def work(worker: int, turn: int) -> int:
        connection, home = connections[worker], home_id(worker)
        said = ENCODED[turn % len(ENCODED)]
        await connection.execute("BEGIN")
        await connection.fetchrow(
            "SELECT * FROM home_state WHERE home_id = $1 FOR NO KEY UPDATE", home
        )
        revision = await connection.fetchval(
            "UPDATE revision_head SET revision = revision + 1 RETURNING revision"
        )
        await connection.execute(
            "UPDATE home_state SET vacancies = $2::text::json, observed_at = now(),"
            " reported_at = now(), confirmed_at = NULL, evaluated_at = now(),"
            " next_transition_at = now() + interval '24 hours', revision = $3 WHERE home_id = $1",
            home,
            said,
            revision,
        )
        await connection.execute(
            "INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies)"
            " VALUES ($1, $2, 'report', now(), now(), $3::text::json)",
            home,
            revision,
            said,
        )
        await connection.execute("COMMIT")
        return 1

    return work


async def _copy(connection: Connection) -> float:
    """Rows a second of `COPY` of the newest reports into an equal table."""
    columns = ", ".join(COLUMNS)
    rows = await connection.fetch(
        f"SELECT {columns} FROM report ORDER BY id DESC LIMIT {COPIED_ROWS}"
    )
    records = [tuple(row) for row in reversed(rows)]
    began = time.perf_counter()
    await connection.copy_records_to_table("copied", records=records, columns=COLUMNS)
    return len(records) / (time.perf_counter() - began)
