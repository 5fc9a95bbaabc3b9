"""How long `freiplatz serve` needs to end that is asked to, with streams open."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from scripts.benchmarks.program import serving
from scripts.chaos_harness.drain import Drain
from scripts.chaos_harness.given import given_servers


async def measure(streams: int, workers: int, runs: int) -> list[float]:
    """Seconds from SIGTERM to the end of the program with so many viewers, each time."""
    with tempfile.TemporaryDirectory(prefix="freiplatz-reliability-") as name:
        async with given_servers(Path(name)) as (_, given, _):
            return [await _stop(given, streams, workers) for _ in range(runs)]


async def _stop(given: dict[str, str], streams: int, workers: int) -> float:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(given, "--workers", str(workers)))
        drains = [Drain(server.address, comes_back=False) for _ in range(streams)]
        await asyncio.gather(*(drain.open() for drain in drains))
        began = time.monotonic()
        await stack.aclose()  # SIGTERM, and wait
        took = time.monotonic() - began
    if any(drain.is_open for drain in drains):
        raise RuntimeError("a stream is open although its server has ended")
    return took
