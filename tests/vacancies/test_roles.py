"""The roles of the database, on a server where the service's user is no superuser, as with most
who host databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import pytest

from providers.desks import at_desk
from vacancies.config import Settings
from vacancies.database import migrate, open_pool
from vacancies.deployment import open_deployment
from vacancies.errors import Unavailable
from vacancies.roles import ROLES
from vacancies.servers import Servers, local_servers


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[Servers]:
    """Roles belong to a server: those that all tests share have been made there."""
    with local_servers(tmp_path, lambda line: None) as found:
        yield found


async def database_of(servers: Servers, rights: str) -> str:
    """The address of an empty database that belongs to a user with these rights."""
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute(f"CREATE ROLE app LOGIN NOSUPERUSER {rights}")
    await admin.execute("CREATE DATABASE app OWNER app")
    await admin.close()
    parts = urlsplit(servers.database_url)
    query = urlencode({**dict(parse_qsl(parts.query)), "user": "app"})
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, path="/app", query=query))


def test_a_user_that_may_make_roles_takes_them_on(own_servers: Servers, tmp_path: Path) -> None:
    async def run() -> None:
        url = await database_of(own_servers, "CREATEROLE")
        pool = await open_pool(url)
        assert await migrate(pool) > 0
        await pool.close()
        settings = Settings(
            database_url=url,
            redis_url=own_servers.redis_url,
            data_dir=tmp_path / "data",
            secret_key="x" * 32,
        )
        async with open_deployment(settings) as deployment:
            assert await deployment.following.fetchval("SELECT current_user") == ROLES[1]
            async with at_desk(deployment.desks, "05754008") as connection:
                assert await connection.fetchval("SELECT current_user") == ROLES[2]
                assert await connection.fetchval("SELECT count(*) FROM care_home") == 0

    asyncio.run(run())


def test_a_user_that_may_not_is_told_what_to_ask_for(own_servers: Servers) -> None:
    async def run() -> None:
        url = await database_of(own_servers, "NOCREATEROLE")
        pool = await open_pool(url)
        with pytest.raises(Unavailable) as refused:
            await migrate(pool)
        wanted = refused.value.detail.partition("run once: ")[2]
        assert wanted
        admin = await asyncpg.connect(own_servers.database_url)
        await admin.execute(wanted)
        await admin.close()
        assert await migrate(pool) > 0
        await pool.close()

    asyncio.run(run())
