"""Our tables, their rows, and their sequences, as a backup reads them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import asyncpg

from vacancies.backups.manifest import Sequence, Table
from vacancies.database import (
    CONNECTION_ERRORS,
    MIGRATION_LOCK,
    MIGRATION_SECONDS,
    SERVER_SETTINGS,
    Connection,
    migrations,
)
from vacancies.errors import BackupError, Unavailable

# How values are written must not depend on how the server or the database is set up.
_SETTINGS = SERVER_SETTINGS | {
    "application_name": "freiplatz-backup",
    "statement_timeout": "0",
    "lock_timeout": "60s",
    "idle_in_transaction_session_timeout": "0",
    "search_path": "public",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    # A user who may not see every row gets an error, and not a backup without them.
    "row_security": "off",
}
_CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 1 << 20


def _named(kind: str) -> frozenset[str]:
    made = re.compile(rf"^CREATE {kind} (\w+)", re.MULTILINE)
    return frozenset(name for _, _, sql in migrations() for name in made.findall(sql))


def our_tables() -> frozenset[str]:
    """The names of all tables that migrations make. Others in the database are not ours: they
    are neither backed up nor touched."""
    return _named("TABLE") | {"migration"}


def our_functions() -> frozenset[str]:
    return _named("FUNCTION")


@asynccontextmanager
async def connect(database_url: str, *, alone: bool = False) -> AsyncIterator[Connection]:
    """A connection for long work, beside which no migration runs; `alone`: nor does another
    backup or restore. Raises `Unavailable`."""
    try:
        connection = await asyncpg.connect(
            database_url, timeout=_CONNECT_SECONDS, server_settings=_SETTINGS
        )
    except (*CONNECTION_ERRORS, asyncpg.PostgresError, ValueError) as error:
        raise Unavailable(
            f"The database does not answer ({error}). Check FREIPLATZ_DATABASE_URL."
        ) from error
    try:
        shared = "SELECT pg_advisory_lock_shared($1)"
        lock = "SELECT pg_advisory_lock($1)" if alone else shared
        await connection.execute(lock, MIGRATION_LOCK, timeout=MIGRATION_SECONDS)
        yield connection
    except asyncpg.InsufficientPrivilegeError as error:
        raise BackupError(
            "The database user may not read or write all of it. Use the one as whom you migrate: it"
            " owns the tables."
        ) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError) as error:
        # A message of Postgres may hold values of a row.
        raise Unavailable(
            f"The database went away, or refused ({type(error).__name__}). Try again."
        ) from error
    finally:
        with suppress(*CONNECTION_ERRORS):
            await connection.close(timeout=_CONNECT_SECONDS)


async def select_moment(connection: Connection) -> datetime:
    """When this transaction began, by the database's clock."""
    moment: datetime = await connection.fetchval("SELECT now()")
    return moment


async def select_tables(connection: Connection) -> list[Table]:
    """Our tables that are there, with their columns."""
    rows = await connection.fetch(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) AS columns"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
        " AND c.relname = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
        " GROUP BY c.relname ORDER BY c.relname",
        sorted(our_tables()),
    )
    return [Table(name=row["relname"], columns=row["columns"]) for row in rows]


async def select_sizes(connection: Connection) -> dict[str, int]:
    """Bytes on disk by table, roughly what there is to read."""
    rows = await connection.fetch(
        "SELECT relname, pg_table_size(oid) AS bytes FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relname = ANY($1)",
        sorted(our_tables()),
    )
    return {row["relname"]: row["bytes"] for row in rows}


async def select_full_tables(connection: Connection) -> list[str]:
    """Those of our tables that have rows."""
    wanted = [table.name for table in await select_tables(connection)]
    question = await connection.fetchval(
        "SELECT string_agg(format('SELECT %L WHERE EXISTS (SELECT FROM public.%I)', name, name),"
        " ' UNION ALL ' ORDER BY name) FROM unnest($1::text[]) AS name",
        wanted,
    )
    return [row[0] for row in await connection.fetch(question)] if question else []


async def select_sequences(connection: Connection) -> list[Sequence]:
    """Where the numbers of identity columns are. Those that were never asked are left out.

    They are kept, and not made from the highest number in use: what outlives a deleted row, such
    as the audit trail, must not point to the next one.
    """
    rows = await connection.fetch(
        "SELECT c.relname, a.attname,"
        " pg_sequence_last_value(pg_get_serial_sequence(quote_ident(c.relname), a.attname)) AS last"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY($1)"
        " AND a.attidentity <> '' ORDER BY c.relname, a.attname",
        sorted(our_tables()),
    )
    return [
        Sequence(table=row["relname"], column=row["attname"], value=row["last"])
        for row in rows
        if row["last"] is not None
    ]


async def copy_rows(
    connection: Connection, table: Table, take: Callable[[bytes], Awaitable[None]]
) -> None:
    """Hand all rows of a table to `take`: whole lines, about 1 MB at a time."""
    waiting = bytearray()

    async def collect(data: bytes) -> None:
        waiting.extend(data)
        if len(waiting) >= _CHUNK_BYTES:
            end = waiting.rfind(b"\n") + 1
            lines = bytes(waiting[:end])
            del waiting[:end]
            if lines:
                await take(lines)

    await connection.copy_from_table(
        table.name, schema_name="public", columns=table.columns, output=collect, format="text"
    )
    if waiting:
        await take(bytes(waiting))
