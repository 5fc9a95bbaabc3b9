"""Making a backup: one snapshot of the database, streamed into one encrypted file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import version
from io import BufferedIOBase

import asyncpg
import msgspec
from pyrage import x25519

from vacancies.backups.archive import Add, write_members
from vacancies.backups.manifest import (
    CONTENTS,
    FORMAT,
    MANIFEST,
    Amount,
    Contents,
    Manifest,
    Ran,
    Table,
    secret_mark,
)
from vacancies.backups.tables import copy_rows, select_sequences, select_sizes, select_tables
from vacancies.backups.tally import Tally
from vacancies.database import Connection, migration_hash, migrations, select_applied
from vacancies.errors import BackupError


async def write_backup(
    connection: Connection,
    file: BufferedIOBase,
    recipients: Sequence[x25519.Recipient],
    secret_key: str,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Manifest, Contents]:
    """Write everything that a snapshot sees into `file`, which only the owners of `recipients`
    can open.

    `connection` is in a transaction that is `repeatable_read`, so it is one moment that is
    written, however long that takes and whoever writes meanwhile. `secret_key` is empty if the
    one in the database is in use. `progress` gets parts of 1. Raises `BackupError`.
    """
    manifest = await _describe(connection, secret_key)
    sizes = await select_sizes(connection)
    total = sum(sizes.values()) or 1
    with write_members(file, recipients) as add:
        await asyncio.to_thread(add, MANIFEST, msgspec.json.encode(manifest))
        amounts = {}
        for table in manifest.tables:
            amounts[table.name] = await _write_rows(
                connection, table, add, sizes[table.name], lambda done: progress(done / total)
            )
        sequences = await select_sequences(connection)
        contents = Contents(tables=amounts, sequences=sequences)
        await asyncio.to_thread(add, CONTENTS, msgspec.json.encode(contents))
    return manifest, contents


async def _describe(connection: Connection, secret_key: str) -> Manifest:
    try:
        applied = await select_applied(connection)
    except asyncpg.UndefinedTableError:
        raise BackupError(
            "There is nothing to back up: the database is empty. Check FREIPLATZ_DATABASE_URL and"
            " FREIPLATZ_DATA_DIR."
        ) from None
    known = {number: migration_hash(sql) for number, _, sql in migrations()}
    if not applied.items() <= known.items():
        # It may have tables of which this one knows nothing.
        raise BackupError(
            "The database was migrated by another version of Freiplatz. Make the backup with that"
            " one."
        )
    row = await connection.fetchrow(
        "SELECT now() AS at, revision, to_jsonb(d) ->> 'secret' AS secret,"
        " current_setting('server_version') AS server FROM revision_head, deployment d"
    )
    assert row is not None
    return Manifest(
        format=FORMAT,
        version=version("freiplatz"),
        server=row["server"],
        taken_at=row["at"],
        revision=row["revision"],
        secret=secret_mark(secret_key or row["secret"] or ""),
        migrations=[Ran(number=number, hash=digest) for number, digest in sorted(applied.items())],
        tables=await select_tables(connection),
    )


async def _write_rows(
    connection: Connection, table: Table, add: Add, size: int, progress: Callable[[int], None]
) -> Amount:
    """`size` are the bytes on disk: text is about as long, and all of it counts at the end."""
    tally, members, left = Tally(), 0, size

    async def take(lines: bytes) -> None:
        nonlocal members, left
        members += 1
        tally.add(lines)
        await asyncio.to_thread(add, f"rows/{table.name}/{members:06}.tsv", lines)
        done = min(left, len(lines))
        left -= done
        progress(done)

    await copy_rows(connection, table, take)
    progress(left)
    return tally.amount()
