"""One running deployment as a process sees it: database, Redis, and the writer.

Every command and every web process opens it the same way; without addresses in the
settings it uses the data folder's own servers, and starts them if need be.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from vacancies.config import Settings
from vacancies.database import Pool, check_schema, migrate, open_pool, select_epoch
from vacancies.feed import Announcement, Doorbell
from vacancies.roles import Role
from vacancies.servers import Servers, local_servers
from vacancies.writer import Writer

log = structlog.get_logger()


@dataclass
class Deployment:
    """`listeners` are called with every commit of this process, before its callers get
    their answers. `following` and `desks` are pools that may do no more than followers and the
    desks of municipalities (`roles.py`)."""

    settings: Settings
    pool: Pool
    following: Pool
    desks: Pool
    redis: redis.asyncio.Redis
    doorbell: Doorbell
    writer: Writer
    servers: Servers | None = None
    listeners: list[Callable[[Announcement], None]] = field(default_factory=list)

    async def is_demo(self) -> bool:
        """Whether the homes are made up."""
        return bool(await self.pool.fetchval("SELECT demo FROM deployment"))

    async def is_empty(self) -> bool:
        return not await self.pool.fetchval("SELECT EXISTS (SELECT FROM care_home)")


@asynccontextmanager
async def open_deployment(
    settings: Settings, *, report: Callable[[str], None] = lambda line: None
) -> AsyncIterator[Deployment]:
    """Connect to the database and Redis of `settings`, or to the data folder's own.

    Own servers are migrated on the way; a database that was given by setting is only
    checked. Redis may be away: nothing but speed depends on it. Raises `Unavailable` and
    `OutdatedSchema`.
    """
    async with AsyncExitStack() as stack:
        servers = None
        database_url, redis_url = settings.database_url, settings.redis_url
        if database_url is None or redis_url is None:
            own = local_servers(settings.data_dir, report)
            # Starting takes a second: in a thread, for the sake of other tasks.
            servers = await asyncio.to_thread(own.__enter__)
            stack.push(lambda *error: own.__exit__(*error))
            database_url, redis_url = servers.database_url, servers.redis_url
        pool = await open_pool(database_url)
        stack.push_async_callback(_close_pool, pool)
        if servers is not None:
            await migrate(pool, report)
        else:
            await check_schema(pool)
        if not settings.secret_key:
            stored = await pool.fetchval("SELECT secret FROM deployment")
            settings = replace(settings, secret_key=stored)
        following = await stack.enter_async_context(_pool_of("freiplatz_follower", database_url, 1))
        desks = await stack.enter_async_context(_pool_of("freiplatz_desk", database_url, 4))
        client = open_redis(redis_url)
        stack.push_async_callback(client.aclose)
        doorbell = Doorbell(client, await select_epoch(pool))
        listeners: list[Callable[[Announcement], None]] = [doorbell.ring]

        def announce(news: Announcement) -> None:
            for listener in listeners:
                try:
                    listener(news)
                except Exception:
                    # The commit stands; followers repair what a listener missed.
                    log.exception("a commit could not be announced")

        await stack.enter_async_context(doorbell)
        writer = await stack.enter_async_context(Writer(pool, announce))
        yield Deployment(
            settings, pool, following, desks, client, doorbell, writer, servers, listeners
        )


def open_redis(url: str) -> redis.asyncio.Redis:
    """A client that fails at once: the follower and the doorbell have their own patience."""
    client: redis.asyncio.Redis = redis.asyncio.from_url(
        url, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )
    return client


@asynccontextmanager
async def _pool_of(role: Role, database_url: str, size: int) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, size=size, role=role)
    try:
        yield pool
    finally:
        await _close_pool(pool)


async def _close_pool(pool: Pool) -> None:
    """Close in order, but never wait for ever for a connection that hangs."""
    try:
        await asyncio.wait_for(pool.close(), 5)
    except TimeoutError:
        pool.terminate()
