"""A database that is full of what is hard to write down, backups of it, and an empty one."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from pyrage import x25519

from vacancies.backups.folder import new_backup
from vacancies.backups.making import write_backup
from vacancies.backups.manifest import Amount, Contents, Manifest
from vacancies.backups.opened import open_backup
from vacancies.backups.restoring import restore_backup
from vacancies.backups.tables import connect, select_moment, select_tables
from vacancies.backups.tally import tally_rows
from vacancies.deployment import Deployment
from vacancies.servers import Servers
from web.commands.demo import fill_demo

SECRET = "x" * 32

# Values that a line of text has to be careful with, and rows that point to one another.
TRICKY = r"""
INSERT INTO staff (email, name) VALUES
    ('a@example.org', E'tab\there, line\nend, return\r, \\N, \\.'), ('b@example.org', '\N'),
    ('c@example.org', ''),
    ('d@example.org', E'Zoë \U0001F3E0 "x"; --');
DELETE FROM staff WHERE email = 'd@example.org';
UPDATE care_home SET status = 'merged', merged_into = (SELECT max(id) FROM care_home)
    WHERE id = (SELECT min(id) FROM care_home);
INSERT INTO alert (id, channel, reader, sealed, language, quiet_from_minute, quiet_until_minute,
    most_a_day, created_at, expires_at) VALUES ('00ff', 'mail', '\x00ff0a0d5c', '\x', 'de', 0, 0, 1,
    '2026-03-29 01:59:59.999999+01', 'infinity');
INSERT INTO archive_day VALUES ('2026-11-26', now(), 1, 1, 'licence', E'O\'Neill & Söhne');
INSERT INTO archive_file SELECT '2026-11-26', 'csv', 3000000, '',
    decode(string_agg(md5(n::text), ''), 'hex') FROM generate_series(1, 187500) AS n;
"""


@dataclass(frozen=True)
class Made:
    path: Path
    manifest: Manifest
    contents: Contents


Make = Callable[[str], Awaitable[Made]]


@pytest.fixture
def key() -> x25519.Identity:
    return x25519.Identity.generate()


@pytest.fixture
async def full(deployment: Deployment) -> str:
    """The address of a database with a small demo, and what is tricky."""
    await fill_demo(deployment, 40, 1, lambda line: None)
    await deployment.pool.execute(TRICKY)
    assert deployment.settings.database_url
    return deployment.settings.database_url


@asynccontextmanager
async def empty_database(servers: Servers) -> AsyncIterator[str]:
    """The address of a database in which there is nothing at all."""
    name = f"empty_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    path, _, query = servers.database_url.partition("?")
    yield f"{path.rsplit('/', 1)[0]}/{name}?{query}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def empty(servers: Servers) -> AsyncIterator[str]:
    async with empty_database(servers) as url:
        yield url


@pytest.fixture
def make(key: x25519.Identity, tmp_path: Path) -> Make:
    """Back a database up, each time into a folder of its own: two of one second have one name."""

    async def made(database_url: str) -> Made:
        async with (
            connect(database_url) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            taken_at = await select_moment(connection)
            folder = tmp_path / "backups" / secrets.token_hex(4)
            with new_backup(folder, taken_at) as (path, file):
                manifest, contents = await write_backup(connection, file, [key.to_public()], SECRET)
        return Made(path, manifest, contents)

    return made


async def restore(
    path: Path, key: x25519.Identity, database_url: str, *, replace: bool = False
) -> int:
    backup = open_backup(path, [key], lambda done: None)
    async with connect(database_url, alone=True) as connection:
        return await restore_backup(connection, backup, replace=replace)


async def content_of(database_url: str) -> dict[str, Amount]:
    """What is in every table."""
    async with connect(database_url) as connection:
        tables = await select_tables(connection)
        return {table.name: await tally_rows(connection, table) for table in tables}


async def schema_of(database_url: str) -> dict[str, list[str]]:
    """Everything about the tables that Postgres itself can put into words."""
    connection = await asyncpg.connect(database_url)
    ours = "connamespace = 'public'::regnamespace"
    questions = {
        "columns": "SELECT concat_ws(' ', attrelid::regclass, attname, atttypid::regtype,"
        " attnotnull, attidentity, attstorage, attacl, col_description(attrelid, attnum),"
        " pg_get_expr(adbin, adrelid)) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid"
        " AND adnum = attnum JOIN pg_class c ON c.oid = attrelid WHERE attnum > 0"
        " AND NOT attisdropped AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace",
        "constraints": "SELECT concat_ws(' ', conrelid::regclass, conname, convalidated,"
        f" pg_get_constraintdef(oid)) FROM pg_constraint WHERE {ours} AND contype <> 'n'",
        "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "policies": "SELECT p::text FROM pg_policies p",
        "rights": "SELECT concat_ws(' ', relname, relacl, relrowsecurity) FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
        "functions": "SELECT pg_get_functiondef(oid) FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace",
    }
    found = {
        name: sorted(row[0] for row in await connection.fetch(question))
        for name, question in questions.items()
    }
    await connection.close()
    return found
