"""The archive in Postgres: the files of one moment of each day, as they were given away then.

There and not in a folder: every web process has to serve them, also on another machine, and a
backup of the database has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256

import msgspec

from vacancies.database import Connection, Pool
from web.opendata.dumps import CSV, GEOJSON
from web.opendata.served import Document

ROOT = "/opendata/archive/"
INDEX_PATH = ROOT + "index.json"
INDEX_SECONDS = 300
FORMATS: Mapping[str, Document] = {"csv": CSV, "geojson": GEOJSON}


class ArchivedFile(msgspec.Struct, frozen=True):
    """One file, its size in bytes and the digest of these bytes in hexadecimal."""

    format: str
    size: int
    sha256: str


class ArchivedDay(msgspec.Struct, frozen=True):
    """One day of the region: `files` show the state of `made_at`, with so many `homes`, under the
    licence of that day."""

    day: date
    made_at: datetime
    revision: int
    homes: int
    licence: str
    attribution: str
    files: list[ArchivedFile]


def path_of(day: date, form: str) -> str:
    return f"{ROOT}{day}.{form}.gz"


async def insert_day(connection: Connection, day: ArchivedDay, bodies: Mapping[str, bytes]) -> None:
    """Keep a day with its files, by their formats; must run in a transaction. Raises
    `UniqueViolationError` if somebody was quicker."""
    await connection.execute(
        "INSERT INTO archive_day (day, made_at, revision, homes, licence, attribution)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        day.day,
        day.made_at,
        day.revision,
        day.homes,
        day.licence,
        day.attribution,
    )
    for file in day.files:
        await connection.execute(
            "INSERT INTO archive_file (day, format, size, sha256, body)"
            " VALUES ($1, $2, $3, $4, $5)",
            day.day,
            file.format,
            file.size,
            file.sha256,
            bodies[file.format],
        )


def describe_file(form: str, body: bytes) -> ArchivedFile:
    digest = sha256(body).hexdigest()
    return ArchivedFile(format=form, size=len(body), sha256=digest)


async def select_days(connection: Connection | Pool) -> list[ArchivedDay]:
    """All days that are kept, newest first."""
    days = await connection.fetch(
        "SELECT day, made_at, revision, homes, licence, attribution FROM archive_day"
        " ORDER BY day DESC"
    )
    files: dict[date, list[ArchivedFile]] = {}
    for day, *file in await connection.fetch(
        "SELECT day, format, size, sha256 FROM archive_file ORDER BY format"
    ):
        files.setdefault(day, []).append(ArchivedFile(*file))
    # A day that came in between has no files yet.
    return [ArchivedDay(**row, files=files[row["day"]]) for row in days if row["day"] in files]


async def select_file(
    connection: Connection | Pool, day: date, form: str
) -> tuple[bytes, str, datetime, str] | None:
    """A file, its SHA-256 in hexadecimal, the moment that it shows, and its licence."""
    row = await connection.fetchrow(
        "SELECT f.body, f.sha256, d.made_at, d.licence"
        " FROM archive_file f JOIN archive_day d USING (day) WHERE f.day = $1 AND f.format = $2",
        day,
        form,
    )
    return None if row is None else tuple(row)


async def has_day(connection: Connection | Pool, day: date) -> bool:
    return bool(
        await connection.fetchval("SELECT EXISTS (SELECT FROM archive_day WHERE day = $1)", day)
    )


async def delete_days_before(connection: Connection | Pool, day: date, years: int) -> None:
    """Forget what is older than so many years on `day`."""
    await connection.execute(
        "DELETE FROM archive_day WHERE day < $1::date - make_interval(years => $2)", day, years
    )


async def delete_day(connection: Connection | Pool, day: date) -> bool:
    """Take a day away; whether there was one."""
    return await connection.execute("DELETE FROM archive_day WHERE day = $1", day) == "DELETE 1"


def missing_days(days: Iterable[date], today: date) -> list[date]:
    """The days since the first one of which nothing is kept, newest first. Of today it may
    still come."""
    kept = set(days)
    if not kept:
        return []
    since = (today - min(kept)).days
    back = (today - timedelta(days=number) for number in range(1, since))
    return [day for day in back if day not in kept]
