"""Everything that a municipality has here, as one ZIP file: read as of one moment, in pieces, so
that years of reports never lie in memory."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from typing import IO, Any, Protocol, cast

import asyncpg
import msgspec

from providers.desks import at_desk, select_parts
from providers.export_parts import PARTS, Part, readme
from providers.leaving import select_owned_homes
from providers.safe_cells import safe_text
from vacancies.database import Connection, Pool
from vacancies.municipalities import select_municipality

_ROWS = 2_000  # at once
_SECONDS = 600.0  # for what has to be put in order first
_LEVEL = 4  # of packing: reports are alike, and more takes twice as long for a tenth


class Target(Protocol):
    """Where the bytes go; it need not be able to go back."""

    def write(self, content: bytes, /) -> int: ...

    def flush(self) -> None: ...


class Entry(msgspec.Struct, frozen=True):
    """A file of the export: `rows` are those of a table, or lines, or Features."""

    name: str
    rows: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    municipality: str
    name: str
    exported_at: datetime
    homes: int
    files: list[Entry]


async def write_export(
    desks: Pool, key: str, target: Target, progress: Callable[[int], None] = lambda homes: None
) -> Manifest:
    """Write the ZIP into `target`. `desks` is the pool of the desks: row-level security keeps out
    what is others'. `progress` is told how many homes' reports are written since it was told last.
    Raises `UnknownMunicipality`."""
    async with at_desk(desks, key, of_one_moment=True) as connection:
        await connection.execute(f"SET LOCAL statement_timeout = {_SECONDS * 1000:.0f}")
        found = await select_municipality(connection, key)
        homes = await select_owned_homes(connection, key, await select_parts(connection, key))
        at = datetime.now(UTC)
        archive = zipfile.ZipFile(
            cast("IO[bytes]", target), "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL
        )
        try:
            entries = [
                await _write_part(archive, connection, part, homes, key, progress) for part in PARTS
            ]
            manifest = Manifest(key, found.name, at, len(homes), entries)
            archive.writestr("README.txt", readme(found.name, key, f"{at:%Y-%m-%d %H:%M} UTC"))
            encoded = msgspec.json.format(msgspec.json.encode(manifest))
            archive.writestr("manifest.json", encoded)
            await asyncio.to_thread(archive.close)
        finally:
            # What was not closed is no ZIP, also when the object goes: a part must not look whole.
            archive.fp = None
    return manifest


async def _write_part(
    archive: zipfile.ZipFile,
    connection: Connection,
    part: Part,
    homes: list[str],
    key: str,
    progress: Callable[[int], None],
) -> Entry:
    rows, digest, size = 0, hashlib.sha256(), 0
    with archive.open(part.name, "w", force_zip64=True) as file:

        def put(content: bytes) -> None:
            nonlocal size
            digest.update(content)
            size += len(content)
            file.write(content)

        encode = _ENCODERS[part.form]()
        put(encode.begin)
        for scope in homes if part.by_home else [homes]:
            async for batch in _batches(connection, part.query, scope, key):
                # In a thread: packing takes its time.
                await asyncio.to_thread(partial(_put_rows, put, encode, batch))
                rows += len(batch)
            if part.by_home:
                progress(1)
        put(encode.end)
    return Entry(part.name, rows, size, digest.hexdigest())


def _put_rows(put: Callable[[bytes], None], encode: Any, found: list[asyncpg.Record]) -> None:
    put(encode.rows(found))


async def _batches(
    connection: Connection, query: str, scope: object, key: str
) -> AsyncIterator[list[asyncpg.Record]]:
    cursor = await connection.cursor(query, scope, key, timeout=_SECONDS)
    while rows := await cursor.fetch(_ROWS, timeout=_SECONDS):
        yield rows


class _Csv:
    """A header from the first rows; without any the file is empty."""

    begin = end = b""

    def __init__(self) -> None:
        self._is_begun = False

    def rows(self, found: list[asyncpg.Record]) -> bytes:
        text = io.StringIO()
        table = csv.writer(text)
        if not self._is_begun:
            table.writerow(found[0].keys())
            self._is_begun = True
        table.writerows([_cell(value) for value in row.values()] for row in found)
        return text.getvalue().encode()


class _Lines:
    """One JSON text a line."""

    begin = end = b""

    def rows(self, found: list[asyncpg.Record]) -> bytes:
        return "".join(f"{row[0]}\n" for row in found).encode()


class _Array:
    """One JSON array."""

    begin, end = b"[", b"\n]\n"

    def __init__(self) -> None:
        self._mark = "\n"

    def rows(self, found: list[asyncpg.Record]) -> bytes:
        text = self._mark + ",\n".join(row[0] for row in found)
        self._mark = ",\n"
        return text.encode()


_ENCODERS: dict[str, Callable[[], Any]] = {
    "csv": _Csv,
    "json": _Array,
    "jsonl": _Lines,
    "geojson": _Lines,
}


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return safe_text(" ".join(map(str, value)))
    return safe_text(value) if isinstance(value, str) else value
