"""Limits: exact whatever comes at once, over several processes, and without Redis too."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from providers import limits
from providers.limits import Limit, Limiter
from vacancies.deployment import Deployment
from vacancies.servers import Servers

FIVE = Limit("test", most=5, seconds=60)


def limiter(deployment: Deployment) -> Limiter:
    return Limiter(deployment.redis, lambda: deployment.doorbell.channel, "secret")


async def calls(limiter: Limiter, count: int, client: str = "192.0.2.7") -> int:
    """How many of so many calls at once are allowed."""
    return sum(await asyncio.gather(*(limiter.allows(FIVE, client) for _ in range(count))))


async def keys(deployment: Deployment) -> list[bytes]:
    pattern = f"freiplatz:{deployment.doorbell.channel}:limit:*"
    return [key async for key in deployment.redis.scan_iter(pattern)]


async def test_a_limit_is_exact_for_a_thousand_calls_at_once_in_two_processes(
    deployment: Deployment,
) -> None:
    one, other = limiter(deployment), limiter(deployment)
    allowed = await asyncio.gather(calls(one, 500), calls(other, 500))
    assert sum(allowed) == 5
    assert await calls(one, 1, "192.0.2.8") == 1, "each client has its own"
    assert await one.allows(Limit("another", 5, 60), "192.0.2.7"), "and each limit"


async def test_redis_holds_no_address_and_no_key_for_ever(deployment: Deployment) -> None:
    one = limiter(deployment)
    await calls(one, 40)
    (key,) = await keys(deployment)
    assert b"192.0.2" not in key
    assert 0 < await deployment.redis.ttl(key) <= 60
    # Whatever has made it so: the next call gives it an end.
    await deployment.redis.set(key, 2)
    assert await deployment.redis.ttl(key) == -1
    assert await calls(limiter(deployment), 40) == 3
    assert 0 < await deployment.redis.ttl(key) <= 60


async def test_who_is_over_the_limit_hears_for_how_long_and_costs_redis_nothing(
    deployment: Deployment,
) -> None:
    one = limiter(deployment)
    for _ in range(5):
        assert await one.wait_seconds(FIVE, "x") == 0
    for _ in range(20):
        assert 0 < await one.wait_seconds(FIVE, "x") <= 60
    (key,) = await keys(deployment)
    assert await deployment.redis.get(key) == b"5", "the others were not even counted"


async def test_a_new_window_opens_when_the_old_one_ends(deployment: Deployment) -> None:
    one, brief = limiter(deployment), Limit("test", most=1, seconds=1)
    assert await one.allows(brief, "x")
    while not await one.allows(brief, "x"):
        pass  # Redis' clock and ours end it


async def test_what_is_remembered_is_bounded(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_KNOWN", 10)
    one, once = limiter(deployment), Limit("test", most=1, seconds=60)
    for number in range(50):
        await one.allows(once, str(number))
    assert len(one._over) == 10
    one._is_away, one._ask_again_at = True, float("inf")
    for number in range(100, 150):
        await one.allows(once, str(number))
    assert len(one._local) == 10


async def test_without_redis_each_process_counts_by_itself(
    servers: Servers, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AWAY_SECONDS", 0.0)  # asked again by the next call
    port = _free_port()
    async with _client(port) as away:
        one = Limiter(away, lambda: deployment.doorbell.channel, "secret")
        other = Limiter(away, lambda: deployment.doorbell.channel, "secret")
        assert await calls(one, 300) == 5, "exact here"
        assert await calls(other, 300) == 5
        assert await calls(one, 300) == 0, "the window goes on"
        async with _door(port, servers.redis_url):
            assert await calls(one, 1) == 1, "Redis is back, and has counted nothing so far"
            assert await calls(one, 300) == 4
        assert len(await keys(deployment)) == 1


async def test_a_redis_that_hangs_holds_up_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REDIS_SECONDS", 0.05)
    monkeypatch.setattr(limits, "AWAY_SECONDS", 3600.0)
    asked = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server, _client(server.sockets[0].getsockname()[1]) as hanging:
        one = Limiter(hanging, lambda: "epoch", "secret")
        assert await calls(one, 1) == 1
        for number in range(100):
            assert await calls(one, 1, f"client {number}") == 1
        assert len(asked) == 1


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def _client(port: int) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis(port=port, retry=Retry(NoBackoff(), 0)) as client:
        yield client


@asynccontextmanager
async def _door(port: int, redis_url: str) -> AsyncIterator[None]:
    """Lets through to the Redis of the tests, under another port."""
    parts = urlsplit(redis_url)
    passing: set[asyncio.Task[None]] = set()

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if parts.scheme == "unix":
            inner = await asyncio.open_unix_connection(parts.path)
        else:
            inner = await asyncio.open_connection(parts.hostname, parts.port)
        for pair in ((reader, inner[1]), (inner[0], writer)):
            passing.add(asyncio.create_task(_pass_on(*pair)))

    async with await asyncio.start_server(through, "127.0.0.1", port):
        yield
        for task in passing:
            task.cancel()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    finally:
        writer.close()
