"""Web processes whose servers are given by setting: so nobody starts again what is dead."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from scripts.benchmarks.program import Server, command, serving
from vacancies.servers import Servers, local_servers


@asynccontextmanager
async def given_servers(folder: Path) -> AsyncIterator[tuple[Servers, dict[str, str], str]]:
    """Migrated servers in `folder`, the environment of those that use them, and a key."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("FREIPLATZ_")}
    own["FREIPLATZ_DATA_DIR"] = str(folder / "data")
    local = local_servers(folder / "data", lambda line: None)
    servers = await asyncio.to_thread(local.__enter__)
    try:
        await command(own, "provider", "add", "Bench")
        key = await command(own, "key", "create", "bench")
        given = {
            **own,
            "FREIPLATZ_DATABASE_URL": servers.database_url,
            "FREIPLATZ_REDIS_URL": servers.redis_url,
            "FREIPLATZ_CALLS_PER_KEY": "1000000",  # all homes here have one key
        }
        yield servers, given, key
    finally:
        await asyncio.to_thread(local.__exit__, None, None, None)


@asynccontextmanager
async def two_processes(folder: Path) -> AsyncIterator[tuple[Servers, list[Server], str]]:
    """Two web processes, and a key."""
    async with (
        given_servers(folder) as (servers, given, key),
        serving(given) as one,
        serving(given) as other,
    ):
        yield servers, [one, other], key
