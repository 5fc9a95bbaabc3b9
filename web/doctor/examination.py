"""All looks, one after the other, each finding as soon as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

from vacancies.config import Settings
from vacancies.database import CONNECTION_ERRORS, open_pool
from vacancies.errors import Unavailable
from vacancies.servers import ServersError, local_servers
from web.doctor.database import look_at_database
from web.doctor.finding import Finding, bad
from web.doctor.machine import look_at_backups, look_at_disk, look_at_settings
from web.doctor.running import look_at_service
from web.doctor.surroundings import look_at_certificate, look_at_mail, look_at_redis


async def examine(settings: Settings, url: str) -> AsyncIterator[Finding]:
    """Look at everything; nothing is changed. The data folder's own servers are started for it
    if nobody uses them just now."""
    for finding in (*look_at_settings(settings), *look_at_disk(settings)):
        yield finding
    yield look_at_backups(settings)
    async with AsyncExitStack() as stack:
        if settings.database_url is None:
            try:
                own = local_servers(settings.data_dir, lambda line: None)
                servers = await asyncio.to_thread(own.__enter__)
            except (ServersError, OSError) as error:
                yield bad("database", str(error), "See the log that it names, and the disk.")
                return
            stack.push(lambda *error: own.__exit__(*error))
            settings = replace(
                settings, database_url=servers.database_url, redis_url=servers.redis_url
            )
        async for finding in _of_database(settings):
            yield finding
        yield await look_at_redis(settings.redis_url or "")
        yield await look_at_mail(settings)
        if (settings.public_url or "").startswith("https://"):
            yield await look_at_certificate(settings.public_url or "")
        async for finding in look_at_service(url):
            yield finding


async def _of_database(settings: Settings) -> AsyncIterator[Finding]:
    try:
        pool = await open_pool(settings.database_url or "", size=2)
    except Unavailable as error:
        remedy = "Start it; then check each part of FREIPLATZ_DATABASE_URL, and the way there."
        yield bad("database", error.detail, remedy)
        return
    try:
        async for finding in look_at_database(pool, settings.workers):
            yield finding
    except CONNECTION_ERRORS as error:
        says = f"Postgres stopped answering ({type(error).__name__})."
        yield bad("database", says, "See its log, and the disk of its machine.")
    finally:
        pool.terminate()
