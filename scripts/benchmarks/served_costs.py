"""One served process, seen from outside: what a search, a report, a viewer, an event take."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from scripts.benchmarks.program import command, serving

BENCH_HOMES = 256  # b0, b1 … of the provider `bench`
VIEWERS = 1_000
REQUESTS = 200
PUSHES = 60


class _Viewer(asyncio.Protocol):
    def __init__(self, request: bytes) -> None:
        self._request = request
        self._tail = b""
        self.seen: asyncio.Queue[str] = asyncio.Queue()
        self.received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        *lines, self._tail = (self._tail + data).split(b"\n")
        for line in lines:
            if line.startswith(b"event: ") and line != b"event: heartbeat":
                self.seen.put_nowait(line.decode())


async def serve(environ: dict[str, str]) -> dict[str, float]:
    """Processor seconds (and bytes) of one process, by the names of `UnitCosts`. The homes must
    be there."""
    key = await command(environ, "key", "create", "bench")
    async with serving(environ) as (url, pid):
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession(url, headers=headers) as client:
            found = {"worker_bytes": float(resident_bytes(pid))}
            with _cpu(pid, found, "search", REQUESTS):
                for _ in range(REQUESTS):
                    async with client.get("/api/v1/vacancies?near=51.9,8.4&limit=50") as answer:
                        cursor = (await answer.json())["cursor"]
            await _push(client, 0)
            with _cpu(pid, found, "report", REQUESTS):
                for number in range(REQUESTS):
                    await _push(client, number)
            memory = resident_bytes(pid)
            with _cpu(pid, found, "join", VIEWERS):
                viewers = await _join(url, cursor)
            found["viewer_bytes"] = (resident_bytes(pid) - memory) / VIEWERS
            before = sum(viewer.received for viewer in viewers)
            with _cpu(pid, found, "frame", PUSHES * VIEWERS):
                for number in range(PUSHES):
                    await _push(client, number + PUSHES)
                    for viewer in viewers:
                        await viewer.seen.get()
            total = sum(viewer.received for viewer in viewers) - before
            for viewer in viewers:
                viewer.transport.close()
    found["frame"] -= found["report"] / VIEWERS
    return {**found, "frame_bytes": total / PUSHES / VIEWERS}


async def _push(client: aiohttp.ClientSession, number: int) -> None:
    body = {"vacancies": [{"care_form": "long_term", "count": 1 + number % 9}]}
    async with client.put(f"/api/v1/homes/b{number % BENCH_HOMES}/vacancies", json=body) as answer:
        assert answer.status == 200, await answer.text()


async def _join(url: str, cursor: str) -> list[_Viewer]:
    """Viewers that have loaded their list already, as pages do."""
    host, port = url.removeprefix("http://").split(":")
    path = f"/api/v1/vacancies/stream?near=51.9,8.4&since={cursor}"
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    viewers = []
    for _ in range(VIEWERS):
        _, viewer = await loop.create_connection(lambda: _Viewer(request), host, int(port))
        viewers.append(viewer)
    for viewer in viewers:
        while await viewer.seen.get() != "event: ready":
            pass
    return viewers


@contextmanager
def _cpu(pid: int, found: dict[str, float], name: str, times: int) -> Iterator[None]:
    """Enter the processor time of `pid` a time."""
    before = _cpu_seconds(pid)
    yield
    found[name] = (_cpu_seconds(pid) - before) / times


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int | str = "self") -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
