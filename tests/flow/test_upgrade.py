"""A new version comes while the one before serves: first the schema, then processes, one by one.

The version before is the newest tag; as long as there is none, the oldest commit whose migrations
have not been edited since; or what UPGRADE_FROM names (`scripts/upgrade_trial`). It runs from its
own sources, with our packages.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.flow.program import HOME, ROOT, command, process, put
from tests.flow.viewer import Viewer, snapshot
from tests.waiting import until
from vacancies.servers import local_servers

HOMES = [f"h{number}" for number in range(5)]
EVERYTHING = {"include_full": "true"}
ENOUGH = 25


def git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def version_before() -> str:
    """The commit of the version before this one; empty if this clone does not have it."""
    edited = ("log", "-1", "--format=%H", "--diff-filter=MRD", "--", "vacancies/migrations")
    wanted = (
        os.environ.get("UPGRADE_FROM")
        or git("describe", "--tags", "--abbrev=0", "HEAD^")
        or git(*edited)
    )
    return wanted and git("rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}")


@pytest.fixture
def sources(tmp_path: Path) -> str:
    """The sources of the version before."""
    commit = version_before()
    if not commit:
        assert "UPGRADE_FROM" not in os.environ, "there is no such commit in this clone"
        pytest.skip("this clone is too shallow to have the version before (scripts/upgrade_trial)")
    folder = tmp_path / "before"
    folder.mkdir()
    archive = ["git", "-C", str(ROOT), "archive", "--format=tar", commit]
    with subprocess.Popen(archive, stdout=subprocess.PIPE) as packing:
        subprocess.run(["tar", "x", "-C", str(folder)], stdin=packing.stdout, check=True)
    assert packing.returncode == 0
    print(f"from {git('log', '-1', '--format=%h %s', commit)}")
    return str(folder)


@dataclass
class Ledger:
    """What was answered: how often which status, and how many reports of each home were taken."""

    statuses: Counter[int] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)

    async def more(self, reports: int = ENOUGH) -> None:
        """Wait until so many more have been taken."""
        wanted = self.taken.total() + reports
        await until(lambda: self.taken.total() >= wanted, seconds=60)


@asynccontextmanager
async def reporting(
    client: aiohttp.ClientSession, url: str, key: str, ledger: Ledger, homes: list[str]
) -> AsyncIterator[None]:
    """Report through that process, one report after the other, each of another number."""
    stop = asyncio.Event()

    async def report() -> None:
        for number, home in zip(itertools.count(1), itertools.cycle(homes), strict=False):
            lines = [{"care_form": "long_term", "count": number % 40}]
            status = await put(client, url, key, f"{home}/vacancies", {"vacancies": lines})
            ledger.statuses[status] += 1
            ledger.taken[home] += status == 200
            if stop.is_set():
                return

    running = asyncio.create_task(report())
    try:
        yield
    finally:
        stop.set()
        await running


async def agree(client: aiohttp.ClientSession, urls: list[str], viewers: list[Viewer]) -> None:
    """Wait until all processes show the same, and all viewers that."""

    async def same() -> bool:
        shown = [(await snapshot(client, url, EVERYTHING))[0] for url in urls]
        return all(each == shown[0] for each in [*shown, *(viewer.table for viewer in viewers)])

    await until(same)


@pytest.mark.slow
async def test_the_version_before_serves_on_the_new_schema(sources: str, tmp_path: Path) -> None:
    ledger = Ledger()
    async with AsyncExitStack() as stack:
        servers = stack.enter_context(local_servers(tmp_path / "data", lambda line: None))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        settings = {
            "database_url": servers.database_url,
            "redis_url": servers.redis_url,
            "data_dir": str(tmp_path / "files"),
            "secret_key": "x" * 32,
        }
        await command("migrate", folder=sources, **settings)
        provider = await command("provider", "add", "Haus", folder=sources, **settings)
        key = await command("key", "create", provider, folder=sources, **settings)

        before = await stack.enter_async_context(AsyncExitStack())
        old, *_ = await before.enter_async_context(process(folder=sources, **settings))
        for home in HOMES:
            assert await put(client, old, key, home, HOME) == 201
        viewers = [Viewer(old, EVERYTHING)]
        watching = [asyncio.create_task(viewers[0].watch(client))]
        async with reporting(client, old, key, ledger, HOMES[:3]):
            await ledger.more()
            await command("migrate", **settings)  # of this version, under the old one
            await expand(servers.database_url)
            await ledger.more()
            new, *_ = await stack.enter_async_context(process(**settings))
            viewers.append(Viewer(new, EVERYTHING))
            watching.append(asyncio.create_task(viewers[1].watch(client)))
            async with reporting(client, new, key, ledger, HOMES[3:]):
                await ledger.more(2 * ENOUGH)
        await agree(client, [old, new], viewers)
        # It could even be started again, and its commands still work.
        assert provider in await command("provider", "list", folder=sources, **settings)
        async with client.get(f"{old}/readyz") as ready, client.get(old) as page:
            assert (ready.status, page.status) == (200, 200)
        watching[0].cancel()
        await before.aclose()
        async with reporting(client, new, key, ledger, HOMES):
            await ledger.more()
        await agree(client, [new], viewers[1:])
        watching[1].cancel()
        for task in watching:
            with suppress(asyncio.CancelledError):
                await task
        await assert_all_stored(servers.database_url, ledger)
    print(f"{ledger.taken.total()} reports taken, none refused, none lost")
    assert set(ledger.statuses) == {200}


async def expand(database_url: str) -> None:
    """As the next migration may: two columns more on every table, so that no statement of the
    running version may read or write "all columns"."""
    connection = await asyncpg.connect(database_url, server_settings={"lock_timeout": "5s"})
    tables = await connection.fetch(
        "SELECT format('ALTER TABLE %I ADD COLUMN trial_one text, ADD COLUMN trial_two integer NOT"
        " NULL DEFAULT 7', relname) AS statement FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migration'"
    )
    for table in tables:
        await connection.execute(table["statement"])
    await connection.close()


async def assert_all_stored(database_url: str, ledger: Ledger) -> None:
    connection = await asyncpg.connect(database_url)
    stored = await connection.fetch(
        "SELECT home_id, count(*) FROM report WHERE kind = 'report' GROUP BY home_id"
    )
    await connection.close()
    assert dict(map(tuple, stored)) == ledger.taken
