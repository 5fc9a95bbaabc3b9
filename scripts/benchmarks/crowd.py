"""A process of viewers (`viewers.py`), as the benchmark that watches through it sees it."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

OURS = "event: ready"
NCHANS = ": hi\n"
SETTLE_SECONDS = 0.25


@dataclass
class Crowd:
    viewers: int
    process: asyncio.subprocess.Process

    async def ask(self, command: str) -> dict[str, float]:
        """Send a command; the state of the viewers after it. Raises when a stream has ended."""
        assert self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")
        return await self.answer()

    async def answer(self) -> dict[str, float]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError("the viewers gave up")
        state: dict[str, float] = json.loads(line)
        if state["closed"]:
            raise RuntimeError(f"{state['closed']} streams have ended")
        return state

    async def arrivals(self) -> np.ndarray:
        with tempfile.NamedTemporaryFile(suffix=".npy") as file:
            await self.ask(f"save {file.name}")
            found: np.ndarray = np.load(Path(file.name))
        return found


@asynccontextmanager
async def crowd(
    addresses: Sequence[str], path: str, greeting: str, viewers: int
) -> AsyncIterator[Crowd]:
    """So many viewers of `path`, all greeted, spread over `addresses` (host:port)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "scripts.benchmarks.viewers",
        *addresses,
        f"--viewers={viewers}",
        f"--path={path}",
        f"--greeting={greeting}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    watching = Crowd(viewers, process)
    try:
        await watching.answer()
        # Nchan's first message would wait until the kernel acknowledges the greeting (Nagle).
        await asyncio.sleep(SETTLE_SECONDS)
        yield watching
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass
class Delivery:
    """What arrived of what was published: from the first publishing to the last arrival."""

    arrived: int
    missing: int
    seconds: float
    latencies_ms: np.ndarray

    @property
    def per_second(self) -> float:
        return self.arrived / self.seconds

    def latency_ms(self, percent: float) -> float:
        return float(np.percentile(self.latencies_ms, percent))


def delivery(arrivals: np.ndarray, published: Mapping[int, float], viewers: int) -> Delivery:
    """Join arrivals with the moments of publishing, by revision. Each published change is of
    another home: every viewer must see it. Repeated arrivals count once."""
    revisions = np.array(sorted(published))
    moments = np.array([published[revision] for revision in revisions.tolist()])
    arrivals = arrivals[np.isin(arrivals["revision"], revisions)]
    pairs = (arrivals["viewer"].astype(np.int64) << 40) | arrivals["revision"]
    _, first = np.unique(pairs, return_index=True)
    arrivals = arrivals[first]
    which = np.searchsorted(revisions, arrivals["revision"])
    latencies = (arrivals["at"] - moments[which]) * 1000
    return Delivery(
        len(arrivals),
        len(revisions) * viewers - len(arrivals),
        float(arrivals["at"].max() - moments.min()) if len(arrivals) else float("inf"),
        latencies,
    )
