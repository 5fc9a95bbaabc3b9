"""The web processes are replaced one by one, and the single one ends gently: nobody notices."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import aiohttp
import pytest

from scripts.deployment_trial.load import Load
from tests.flow.program import HOME, process, put
from tests.flow.test_workers import is_alive, metrics, shows, workers_of
from tests.waiting import until
from vacancies.database import Pool
from vacancies.servers import Servers


@pytest.fixture
def given(database_url: str, servers: Servers) -> dict[str, str]:
    return {"database_url": database_url, "redis_url": servers.redis_url}


async def test_workers_are_replaced_under_load(given: dict[str, str], key: str) -> None:
    async with process(workers="2", **given) as (url, parent, said):
        before = set(workers_of(parent.pid))
        async with Load(url, key, viewers=40, pushes_per_second=20) as load:
            counted = (await metrics(load.client, url))["freiplatz_writes"]
            parent.send_signal(signal.SIGHUP)
            await until(lambda: len(set(workers_of(parent.pid)) - before) == 2, seconds=60)
            await until(lambda: not before & set(workers_of(parent.pid)), seconds=60)
            await load.settle()
            assert (await metrics(load.client, url))["freiplatz_writes"] >= counted
        outcome = load.outcome
        assert outcome.failed_pushes == []
        assert outcome.pushes > 20
        assert (outcome.lost_events, outcome.never_back, outcome.resets) == (0, 0, 0)
        assert len(outcome.returns_seconds) >= 40, "every viewer had to come back"
    assert "all web processes are new" in await said


async def test_who_cannot_start_replaces_nobody(
    given: dict[str, str], key: str, pool: Pool
) -> None:
    async with process(workers="2", **given) as (url, parent, said), client() as http:
        before = set(workers_of(parent.pid))
        removed = await pool.fetch("DELETE FROM migration RETURNING *")  # an old database
        parent.send_signal(signal.SIGHUP)
        await until(lambda: len(workers_of(parent.pid)) > 2)
        await until(lambda: set(workers_of(parent.pid)) == before, seconds=60)
        assert await put(http, url, key, "a", HOME) == 201
        await until(lambda: shows(http, url, workers=2))
        assert removed
    lines = await said
    assert "a new web process did not start, the old one stays" in lines
    assert "all web processes are new" not in lines


async def test_a_second_wish_and_the_end_come_while_workers_are_replaced(
    given: dict[str, str],
) -> None:
    async with process(workers="2", **given) as (_, parent, said):
        parent.send_signal(signal.SIGHUP)
        await until(lambda: len(workers_of(parent.pid)) > 2)
        parent.send_signal(signal.SIGHUP)
        everybody = workers_of(parent.pid)
        parent.terminate()
        assert await parent.wait() == 0
        assert (await said).splitlines()[-1] == "Stopped."
        assert not any(map(is_alive, everybody))


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_it_ends_gently(given: dict[str, str], key: str, workers: str) -> None:
    """New connections are for others; what is connected is answered, and told that this was the
    last answer; then the process ends, although connections are still open."""
    async with process(workers=workers, **given) as (url, parent, said):
        async with client() as http:
            assert await put(http, url, key, "a", HOME) == 201
        address = url.removeprefix("http://").split(":")
        busy = await asyncio.open_connection(address[0], int(address[1]))
        idle = await asyncio.open_connection(address[0], int(address[1]))
        assert "connection: close" not in await ask(busy)
        assert "connection: close" not in await ask(idle)
        parent.send_signal(signal.SIGQUIT)
        await until(lambda: is_closed_to_new(address[0], int(address[1])))
        assert "connection: close" in await ask(busy)
        for reader, writer in (busy, idle):
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        assert await parent.wait() == 0
        assert (await said).splitlines()[-1] == "Stopped."


async def test_who_waits_to_be_accepted_is_answered(given: dict[str, str]) -> None:
    """The kernel has let them in, and their requests are there, when it is asked to end."""
    async with process(**given) as (url, parent, _):
        host, port = url.removeprefix("http://").split(":")
        parent.send_signal(signal.SIGSTOP)
        lines = [await asyncio.open_connection(host, int(port)) for _ in range(30)]
        asking = [asyncio.create_task(ask(line)) for line in lines]
        parent.send_signal(signal.SIGQUIT)
        parent.send_signal(signal.SIGCONT)
        await asyncio.gather(*asking)  # fails for one that is cut off
        for _, writer in lines:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        assert await parent.wait() == 0


async def test_haste_comes_before_gentleness(given: dict[str, str]) -> None:
    async with process(**given) as (url, parent, _):
        address = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(address[0], int(address[1]))
        await ask((reader, writer))
        # A request that never ends would hold it up for seconds.
        writer.write(b"PUT /api/v1/homes/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        parent.send_signal(signal.SIGQUIT)
        await until(lambda: is_closed_to_new(address[0], int(address[1])))
        assert parent.returncode is None
        parent.terminate()
        assert await parent.wait() == 0
        writer.close()


def client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))


async def is_closed_to_new(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return True
    writer.close()
    return False


async def ask(line: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> str:
    """The head of the answer to one request, in small letters; its body is read too."""
    reader, writer = line
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert head.startswith("http/1.1 200")
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    await reader.readexactly(length)
    return head
