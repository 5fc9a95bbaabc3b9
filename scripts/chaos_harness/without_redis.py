"""What Freiplatz does while Redis is dead: pushes and reads go on, and viewers still see."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import aiohttp

from scripts.benchmarks.browser import DESK, browser, opened
from scripts.benchmarks.crowd import OURS, crowd
from scripts.benchmarks.load import load
from scripts.benchmarks.program import Server
from scripts.chaos_harness.calls import Calls
from scripts.chaos_harness.given import two_processes
from vacancies.servers.folder import open_folder
from vacancies.servers.process import running_pid
from vacancies.servers.valkey import VALKEY

VIEWERS, HOMES = 100, 50
PUSHES_A_SECOND, READS_A_SECOND = 10, 50
SCREEN_SECONDS = 30.0
SHUTDOWNS: dict[str, signal.Signals] = {"killed": signal.SIGKILL, "frozen": signal.SIGSTOP}
STREAM = "/api/v1/vacancies/stream?place=33330"
READS = (
    "/",
    "/?place=33330",
    "/api/v1/vacancies?place=33330",
    "/api/v1/vacancies/points?place=33330",
    "/api/v1/homes/bench-1",
    "/api/v1/places?q=Bielefeld",
    "/opendata/",
    "/healthz",
    "/readyz",
    STREAM,
)


@dataclass
class WithoutRedis:
    """`stream_ms` from the start of a push at one process to each viewer of the other one;
    `screen_ms` to the card in a browser there. Answers by status; 5xx are refusals."""

    redis: str
    pushes: int = 0
    reads: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    stream_ms: list[float] = field(default_factory=list)
    screen_ms: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


async def measure(redis: str, pushes: int, screens: int) -> WithoutRedis:
    """`redis` is how it dies: killed, or frozen, so that its socket takes all and says nothing."""
    found = WithoutRedis(redis)
    with tempfile.TemporaryDirectory(prefix="freiplatz-reliability-") as name:
        async with two_processes(Path(name)) as (servers, webs, key), AsyncExitStack() as stack:
            calls = await stack.enter_async_context(Calls(key))
            for number in range(HOMES):
                await calls.describe(webs[0].url, f"bench-{number}", f"Haus {number}")
            pid = running_pid(VALKEY, open_folder(servers.data_dir))
            assert pid is not None
            os.kill(pid, SHUTDOWNS[redis])
            try:
                reading = asyncio.create_task(_read_for_ever(webs, found))
                await _push(calls, webs, pushes, found)
                if screens:
                    await _look(calls, webs, screens, found)
                reading.cancel()
                await asyncio.wait([reading])
            finally:
                if SHUTDOWNS[redis] == signal.SIGSTOP:
                    os.kill(pid, signal.SIGCONT)
    return found


async def _push(calls: Calls, webs: list[Server], pushes: int, found: WithoutRedis) -> None:
    """The first process takes the pushes, a crowd watches the other one."""
    moments: dict[int, float] = {}

    async def push(number: int) -> None:
        found.pushes += 1
        try:
            at, revision = await calls.report(
                webs[0].url, f"bench-{number % HOMES}", 1 + number % 9
            )
        except RuntimeError as error:
            found.refused.append(str(error)[:200])
        else:
            moments[revision] = at

    path = await webs[1].stream()
    async with crowd([webs[1].address], path, OURS, VIEWERS) as watching:
        pids = [web.pid for web in webs]
        done = await load(watching, pids, PUSHES_A_SECOND, pushes, push, lambda: moments)
    found.missing = done.delivered.missing
    found.stream_ms = sorted(done.delivered.latencies_ms.tolist())


async def _look(calls: Calls, webs: list[Server], screens: int, found: WithoutRedis) -> None:
    """A browser at the other process: until the card of a home shows the new number."""
    await calls.report(webs[0].url, "bench-0", 1)
    async with browser() as chromium, opened(chromium, DESK, watch="") as (page, _):
        await page.goto(f"{webs[1].url}/?place=33330&radius_km=5&care_form=long_term")
        await page.locator("#live[data-state=live]").wait_for(state="attached")
        for number in range(screens):
            free = 2 + number % 8
            at, _ = await calls.report(webs[0].url, "bench-0", free)
            shown = page.locator(
                '#cards [data-home="bench-0"] .offer', has_text=re.compile(rf"\b{free}\b")
            )
            await shown.first.wait_for(state="attached", timeout=SCREEN_SECONDS * 1000)
            found.screen_ms.append((time.monotonic() - at) * 1000)
    found.screen_ms.sort()


async def _read_for_ever(webs: list[Server], found: WithoutRedis) -> None:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for path, web in zip(cycle(READS), cycle(webs), strict=False):
            status = await _read(session, f"{web.url}{path}", is_stream=path == STREAM)
            found.reads[status] += 1
            if status[0] in "5n":
                found.refused.append(f"{path}: {status}")
            await asyncio.sleep(1 / READS_A_SECOND)


async def _read(session: aiohttp.ClientSession, address: str, *, is_stream: bool) -> str:
    """The status; of a stream, when it is ready."""
    try:
        async with session.get(address) as answer:
            if is_stream:
                await answer.content.readuntil(b"event: ready")
            else:
                await answer.read()
            return str(answer.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"no answer ({type(error).__name__})"
