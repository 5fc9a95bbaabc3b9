"""Putting a backup back: all of it, checked, or nothing at all.

Everything happens in one transaction: the migrations of the backup make its schema, rows are copied
in, every table is read again and compared, the epoch is renewed, newer migrations run. Whoever
asks the database meanwhile waits, or sees what was there before.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter

import asyncpg

from vacancies.backups.manifest import Contents, Table
from vacancies.backups.opened import OpenedBackup
from vacancies.backups.tables import (
    our_functions,
    our_tables,
    select_full_tables,
    select_tables,
)
from vacancies.backups.tally import tally_rows
from vacancies.database import (
    Connection,
    apply_migration,
    create_migration_table,
    is_connection_error,
    migrations,
)
from vacancies.errors import BackupError
from vacancies.roles import ensure_roles

# What migrations put into an empty database, and what the service keeps in one by itself.
_NO_DATA = frozenset(
    {
        *("migration", "deployment", "revision_head", "alert_matching", "boundary_head"),
        *("planning_head", "planning_due"),
    }
)

# Foreign keys of our tables, with the order to drop and the one to make each. Without them tables
# can be filled in any order, and whole ones are checked faster than rows.
_FOREIGN_KEYS = """
SELECT format('ALTER TABLE public.%I DROP CONSTRAINT %I', c.relname, k.conname) AS drop,
       format('ALTER TABLE public.%I ADD CONSTRAINT %I %s', c.relname, k.conname,
              pg_get_constraintdef(k.oid)) AS make
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND c.relname = ANY($1)
"""
_DROP_EVERYTHING = """
SELECT 'DROP TABLE IF EXISTS ' || string_agg(format('public.%I', name), ', ') || ' CASCADE'
FROM unnest($1::text[]) AS name
UNION ALL
SELECT 'DROP FUNCTION IF EXISTS ' || string_agg(format('public.%I', name), ', ') || ' CASCADE'
FROM unnest($2::text[]) AS name
"""
_EMPTY = """
SELECT 'TRUNCATE ' || string_agg(format('public.%I', name), ', ')
FROM unnest($1::text[]) AS name
"""


async def restore_backup(
    connection: Connection,
    backup: OpenedBackup,
    *,
    replace: bool,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Make the database what it was when the backup was taken, with a new epoch; returns how many
    newer migrations ran.

    The tables may hold data only if they are to be replaced. `progress` gets numbers of bytes of
    the file. Raises `BackupError`, and `Unavailable` if roles are missing; then nothing is changed.
    If the database goes away, all is restored or nothing is.
    """
    await ensure_roles(connection)
    ran = {migration.number for migration in backup.manifest.migrations}
    try:
        async with connection.transaction():
            if not replace:
                await _refuse_data(connection)
            await _execute(
                connection, _DROP_EVERYTHING, sorted(our_tables()), sorted(our_functions())
            )
            await create_migration_table(connection)
            await _migrate(connection, lambda number: number in ran)
            await _fill(connection, backup, progress)
            await _compare(connection, backup.manifest.tables, backup.contents)
            # Viewers, webhooks and neighbours begin anew: revisions that they have seen since may
            # be given out a second time, for other states.
            await connection.execute("UPDATE deployment SET epoch = $1", secrets.token_hex(16))
            newer = await _migrate(connection, lambda number: number not in ran)
    except asyncpg.PostgresError as error:
        if is_connection_error(error) or isinstance(error, asyncpg.InsufficientPrivilegeError):
            raise  # for `connect`; at a COMMIT that was not answered nobody knows
        # Its message may name values of a row; its class and place do not.
        raise BackupError(
            f"The database refused ({type(error).__name__}, {_place(error)}); nothing was changed."
            " If the service is running, stop it and try again."
        ) from error
    await connection.execute("ANALYZE")
    return newer


def _place(error: asyncpg.PostgresError) -> str:
    return str(getattr(error, "table_name", None) or "in no table")


async def _refuse_data(connection: Connection) -> None:
    full = [name for name in await select_full_tables(connection) if name not in _NO_DATA]
    if full:
        named = ", ".join(full[:5]) + (" …" if full[5:] else "")
        raise BackupError(
            f"The database holds data ({named}), and nothing was changed. Restore into an empty"
            " one, or add --replace to delete what is there."
        )


async def _execute(connection: Connection, writes_sql: str, *arguments: object) -> None:
    """Run the statements that a query writes: names in them are quoted by Postgres itself."""
    for row in await connection.fetch(writes_sql, *arguments):
        if row[0]:
            await connection.execute(row[0])


async def _migrate(connection: Connection, wanted: Callable[[int], bool]) -> int:
    due = [migration for migration in migrations() if wanted(migration[0])]
    for number, name, sql in due:
        await apply_migration(connection, number, name, sql)
    return len(due)


async def _fill(
    connection: Connection, backup: OpenedBackup, progress: Callable[[int], None]
) -> None:
    tables = {table.name: table for table in backup.manifest.tables}
    if list(tables.values()) != await select_tables(connection):
        raise BackupError(
            "The backup is of a database whose tables somebody has changed: its migrations do not"
            " make them. Nothing was changed."
        )
    keys = await connection.fetch(_FOREIGN_KEYS, sorted(tables))
    for key in keys:
        await connection.execute(key["drop"])
    await _execute(connection, _EMPTY, sorted(tables))
    with closing(backup.rows(progress)) as blocks:
        for name, of_table in groupby(blocks, key=itemgetter(0)):
            await _copy_in(connection, tables[name], (lines for _, lines in of_table))
    for key in keys:
        await connection.execute(key["make"])
    for sequence in backup.contents.sequences:
        await connection.execute(
            "SELECT setval(pg_get_serial_sequence(quote_ident($1), $2), $3)",
            sequence.table,
            sequence.column,
            sequence.value,
        )


async def _copy_in(connection: Connection, table: Table, blocks: Iterator[bytes]) -> None:
    async def lines() -> AsyncIterator[bytes]:
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            yield block

    await connection.copy_to_table(
        table.name, schema_name="public", columns=table.columns, source=lines(), format="text"
    )


async def _compare(connection: Connection, tables: list[Table], contents: Contents) -> None:
    """Read every table again: what is stored must be what was written."""
    for table in tables:
        if await tally_rows(connection, table) != contents.tables[table.name]:
            raise BackupError(
                f"Table {table.name} did not come out as it was backed up, and nothing was changed."
                " Please report this."
            )
