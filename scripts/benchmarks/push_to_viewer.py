"""From the HTTP answer of a push to the arrival of the event at the last viewer.

Two workers on one database, half of the viewers on each, all matching all changes: so half
of the events travel through Redis. Viewers of the worker that takes the push mostly have the
event before the answer is out (a negative time). The viewers live in this process; the time
of a bare `fsync` of the same folder is what durability alone costs here.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from scripts.benchmarks.figures import Findings, figure, percentile
from scripts.benchmarks.program import command, data_folder, served

HOMES = 50


async def measure(viewers: int, pushes: int, runs: int) -> Findings:
    p50, p99, answers, fsyncs = [], [], [], []
    async with data_folder() as environ:
        await command(environ, "provider", "add", "Bench")
        key = await command(environ, "key", "create", "bench")
        async with served(environ) as url, served(environ) as other:
            for _ in range(runs):
                arrivals, answered = await _run([url, other], key, viewers, pushes)
                p50.append(percentile(arrivals, 0.5))
                p99.append(percentile(arrivals, 0.99))
                answers.append(percentile(answered, 0.5))
                fsyncs.append(percentile(list(_fsyncs(Path(environ["FREIPLATZ_DATA_DIR"]))), 0.5))
    name = f"answer to last of {viewers} viewers"
    return Findings(
        [
            figure(
                f"{name}, p50",
                p50,
                fsyncs,
                "ms",
                "a bare fsync",
                goal="under 250 ms",
                met=max(p50) < 250,
            ),
            figure(
                f"{name}, p99",
                p99,
                fsyncs,
                "ms",
                "a bare fsync",
                goal="under 250 ms",
                met=max(p99) < 250,
            ),
            figure("push to its HTTP answer, p50", answers, fsyncs, "ms", "a bare fsync"),
        ]
    )


async def _run(
    urls: list[str], key: str, viewers: int, pushes: int
) -> tuple[list[float], list[float]]:
    """(ms from answer to last arrival, ms from push to answer), one of each a push."""
    headers = {"Authorization": f"Bearer {key}"}
    arrived: asyncio.Queue[float] = asyncio.Queue()
    async with aiohttp.ClientSession(urls[0], headers=headers) as client:
        for number in range(HOMES):
            home = {"name": f"Haus {number}", "coordinates": {"latitude": 51.9, "longitude": 8.4}}
            async with client.put(f"/api/v1/homes/bench-{number}", json=home) as answer:
                assert answer.status in (200, 201)
        ready = asyncio.Semaphore(0)
        watching = [
            asyncio.create_task(_watch(urls[n % 2], ready, arrived)) for n in range(viewers)
        ]
        for _ in range(viewers):
            await ready.acquire()
        while not arrived.empty():
            arrived.get_nowait()
        arrivals, answered = [], []
        for number in range(pushes):
            body = {"vacancies": [{"care_form": "long_term", "count": 1 + number % 5}]}
            began = time.perf_counter()
            path = f"/api/v1/homes/bench-{number % HOMES}/vacancies"
            async with client.put(path, json=body) as answer:
                assert answer.status == 200, await answer.text()
            done = time.perf_counter()
            last = max([await arrived.get() for _ in range(viewers)])
            arrivals.append((last - done) * 1000)
            answered.append((done - began) * 1000)
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    return arrivals, answered


async def _watch(url: str, ready: asyncio.Semaphore, arrived: asyncio.Queue[float]) -> None:
    """A viewer as light as can be, so that the client measures the server and not itself."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"GET /api/v1/vacancies/stream HTTP/1.1\r\nHost: bench\r\n\r\n")
    try:
        while line := await reader.readline():
            if line == b"event: ready\n":
                ready.release()
            elif line == b"event: listing\n":
                arrived.put_nowait(time.perf_counter())
    finally:
        writer.close()


def _fsyncs(folder: Path, times: int = 50) -> Iterator[float]:
    """Milliseconds of writing 8 kB and fsync, on the disk of the database."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"x" * 8192)
            file.flush()
            os.fsync(file.fileno())
            yield (time.perf_counter() - began) * 1000
