"""Second users of a data folder, and what its servers are doing, for the tests beside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from vacancies.servers import Servers
from vacancies.servers.folder import Folder, open_folder
from vacancies.servers.postgres import POSTGRES
from vacancies.servers.process import Server, running_pid
from vacancies.servers.valkey import VALKEY

ROOT = Path(__file__).parents[3]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
on_linux = pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="needs /proc")

# A second process that uses the folder until its standard input ends.
USER = """
import json, sys
from pathlib import Path
from vacancies.servers import local_servers
with local_servers(Path(sys.argv[1])) as servers:
    print(json.dumps([servers.database_url, servers.redis_url]), flush=True)
    sys.stdin.read()
"""


def quiet(line: str) -> None:
    """Progress that no test reads."""


def pids(data_dir: Path) -> tuple[int | None, int | None]:
    """Numbers of the running PostgreSQL and Valkey."""
    folder = open_folder(data_dir)
    return running_pid(POSTGRES, folder), running_pid(VALKEY, folder)


def living(data_dir: Path) -> tuple[int, int]:
    """The same; both must run."""
    database, doorbell = pids(data_dir)
    assert database
    assert doorbell
    return database, doorbell


def until(true: Callable[[], bool], what: str) -> None:
    """Wait until something is true, at most 20 s."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def kill(pid: int, server: Server, folder: Folder) -> None:
    """SIGKILL; returns when the server has let go of its lock."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: running_pid(server, folder) != pid, f"{server.name} outlives SIGKILL")


@contextmanager
def another_user(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A second process that uses the folder, and the addresses that it was given."""
    command = [sys.executable, "-c", USER, str(data_dir)]
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout is not None
    try:
        yield child, json.loads(child.stdout.readline())
    finally:
        if child.poll() is None:
            child.communicate("", timeout=30)
        for stream in (child.stdin, child.stdout):
            assert stream is not None
            stream.close()
        child.wait()


async def ask(found: Servers) -> str:
    """Use both servers as the application does; the name of the database's time zone."""
    connection = await asyncpg.connect(found.database_url)
    try:
        zone = await connection.fetchval("SELECT current_setting('timezone')")
    finally:
        await connection.close()
    client = redis.asyncio.from_url(found.redis_url)
    try:
        await client.publish("channel", "news")
    finally:
        await client.aclose()
    return str(zone)


def status_of(pid: int) -> dict[str, str]:
    """What /proc says about a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
