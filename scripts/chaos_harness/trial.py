"""One run: everything starts, homes report, viewers watch, faults come, and then it is counted."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import aiohttp
import asyncpg

from providers.auth import create_key
from scripts.chaos_harness.abilities import Abilities
from scripts.chaos_harness.faults import Faults
from scripts.chaos_harness.leaks import footprint, leaks
from scripts.chaos_harness.ledger import Ledger, Stored, judge
from scripts.chaos_harness.network import loopback_up
from scripts.chaos_harness.outcome import Outcome
from scripts.chaos_harness.plan import KINDS, Fault, plan, possible
from scripts.chaos_harness.pushing import NOTE, Pushers
from scripts.chaos_harness.storage import Storage, storage
from scripts.chaos_harness.watching import Watchers
from scripts.chaos_harness.web_process import WebProcess, web_process
from tests.waiting import until
from vacancies.database import migrate, open_pool
from vacancies.provider import ensure_provider

PUSHERS = 12
START_SECONDS = 60.0
RECOVERY_SECONDS = 10.0  # the promise
PUSHES_GO_ON_SECONDS = 5.0  # of these: so that what is shown in the end came after the faults
PATIENCE_SECONDS = 60.0  # for who has not recovered by then: are they late, or lost?
LOOK_SECONDS = 0.1


async def run_trial(
    seconds: float,
    seed: int,
    viewers: int,
    rate: float,
    folder: Path,
    abilities: Abilities,
    progress: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """`seconds` of faults, then what they have done; `rate` reports a second. Everything lies in
    `folder`: the ledger, the logs of the processes, and the data where they have no disk of their
    own."""
    kinds, not_done = possible(KINDS, abilities)
    faults = plan(seed, seconds, kinds)
    if abilities.has_networks or abilities.has_mounts:
        await loopback_up()
    async with AsyncExitStack() as stack:
        progress("Starting the servers and two web processes.")
        found = await stack.enter_async_context(
            storage(folder / "data", is_small=abilities.has_mounts)
        )
        key = await _prepare(found)
        webs = [
            await stack.enter_async_context(web_process(number, found, folder, abilities))
            for number in (0, 1)
        ]
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        )
        trial = _Trial(webs, found, session, progress)
        await trial.until_ready()
        ledger = Ledger(folder / "ledger.jsonl")
        stack.callback(ledger.close)
        urls = [web.url for web in webs]
        pushers = Pushers(urls, key, ledger, seed, PUSHERS, rate)
        await stack.enter_async_context(pushers)
        await pushers.describe_all()
        before = {web.url: await footprint(session, web) for web in webs}
        async with Watchers(urls, viewers, seed) as watchers:
            acting = Faults(webs, found)
            differing, late = await trial.break_things(faults, acting, pushers, watchers)
            connections = sum(watcher.connections for watcher in watchers.all)
        progress("Everybody has left; looking what is left behind.")
        leaking = await leaks(session, webs, found, before)
        verdict = judge(ledger.read(), await _stored(found))
        return Outcome(
            seed=seed,
            faults=acting.done.total(),
            by_kind=dict(sorted(acting.done.items())),
            missed=acting.missed.total(),
            not_done=not_done,
            verdict=verdict,
            answers=dict(sorted(pushers.answers.items())),
            viewers=viewers,
            connections=connections,
            differing=differing,
            late_seconds=late,
            leaks=leaking,
            web_starts=sum(web.starts for web in webs),
            server_starts=found.revivals,
        )


class _Trial:
    def __init__(
        self,
        webs: list[WebProcess],
        found: Storage,
        session: aiohttp.ClientSession,
        progress: Callable[[str], None],
    ) -> None:
        self._webs = webs
        self._storage = found
        self._session = session
        self._progress = progress

    async def until_ready(self) -> None:
        """All web processes say that they can serve. Raises TimeoutError, with the end of what
        they have said."""
        try:
            for web in self._webs:
                await until(partial(self._is_ready, web), seconds=START_SECONDS)
        except TimeoutError as error:
            said = "\n".join(web.log.read_text()[-2000:] for web in self._webs)
            raise TimeoutError(f"the web processes do not start:\n{said}") from error

    async def _is_ready(self, web: WebProcess) -> bool:
        try:
            timeout = aiohttp.ClientTimeout(total=2)
            async with self._session.get(f"{web.url}/readyz", timeout=timeout) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def break_things(
        self, faults: list[Fault], acting: Faults, pushers: Pushers, watchers: Watchers
    ) -> tuple[list[str], float | None]:
        """Who differs so many seconds after the last fault, and when all agreed where that was
        later."""
        pushing = asyncio.create_task(pushers.run())
        breaking = asyncio.create_task(acting.run(faults))
        began = time.monotonic()
        while not breaking.done():
            self._progress(
                f"{acting.done.total()} of {len(faults)} faults,"
                f" {pushers.answers['200']} reports taken, {time.monotonic() - began:.0f} s"
            )
            await asyncio.wait([breaking], timeout=1.0)
        await breaking
        watchers.settle()
        self._progress("The last fault is over: the viewers have ten seconds.")
        await _sleep_until(acting.over_at + PUSHES_GO_ON_SECONDS)
        pushers.stop()
        await pushing
        await _sleep_until(acting.over_at + RECOVERY_SECONDS)
        differing = await watchers.differing()
        differing += [f"a viewer gave up: {error!r}" for error in watchers.died()]
        late: float | None = 0.0
        still = differing
        while still:
            if (late := time.monotonic() - acting.over_at) > PATIENCE_SECONDS:
                late = None
                break
            await asyncio.sleep(LOOK_SECONDS)
            still = await watchers.differing()
        return differing, late


async def _prepare(found: Storage) -> str:
    """Migrate; the key of a provider for all homes."""
    pool = await open_pool(found.servers.database_url, size=1)
    try:
        await migrate(pool)
        provider = await ensure_provider(pool, "Chaos")
        return await create_key(pool, provider.id)
    finally:
        await pool.close()


async def _stored(found: Storage) -> Stored:
    """The numbers that stand in the notes of what is stored."""
    connection = await asyncpg.connect(found.servers.database_url)
    number = f"substring(vacancies->0->>'note' FROM '^{NOTE}(\\d+)$')::int"
    try:
        told = await connection.fetch(
            f"SELECT home_id, array_agg({number} ORDER BY revision) AS numbers FROM report"
            " WHERE kind = 'report' GROUP BY home_id"
        )
        states = await connection.fetch(f"SELECT home_id, {number} AS number FROM home_state")
    finally:
        await connection.close()
    return Stored(
        {row["home_id"]: row["numbers"] for row in told},
        {row["home_id"]: row["number"] for row in states},
    )


async def _sleep_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


def say(line: str) -> None:
    """Progress, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
