"""Servers and their users, killed at every point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from tests.vacancies.servers.processes import (
    ROOT,
    USER,
    another_user,
    ask,
    kill,
    living,
    on_linux,
    pids,
    quiet,
)
from vacancies import servers
from vacancies.servers import (
    local_servers,
    revive,
)
from vacancies.servers.folder import open_folder
from vacancies.servers.postgres import POSTGRES
from vacancies.servers.valkey import VALKEY

pytestmark = pytest.mark.slow


async def test_a_killed_owner_leaves_servers_that_the_next_one_takes_over(data_dir: Path) -> None:
    with another_user(data_dir) as (owner, _):
        before = living(data_dir)
        owner.kill()
        owner.wait()
    assert living(data_dir) == before
    with local_servers(data_dir, quiet) as found:
        assert living(data_dir) == before
        await ask(found)


@pytest.mark.parametrize("delay_seconds", [0.2, 0.45, 0.7, 1.0])
async def test_an_owner_killed_while_it_starts(tmp_path: Path, delay_seconds: float) -> None:
    command = [sys.executable, "-c", USER, str(tmp_path)]
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(delay_seconds)
    child.kill()
    child.communicate()
    with local_servers(tmp_path, quiet) as found:
        assert await ask(found) == "UTC"
    assert pids(tmp_path) == (None, None)


async def test_a_killed_postgres_is_started_by_the_next_user(data_dir: Path) -> None:
    folder = open_folder(data_dir)
    with another_user(data_dir) as (owner, _):
        database, doorbell = living(data_dir)
        owner.kill()
        owner.wait()
    kill(database, POSTGRES, folder)
    with local_servers(data_dir, quiet) as found:
        assert living(data_dir)[0] != database
        assert living(data_dir)[1] == doorbell
        await ask(found)


async def test_killed_servers_are_revived_once_by_many(data_dir: Path) -> None:
    folder = open_folder(data_dir)
    restarted: list[str] = []
    with local_servers(data_dir, quiet) as found:
        for server, pid in zip((POSTGRES, VALKEY), living(data_dir), strict=True):
            kill(pid, server, folder)
        helpers = [
            threading.Thread(target=lambda: restarted.extend(revive(found, quiet)))
            for _ in range(3)
        ]
        for helper in helpers:
            helper.start()
        for helper in helpers:
            helper.join()
        assert sorted(restarted) == ["PostgreSQL", "Valkey"]
        await ask(found)


async def test_committed_data_survives_kill_9(data_dir: Path) -> None:
    folder = open_folder(data_dir)
    with local_servers(data_dir, quiet) as found:
        connection = await asyncpg.connect(found.database_url)
        await connection.execute("CREATE TABLE committed AS SELECT 7 AS answer")
        kill(living(data_dir)[0], POSTGRES, folder)
        connection.terminate()
        assert revive(found, quiet) == ("PostgreSQL",)
        connection = await asyncpg.connect(found.database_url)
        assert await connection.fetchval("SELECT answer FROM committed") == 7
        await connection.execute("DROP TABLE committed")
        await connection.close()


async def test_a_server_that_hangs_is_replaced(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = replace(
        VALKEY, patience_seconds=0.3, stop_signals=((signal.SIGTERM, 0.3), (signal.SIGKILL, 10.0))
    )
    monkeypatch.setattr(servers, "SERVERS", (POSTGRES, impatient))
    monkeypatch.setattr(servers, "GLANCE_SECONDS", 0.3)
    with local_servers(data_dir, quiet) as found:
        database, doorbell = living(data_dir)
        os.kill(doorbell, signal.SIGSTOP)
        assert revive(found, quiet) == ("Valkey",)
        assert living(data_dir)[0] == database
        await ask(found)


async def test_a_socket_that_was_deleted_comes_back(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "SERVERS", (POSTGRES, replace(VALKEY, patience_seconds=0.2)))
    with local_servers(data_dir, quiet) as found:
        (open_folder(data_dir).sockets / "valkey.sock").unlink()
        assert revive(found, quiet) == ("Valkey",)
        await ask(found)


@on_linux
async def test_a_stale_pid_file_with_the_number_of_another_program(data_dir: Path) -> None:
    folder = open_folder(data_dir)
    with local_servers(data_dir, quiet):
        kill(living(data_dir)[0], POSTGRES, folder)
    pid_file = folder.path / "postgres" / "postmaster.pid"
    left = pid_file.read_text().split("\n")
    owner = folder.account.uid if folder.account else None
    with subprocess.Popen(["sleep", "60"], user=owner) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *left[1:]]))
        try:
            with local_servers(data_dir, quiet) as found:
                await ask(found)
        finally:
            stranger.kill()
