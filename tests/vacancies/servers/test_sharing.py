"""The data folder's own servers: start, answer, share, stop."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import asyncpg
import pytest

from tests.vacancies.servers.processes import (
    another_user,
    ask,
    living,
    pids,
    quiet,
)
from vacancies.servers import (
    Servers,
    local_servers,
    revive,
)

pytestmark = pytest.mark.slow


async def test_starts_answers_and_stops(data_dir: Path) -> None:
    for _ in range(2):
        with local_servers(data_dir, quiet) as found:
            assert await ask(found) == "UTC"
            assert revive(found, quiet) == ()
            for pid in living(data_dir):
                # Ctrl-C in the terminal reaches only the terminal's own session.
                assert os.getsid(pid) == pid != os.getsid(0)
        assert pids(data_dir) == (None, None)


async def test_has_the_settings_that_the_truth_needs(data_dir: Path) -> None:
    with local_servers(data_dir, quiet) as found:
        connection = await asyncpg.connect(found.database_url)
        rows = await connection.fetch(
            "SELECT name, setting FROM pg_settings WHERE name IN "
            "('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', "
            "'server_encoding', 'max_connections')"
        )
        who = await connection.fetchrow("SELECT current_user AS role, current_database() AS name")
        await connection.close()
    assert {row["name"]: row["setting"] for row in rows} == {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "max_connections": "200",
    }
    assert dict(who or {}) == {"role": "freiplatz", "name": "freiplatz"}


async def test_data_survives_a_stop(data_dir: Path) -> None:
    with local_servers(data_dir, quiet) as found:
        connection = await asyncpg.connect(found.database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()
    with local_servers(data_dir, quiet) as found:
        connection = await asyncpg.connect(found.database_url)
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.execute("DROP TABLE kept")
        await connection.close()


async def test_two_users_share_and_the_last_one_stops(data_dir: Path) -> None:
    with another_user(data_dir) as (_, addresses):
        before = living(data_dir)
        with local_servers(data_dir, quiet) as found:
            assert [found.database_url, found.redis_url] == addresses
            assert living(data_dir) == before
        assert living(data_dir) == before
    assert pids(data_dir) == (None, None)


async def test_the_first_one_may_leave_first(data_dir: Path) -> None:
    with another_user(data_dir) as (first, _), local_servers(data_dir, quiet) as found:
        before = living(data_dir)
        first.communicate("", timeout=30)
        assert living(data_dir) == before
        await ask(found)


async def test_users_that_come_at_once_find_the_same_servers(tmp_path: Path) -> None:
    found: set[Servers] = set()

    def use() -> None:
        with local_servers(tmp_path, quiet) as mine:
            found.add(mine)
            everybody.wait(30)

    everybody = threading.Barrier(4)
    users = [threading.Thread(target=use) for _ in range(3)]
    for user in users:
        user.start()
    with another_user(tmp_path) as (_, addresses):
        everybody.wait(30)
        for user in users:
            user.join()
        assert [[s.database_url, s.redis_url] for s in found] == [addresses]
    assert pids(tmp_path) == (None, None)


async def test_a_revival_that_comes_too_late_starts_nothing(data_dir: Path) -> None:
    with local_servers(data_dir, quiet) as found:
        pass
    assert revive(found, quiet) == ()
    assert pids(data_dir) == (None, None)
