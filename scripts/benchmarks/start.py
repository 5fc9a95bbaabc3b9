"""Restart of a worker: how long until it is ready, and what its viewers get afterwards.

The servers of the data folder stay up, as those of a deployment do. A viewer who watches
everything resumes with `Last-Event-ID`; meanwhile some homes have reported.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from scripts.benchmarks.figures import Findings, figure
from scripts.benchmarks.program import data_folder, served
from scripts.benchmarks.region import fill, opened, report
from vacancies.board import Board
from vacancies.deployment import Deployment
from vacancies.feed import Follower
from vacancies.provider import ensure_provider

CHANGED = 100  # homes that report while the worker is away


async def measure(homes: Sequence[int], runs: int) -> Findings:
    found = Findings()
    for count in homes:
        await _measure(found, count, runs)
    return found


async def _measure(found: Findings, homes: int, runs: int) -> None:
    ready, loads, events, others = [], [], [], []
    async with (
        data_folder() as environ,
        opened(Path(environ["FREIPLATZ_DATA_DIR"])) as deployment,
    ):
        print(f"Making {homes:,} homes.", file=sys.stderr)
        await fill(deployment, await ensure_provider(deployment.pool, "Bench"), homes)
        async with served(environ) as url:
            cursor, first = await _events(url, None)
        assert first == homes
        for run in range(runs):
            print(f"Run {run + 1} of {runs}, {homes:,} homes.", file=sys.stderr)
            loads.append(await _load(deployment))
            await report(deployment, range(CHANGED * run, CHANGED * (run + 1)))
            began = time.perf_counter()
            async with served(environ) as url:
                await _ready(url)
                ready.append(time.perf_counter() - began)
                cursor, resumed = await _events(url, cursor)
            events.append(float(resumed))
            others.append(float(CHANGED))
    found.figures += [
        figure(f"{homes:,} homes: process start to ready", ready, [], "s", ""),
        figure(f"{homes:,} homes: the board alone", loads, [], "s", ""),
        figure(
            f"{homes:,} homes: events to who resumes",
            events,
            others,
            "events",
            "homes that changed",
            goal="what changed, no more",
            met=events == others,
        ),
    ]


async def _load(deployment: Deployment) -> float:
    """Seconds to load an empty board from Postgres."""
    follower = Follower(deployment.pool, deployment.redis, Board())
    began = time.perf_counter()
    await follower.catch_up()
    return time.perf_counter() - began


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession(url) as client, client.get("/readyz") as answer:
        assert answer.status == 200, await answer.text()


async def _events(url: str, cursor: str | None) -> tuple[str, int]:
    """(id of `ready`, homes that came before it) for a viewer who watches everything."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**20)
    resumed = "" if cursor is None else f"Last-Event-ID: {cursor}\r\n"
    writer.write(f"GET /api/v1/vacancies/stream HTTP/1.1\r\nHost: bench\r\n{resumed}\r\n".encode())
    seen, name = 0, ""
    try:
        while line := (await reader.readline()).decode().rstrip():
            pass  # the head of the answer
        while True:
            line = (await reader.readline()).decode().rstrip()
            if line.startswith("id: "):
                name = line.removeprefix("id: ")
            elif line == "event: ready":
                return name, seen
            elif line in ("event: listing", "event: gone", "event: reset"):
                seen += 1
    finally:
        writer.close()
