"""What the processes hold, and whether they hold more than they did when they were new."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import redis.asyncio

from scripts.benchmarks.process import resident_bytes
from scripts.chaos_harness.storage import Storage
from scripts.chaos_harness.web_process import WebProcess

ASK_SECONDS = 5.0
LOOK_SECONDS = 0.5
SETTLE_SECONDS = 30.0  # Hypercorn and the kernel need seconds to forget a client
# What is allowed above the beginning. Tasks: one may be at work just then. Memory: a process keeps
# what it needed at its busiest; leaks of it are seen in hours of steady load, not here.
TASKS_MORE, MEGABYTES_MORE = 3, 80
POSTGRES_CONNECTIONS = 13  # of a web process, at most (docs/operating.md)
VALKEY_CONNECTIONS = 10
_ESTABLISHED, _CLOSE_WAIT = "01", "08"


@dataclass(frozen=True)
class Footprint:
    """Of one web process; its connections by whom they are with."""

    megabytes: float
    tasks: int
    files: int
    clients: int
    postgres: int
    valkey: int


async def footprint(session: aiohttp.ClientSession, web: WebProcess) -> Footprint:
    """Raises `aiohttp.ClientError` and the like while it does not answer."""
    timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
    async with session.get(f"{web.url}/metrics", timeout=timeout) as answer:
        figures = parse_metrics(await answer.text())
    pid = web.pid
    assert pid is not None
    open_sockets = _sockets(pid)
    return Footprint(
        megabytes=resident_bytes(pid) / 1e6,
        tasks=int(figures["freiplatz_tasks"]),
        files=count_files(pid),
        # But the one that has just asked.
        clients=sum(1 for ours, _ in open_sockets if ours == web.network.port) - 1,
        postgres=sum(1 for _, theirs in open_sockets if theirs == web.postgres.port),
        valkey=sum(1 for _, theirs in open_sockets if theirs == web.valkey.port),
    )


def count_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def parse_metrics(text: str) -> dict[str, float]:
    """Those of our figures that have no labels, by name."""
    lines = [line for line in text.splitlines() if line.startswith("freiplatz_")]
    return {name: float(value) for name, value in map(str.split, lines) if "{" not in name}


def _sockets(pid: int) -> list[tuple[int, int]]:
    """(our port, their port) of the connections in the network of `pid`."""
    found = []
    for name in ("tcp", "tcp6"):
        path = Path(f"/proc/{pid}/net/{name}")
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] in (_ESTABLISHED, _CLOSE_WAIT):
                found.append((_port(fields[1]), _port(fields[2])))
    return found


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


async def leaks(
    session: aiohttp.ClientSession,
    webs: Sequence[WebProcess],
    storage: Storage,
    before: Mapping[str, Footprint],
) -> list[str]:
    """What is held too much when everybody has left; asked until nothing is, or time is up."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = []
        for web in webs:
            try:
                after = await footprint(session, web)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                found.append(f"{web.url} does not answer ({type(error).__name__})")
            else:
                found += [f"{web.url}: {line}" for line in compare(before[web.url], after)]
        found += await _of_servers(webs, storage)
        if not found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(LOOK_SECONDS)


def compare(before: Footprint, after: Footprint) -> list[str]:
    """What one process holds too much of."""
    limits = {
        "megabytes": before.megabytes + MEGABYTES_MORE,
        "tasks": before.tasks + TASKS_MORE,
        "clients": 0,
        "postgres": POSTGRES_CONNECTIONS,
        "valkey": VALKEY_CONNECTIONS,
    }
    return [
        f"{name} {getattr(before, name):.0f} before, {getattr(after, name):.0f} after"
        for name, limit in limits.items()
        if getattr(after, name) > limit
    ]


async def _of_servers(webs: Sequence[WebProcess], storage: Storage) -> list[str]:
    """Sessions at the servers behind which no web process is any more."""
    postgres = await asyncpg.connect(storage.servers.database_url, timeout=ASK_SECONDS)
    try:
        sessions = await postgres.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'freiplatz'"
        )
    finally:
        await postgres.close()
    async with redis.asyncio.Redis.from_url(storage.servers.redis_url) as valkey:
        clients = (await valkey.info("clients"))["connected_clients"] - 1
    found = []
    held = sum(len(web.postgres) for web in webs)
    if sessions > held:
        found.append(f"Postgres has {sessions} sessions, and there are {held} connections")
    held = sum(len(web.valkey) for web in webs)
    if clients > held:
        found.append(f"Valkey has {clients} clients, and there are {held} connections")
    return found
