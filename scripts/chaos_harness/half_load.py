"""Twenty minutes at half of what two web processes take: does anything grow?"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import aiohttp
import asyncpg
import redis.asyncio

from scripts.benchmarks.load import at_rate
from scripts.benchmarks.process import resident_bytes
from scripts.benchmarks.program import Server
from scripts.chaos_harness.calls import Calls
from scripts.chaos_harness.drain import Drain
from scripts.chaos_harness.given import two_processes
from scripts.chaos_harness.leaks import count_files, parse_metrics
from vacancies.servers import Servers

HOMES, CLIENTS = 400, 16
FULL_SECONDS = 20.0
SAMPLE_SECONDS = 15.0
WARM_SHARE, END_SHARE = 0.15, 0.15  # of the time: what must have come by then, and what counts

Sample = dict[str, float]


@dataclass
class HalfLoad:
    """`full` and `half` are pushes a second. Samples hold megabytes, tasks and open files by
    process, and what the servers say."""

    viewers: int
    full: float = 0.0
    half: float = 0.0
    pushes: int = 0
    failed: list[str] = field(default_factory=list)
    streams: int = 0
    samples: list[tuple[float, Sample]] = field(default_factory=list)

    def rows(self) -> list[tuple[str, float, float, float]]:
        """(what, mean after the warm-up, mean at the end, highest)"""
        begin, end = self.samples[0][0], self.samples[-1][0]
        warm = begin + WARM_SHARE * (end - begin)
        early = [s for at, s in self.samples if warm <= at <= warm + END_SHARE * (end - begin)]
        last = [s for at, s in self.samples if at >= end - END_SHARE * (end - begin)]
        return [
            (
                name,
                mean(sample[name] for sample in early),
                mean(sample[name] for sample in last),
                max(sample[name] for _, sample in self.samples),
            )
            for name in self.samples[0][1]
        ]


async def measure(minutes: float, viewers: int) -> HalfLoad:
    found = HalfLoad(viewers)
    with tempfile.TemporaryDirectory(prefix="freiplatz-reliability-") as name:
        async with two_processes(Path(name)) as (servers, webs, key), AsyncExitStack() as stack:
            calls = await stack.enter_async_context(Calls(key))
            pushing = _Pushing(calls, [web.url for web in webs], found)
            await pushing.describe_all()
            drains = [Drain(webs[number % 2].address) for number in range(viewers)]
            await asyncio.gather(*(drain.open() for drain in drains))
            found.full = await pushing.full_rate()
            found.half = found.full / 2
            began = time.monotonic()
            while time.monotonic() - began < minutes * 60:
                await at_rate(found.half, round(found.half * SAMPLE_SECONDS), pushing.push)
                sample = await _sample(webs, servers)
                found.samples.append((time.monotonic() - began, sample))
            found.streams = sum(drain.streams for drain in drains)
            for drain in drains:
                drain.close()
    return found


class _Pushing:
    def __init__(self, calls: Calls, urls: Sequence[str], found: HalfLoad) -> None:
        self._calls = calls
        self._urls = urls
        self._found = found

    async def describe_all(self) -> None:
        for number in range(HOMES):
            await self._calls.describe(self._urls[0], f"h{number}", f"Haus {number}")

    async def push(self, _: int) -> None:
        number = self._found.pushes
        self._found.pushes += 1
        url, home = self._urls[number % 2], f"h{number % HOMES}"
        try:
            await self._calls.report(url, home, 1 + number // HOMES % 9)
        except RuntimeError as error:
            self._found.failed.append(str(error)[:200])

    async def full_rate(self) -> float:
        """Pushes a second of clients that push as soon as they are answered."""
        end = time.monotonic() + FULL_SECONDS

        async def client() -> int:
            pushes = 0
            while time.monotonic() < end:
                await self.push(0)
                pushes += 1
            return pushes

        return sum(await asyncio.gather(*(client() for _ in range(CLIENTS)))) / FULL_SECONDS


async def _sample(webs: Sequence[Server], servers: Servers) -> Sample:
    sample: Sample = {}
    async with aiohttp.ClientSession() as session:
        for number, web in enumerate(webs):
            async with session.get(f"{web.url}/metrics") as answer:
                figures = parse_metrics(await answer.text())
            sample[f"web {number}: megabytes"] = resident_bytes(web.pid) / 1e6
            sample[f"web {number}: tasks"] = figures["freiplatz_tasks"]
            sample[f"web {number}: open files"] = count_files(web.pid)
            sample[f"web {number}: viewers"] = figures["freiplatz_viewers"]
    postgres = await asyncpg.connect(servers.database_url)
    try:
        sample["Postgres: sessions"] = await postgres.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'freiplatz'"
        )
    finally:
        await postgres.close()
    async with redis.asyncio.Redis.from_url(servers.redis_url) as valkey:
        sample["Valkey: clients"] = (await valkey.info("clients"))["connected_clients"] - 1
        sample["Valkey: megabytes"] = (await valkey.info("memory"))["used_memory"] / 1e6
    return sample
