"""`freiplatz serve --workers 2`: two processes on one port, one of which is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.flow.program import HOME, REPORT, process, put
from tests.flow.viewer import Viewer
from tests.waiting import until
from vacancies.database import Pool
from vacancies.servers import Servers


@pytest.fixture
def given(database_url: str, servers: Servers) -> dict[str, str]:
    return {"database_url": database_url, "redis_url": servers.redis_url, "workers": "2"}


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A connection for each request: a kept one would stay with one worker."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as client:
        yield client


def state_and_parent(pid: int) -> tuple[str, int]:
    """As /proc knows them; ("Z", 0) if there is no such process, or it waits to be buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return "Z", 0
    return fields[0], int(fields[1])


def is_alive(pid: int) -> bool:
    return state_and_parent(pid)[0] != "Z"


def workers_of(parent: int) -> list[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if is_alive(pid) and state_and_parent(pid)[1] == parent]


@contextmanager
def asleep(pid: int) -> Iterator[None]:
    """That process does nothing meanwhile: whatever is answered, another one did it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def watched(
    client: aiohttp.ClientSession, viewer: Viewer
) -> AsyncIterator[asyncio.Task[None]]:
    """`viewer` is ready, and follows its stream; the task ends when the stream does."""

    async def watch() -> None:
        with suppress(aiohttp.ClientError):
            await viewer.watch(client)

    watching = asyncio.create_task(watch())
    await viewer.until(lambda: viewer.is_ready)
    try:
        yield watching
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def metrics(client: aiohttp.ClientSession, url: str) -> dict[str, float]:
    async with client.get(f"{url}/metrics") as answer:
        assert answer.status == 200
        lines = (await answer.text()).splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


async def shows(client: aiohttp.ClientSession, url: str, **expected: float) -> bool:
    found = await metrics(client, url)
    return all(found[f"freiplatz_{name}"] == value for name, value in expected.items())


async def test_each_serves_what_the_other_took(
    given: dict[str, str], key: str, client: aiohttp.ClientSession
) -> None:
    viewers = Viewer("", {}), Viewer("", {})
    async with process(**given) as (url, parent, _), AsyncExitStack() as stack:
        one, other = workers_of(parent.pid)
        assert await put(client, url, key, "a", HOME) == 201
        for viewer, sleeper in zip(viewers, (one, other), strict=True):
            viewer.url = url
            with asleep(sleeper):
                await stack.enter_async_context(watched(client, viewer))
        with asleep(one):
            assert await put(client, url, key, "a/vacancies", REPORT) == 200
        for viewer in viewers:
            await viewer.until(lambda v=viewer: "a" in v.table)
        await until(lambda: shows(client, url, workers=2, viewers=2))
        for sleeper in (one, other):
            with asleep(sleeper):  # who is asked knows of the other
                assert await shows(client, url, workers=2, viewers=2)


async def test_one_is_killed_the_other_goes_on_and_it_comes_back(
    given: dict[str, str], key: str, client: aiohttp.ClientSession
) -> None:
    async with process(**given) as (url, parent, said), AsyncExitStack() as stack:
        one, doomed = workers_of(parent.pid)
        assert await put(client, url, key, "a", HOME) == 201
        stays, loses = Viewer(url, {}), Viewer(url, {})
        with asleep(doomed):
            await stack.enter_async_context(watched(client, stays))
        with asleep(one):
            losing = await stack.enter_async_context(watched(client, loses))
        assert await put(client, url, key, "a/vacancies", REPORT) == 200
        await loses.until(lambda: "a" in loses.table)
        before = await metrics(client, url)

        os.kill(doomed, signal.SIGKILL)
        await losing
        assert await put(client, url, key, "a/vacancies", {"vacancies": []}) == 200
        await stays.until(lambda: "a" not in stays.table)
        await until(lambda: shows(client, url, workers=2))
        (new,) = set(workers_of(parent.pid)) - {one}
        with asleep(one):  # the new one resumes what the killed one began
            await stack.enter_async_context(watched(client, loses))
        await loses.until(lambda: "a" not in loses.table)
        assert [event.name for event in loses.events].count("reset") == 0
        await until(lambda: shows(client, url, viewers=2))
        after = await metrics(client, url)
        assert after["freiplatz_writes"] >= before["freiplatz_writes"]
        assert new != doomed
    assert "a web process ended, starting another" in await said


@pytest.mark.parametrize("is_ctrl_c", [False, True])
async def test_all_stop_at_once_with_open_streams(
    given: dict[str, str], client: aiohttp.ClientSession, is_ctrl_c: bool
) -> None:
    async with process(**given) as (url, parent, said), AsyncExitStack() as stack:
        ends = [
            await stack.enter_async_context(watched(client, Viewer(url, {}))) for _ in range(20)
        ]
        if is_ctrl_c:
            os.killpg(parent.pid, signal.SIGINT)
        else:
            parent.terminate()
        async with asyncio.timeout(10):
            await asyncio.gather(*ends)
            assert await parent.wait() == 0
            assert (await said).splitlines()[-1] == "Stopped."


async def test_nobody_stays_when_the_parent_is_killed(
    given: dict[str, str], client: aiohttp.ClientSession
) -> None:
    async with process(**given) as (url, parent, said), watched(client, Viewer(url, {})) as end:
        workers = workers_of(parent.pid)
        parent.kill()
        async with asyncio.timeout(10):
            await end
            await said  # ends with the last process that could write there
        await until(lambda: not any(map(is_alive, workers)))


async def test_when_none_stays_alive_it_says_so_and_ends(
    given: dict[str, str], client: aiohttp.ClientSession, pool: Pool
) -> None:
    async with process(**given) as (url, parent, said):
        one, other = workers_of(parent.pid)
        await pool.execute("DELETE FROM migration")  # whoever starts now finds an old database
        os.kill(one, signal.SIGKILL)
        await until(lambda: shows(client, url, workers=1))
        os.kill(other, signal.SIGKILL)
        assert await parent.wait() == 1
        lines = (await said).splitlines()
        assert "times in a row" in lines[-1]
        assert any("Run `freiplatz migrate` first" in line for line in lines)
        assert not any("Traceback" in line for line in lines)
