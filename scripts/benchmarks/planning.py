"""Planning over years: the pages of a desk over HTTP, and what they ask of the database, beside
the same asked of the history itself, without anything that was counted before.

The desk is that of a whole state with all the homes, the largest there is; one of its 50 districts
beside it. The history is asked once, and for the state alone: it takes minutes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import aiohttp

from providers.desks import ensure_desk_member
from providers.sessions import start_session
from providers.staff import ensure_staff
from scripts.benchmarks.figures import Figure, Findings, figure
from scripts.benchmarks.planning_history import DISTRICT, STATE, write_history
from scripts.benchmarks.program import data_folder, served
from scripts.benchmarks.region import opened
from vacancies.database import Connection, Pool
from vacancies.deployment import Deployment
from vacancies.listings import DAY, local_date
from vacancies.municipalities import record_municipality
from vacancies.planning import Part, select_sums
from vacancies.rollup_days import ALL, HOME_DAYS, SUMS, day_arguments, plan_for_history
from vacancies.rollups import roll_up
from web.planning.period import ALL_TIME, quarter_of

REQUESTS = 10  # a run is the median of so many
PAGE_MS = 1_000
RAW_SECONDS = 3600.0
DAYS_A_YEAR = 365.25
_TABLES = ("report", "planning_rollup", "planning_stop", "home_past")
# The same sums that the page shows, from the history: those of a page of months.
_RAW = f"""
{HOME_DAYS}
SELECT date_trunc('month', day) AS month, {SUMS} FROM counted
WHERE care_form = $6 GROUP BY 1 ORDER BY 1
"""


async def measure(homes: int, years: int, runs: int) -> Findings:
    found = Findings()
    async with data_folder() as environ:
        async with opened(Path(environ["FREIPLATZ_DATA_DIR"])) as deployment:
            session = await _prepare(found, deployment, homes, int(years * DAYS_A_YEAR))
            for name, key in (("state", STATE), ("district", DISTRICT)):
                found.figures += await _queries(name, key, deployment.pool, runs)
        headers = {"Cookie": f"freiplatz={session}"}
        async with served(environ) as url, aiohttp.ClientSession(headers=headers) as client:
            for name, key in (("state", STATE), ("district", DISTRICT)):
                found.figures += await _pages(name, f"{url}/desk/{key}/planning", client, runs)
    return found


async def _prepare(found: Findings, deployment: Deployment, homes: int, days: int) -> str:
    """Write the history and count it; returns a session of somebody at both desks."""
    pool = deployment.pool
    today = local_date(await pool.fetchval("SELECT now()"))
    async with pool.acquire() as connection:
        print(f"Writing {days:,} days of {homes:,} homes.", file=sys.stderr)
        rows = await write_history(connection, homes, days, today)
    print(f"Counting {rows:,} entries.", file=sys.stderr)
    found.figures.append(await _timed("counting all of it, once", lambda: roll_up(pool)))
    await pool.execute("INSERT INTO planning_due VALUES ($1, true)", today - timedelta(days=1))
    found.figures.append(await _timed("counting a day", lambda: roll_up(pool)))
    found.figures.append(await _timed("a look without news", lambda: roll_up(pool)))
    async with pool.acquire() as connection:
        await connection.execute("ANALYZE", timeout=RAW_SECONDS)
        for table in _TABLES:
            rows, size = await connection.fetchrow(
                f"SELECT count(*), pg_total_relation_size('{table}') / 1e6 FROM {table}",
                timeout=RAW_SECONDS,
            )
            found.notes.append(f"{table}: {rows:,} rows, {size:,.0f} MB.")
        person = await ensure_staff(connection, "plan@example.org")
        for key in (STATE, DISTRICT):
            await record_municipality(connection, key, f"Area {key}")
            await ensure_desk_member(connection, person.id, key, "clerk")
        return await start_session(connection, person.id, "benchmark")


async def _timed(name: str, work: Callable[[], Awaitable[object]]) -> Figure:
    began = time.perf_counter()
    await work()
    return figure(name, [time.perf_counter() - began], [], "s", "")


async def _queries(name: str, key: str, pool: Pool, runs: int) -> list[Figure]:
    """The course of all places over all years by months, and of a quarter by days."""
    head = await pool.fetchrow("SELECT since, until FROM planning_head")
    assert head is not None
    last: date = head["until"]
    quarter = last - timedelta(days=91)
    asked = {
        f"{name}: all years by months": Part(
            municipality=key, first=head["since"].replace(day=1), last=last, step="month"
        ),
        f"{name}: a quarter by days": Part(municipality=key, first=quarter, last=last, step="day"),
    }
    figures = []
    async with pool.acquire() as connection:
        for title, part in asked.items():
            print(f"Asking for {title}.", file=sys.stderr)
            ours = [await _median(lambda: select_sums(connection, part, "first_day"))  # noqa: B023
                    for _ in range(runs)]  # fmt: skip
            first = max(part.first, head["since"])
            theirs = [await _raw(connection, first, last)] if key == STATE else []
            against = "the history itself" if theirs else ""
            figures.append(figure(title, ours, theirs, "ms", against))
    return figures


async def _median(work: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(REQUESTS + 1):
        began = time.perf_counter()
        await work()
        times.append((time.perf_counter() - began) * 1000)
    return median(times[1:])


async def _raw(connection: Connection, first: date, last: date) -> float:
    """Month by month: of all years in one go Postgres sorts for far longer."""
    began = time.perf_counter()
    while first <= last:
        end = min(last, (first.replace(day=1) + timedelta(days=31)).replace(day=1) - DAY)
        async with connection.transaction():
            await plan_for_history(connection)
            arguments = await day_arguments(connection, first, end)
            await connection.fetch(_RAW, *arguments, ALL, timeout=RAW_SECONDS)
        first = end + DAY
    return (time.perf_counter() - began) * 1000


async def _pages(name: str, url: str, client: aiohttp.ClientSession, runs: int) -> list[Figure]:
    newest = quarter_of(date.today() - timedelta(days=1))  # noqa: DTZ011
    figures = []
    for title, query in (
        ("all years", f"?period={ALL_TIME}"),
        ("all years, long-term care", f"?period={ALL_TIME}&care_form=long_term"),
        ("a quarter", f"?period={newest}"),
        ("print view", f"/{newest}"),
        ("spreadsheet of all years", f".xlsx?period={ALL_TIME}"),
        ("CSV of all years", f".csv?period={ALL_TIME}"),
    ):

        async def load(address: str = url + query) -> None:
            async with client.get(address, allow_redirects=False) as answer:
                assert answer.status == 200, answer.status
                await answer.read()

        ours = [await _median(load) for _ in range(runs)]
        is_page = not title.endswith("of all years")
        goal = f"under {PAGE_MS} ms" if is_page else ""
        met = median(ours) < PAGE_MS if is_page else None
        figures.append(
            figure(f"{name}, server's time: {title}", ours, [], "ms", "", goal=goal, met=met)
        )
    return figures
