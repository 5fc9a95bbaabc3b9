"""A search over HTTP, beside a bare Quart route that returns as many bytes.

The real program with a demo region; both served by Hypercorn with the same settings, each in a
process of its own, asked in turn over the same number of connections that stay open.
"""

from __future__ import annotations

import asyncio
import sys
import time
from urllib.parse import urlsplit

from providers.demo import CENTRE
from scripts.benchmarks.bare import READY
from scripts.benchmarks.figures import Figure, figure
from scripts.benchmarks.program import command, data_folder, served
from scripts.benchmarks.server import started
from scripts.benchmarks.spatial import say

CONNECTIONS = 16
WARM_UP = 200
GOALS = {25: 0.6, 5: 0.6, 100: None}  # by km; 100 is a full page, with a next one


async def measure(homes: int, requests: int, runs: int) -> list[Figure]:
    """Figures of `runs` runs with `requests` each."""
    figures = []
    async with data_folder() as environ:
        say(f"A demo of {homes:,} homes")
        await command(environ, "demo", "--homes", str(homes), "--seed", "1")
        bare = [sys.executable, "-m", "scripts.benchmarks.bare"]
        async with served(environ) as ours, started(bare, READY) as line:
            theirs = line.split()[-1]
            # The demo's homes report anew when it is served: that is not to be measured.
            await request_rate(ours, "/healthz", 2 * requests)
            for radius_km, goal in GOALS.items():
                name = f"{radius_km} km over HTTP"
                where = f"near={CENTRE.latitude},{CENTRE.longitude}&radius_km={radius_km}"
                path = f"/api/v1/vacancies?{where}&care_form=long_term"
                size = await _size(ours, path)
                rates: list[float] = []
                their_rates: list[float] = []
                for run in range(runs):
                    say(f"{name}: run {run + 1} of {runs}")
                    rates.append(await request_rate(ours, path, requests))
                    their_rates.append(await request_rate(theirs, f"/{size}", requests))
                figures.append(
                    figure(
                        f"{homes:,} homes, {name}",
                        rates,
                        their_rates,
                        "requests/s",
                        f"a bare Quart route of {size:,} bytes",
                        at_least=goal,
                    )
                )
    return figures


async def request_rate(url: str, path: str, requests: int, connected: int = CONNECTIONS) -> float:
    """Answers a second, over all connections together."""
    left = iter(range(requests))
    connections = [await _connect(url) for _ in range(connected)]
    try:
        for reader, writer in connections:
            for _ in range(WARM_UP // connected):
                await _get(reader, writer, path)

        async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in left:
                await _get(reader, writer, path)

        began = time.perf_counter()
        await asyncio.gather(*(ask(*connection) for connection in connections))
        return requests / (time.perf_counter() - began)
    finally:
        for _, writer in connections:
            writer.close()


async def _size(url: str, path: str) -> int:
    reader, writer = await _connect(url)
    size = await _get(reader, writer, path)
    writer.close()
    return size


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)


async def _get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> int:
    """The size of the body; as light as can be, so that the server is measured."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{path}: {head.decode()}")
    size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(size)
    return size
