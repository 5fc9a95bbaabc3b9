"""`PUT /api/v1/homes/{id}/vacancies` beside a route that only checks the key and reads the body.

The other routes are a Quart app of their own (`empty_route.py`), with the same keys in the same
database, behind Hypercorn with the same settings, in a process of its own. They
answer as many bytes. The clients write to bare sockets: they have the same two cores.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from providers.auth import create_key
from scripts.benchmarks.disk import fsyncs
from scripts.benchmarks.figures import Findings, figure, percentile
from scripts.benchmarks.program import served
from scripts.benchmarks.region import home_id, opened
from vacancies.provider import ensure_provider

CLIENTS = 64
ALONE = 100  # calls
BODY = (
    b'{"vacancies":[{"care_form":"long_term","count":%d,"sex":"female","care_grades":[2,3,4]},'
    b'{"care_form":"short_term","count":1}]}'
)


async def measure(environ: dict[str, str], seconds: float, runs: int) -> Findings:
    ours, theirs, checked, our_ms, their_ms, bare = [], [], [], [], [], []
    data_dir = Path(environ["FREIPLATZ_DATA_DIR"])
    async with opened(data_dir) as deployment:
        provider = await ensure_provider(deployment.pool, "Bench")
        keys = [await create_key(deployment.pool, provider.id) for _ in range(CLIENTS)]
        async with served(environ) as url:
            async with _connected(url, keys[:1]) as (client,):
                size = await client.put(0)
            async with _empty(environ, size) as other:
                for run in range(runs):
                    print(f"Run {run + 1} of {runs}, HTTP.", file=sys.stderr)
                    theirs.append(await _rate(other, keys, seconds))
                    ours.append(await _rate(url, keys, seconds))
                    checked.append(await _rate(f"{other}/ours", keys, seconds))
                    their_ms.append(await _alone(other, keys[0]))
                    our_ms.append(await _alone(url, keys[0]))
                    bare.append(percentile(fsyncs(data_dir), 0.5))
    name = f"HTTP, {CLIENTS} clients with keys"
    return Findings(
        [
            figure(name, ours, theirs, "PUT/s", "an empty route", at_least=0.7),
            figure(name, ours, checked, "PUT/s", "an empty route with our check of keys"),
            figure("HTTP, one client alone, p50", our_ms, their_ms, "ms", "an empty route"),
            figure("the same", our_ms, bare, "ms", "a bare fsync"),
        ],
        versions={name: version(name) for name in ("quart", "hypercorn")},
    )


class Client:
    """A connection that is kept alive, with a key and a home of its own."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        number: int,
        key: str,
        prefix: str,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._head = (
            f"PUT {prefix}/api/v1/homes/{home_id(number)}/vacancies HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()

    async def put(self, turn: int) -> int:
        """Report; gives the bytes of the answer."""
        body = BODY % (1 + turn % 5)
        self._writer.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        answer = await self._reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 200"), head + answer
        return length

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def _connected(url: str, keys: Sequence[str]) -> AsyncIterator[list[Client]]:
    parts = urlsplit(url)
    clients = []
    try:
        for number, key in enumerate(keys):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            clients.append(Client(reader, writer, number, key, parts.path))
        await asyncio.gather(*(client.put(0) for client in clients))
        yield clients
    finally:
        for client in clients:
            client.close()


async def _rate(url: str, keys: Sequence[str], seconds: float) -> float:
    """Answers a second when a client for every key sends again and again."""

    async def repeat(client: Client) -> int:
        turn = 0
        while time.perf_counter() < end:
            turn += 1
            await client.put(turn)
        return turn

    async with _connected(url, keys) as clients:
        began = time.perf_counter()
        end = began + seconds
        done = sum(await asyncio.gather(*map(repeat, clients)))
        return done / (time.perf_counter() - began)


async def _alone(url: str, key: str) -> float:
    """Milliseconds of one answer, p50, while nobody else sends."""
    found = []
    async with _connected(url, [key]) as (client,):
        for turn in range(ALONE):
            began = time.perf_counter()
            await client.put(turn)
            found.append((time.perf_counter() - began) * 1000)
    return percentile(found, 0.5)


@asynccontextmanager
async def _empty(environ: dict[str, str], size: int) -> AsyncIterator[str]:
    """The address of the empty route, which answers `size` bytes."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "scripts.benchmarks.empty_route",
        str(size),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
    )
    assert running.stdout is not None
    try:
        yield (await running.stdout.readline()).decode().strip()
    finally:
        running.terminate()
        await running.wait()
