"""Which files of portals are fetched, by whom just now, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec

from vacancies.database import Connection, Pool


class Claimed(NamedTuple):
    """A file that this process has to itself for a while."""

    name: str
    provider_id: int
    url: str
    etag: str | None
    modified: str | None
    token: UUID


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes with a file. `url` is without its query, which may hold a secret."""

    name: str
    provider: str
    url: str
    every_minutes: int
    trouble: str
    pulled_at: datetime | None
    next_at: datetime
    homes: int
    refused: int
    refused_why: str


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn has come to. `taken`: digests of what homes have said, by home."""

    etag: str | None = None
    modified: str | None = None
    homes: int = 0
    refused: int = 0
    refused_why: str = ""
    taken: Mapping[str, str] = {}


async def insert_file(
    connection: Connection | Pool, name: str, provider_id: int, url: str, every_minutes: int
) -> bool:
    """False if there is one of that name."""
    done = await connection.execute(
        "INSERT INTO portal_file (name, provider_id, url, every_minutes) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (name) DO NOTHING",
        name,
        provider_id,
        url,
        every_minutes,
    )
    return bool(done == "INSERT 0 1")


async def delete_file(connection: Connection | Pool, name: str) -> bool:
    """What was reported stays. False if there is none of that name."""
    return bool(
        await connection.execute("DELETE FROM portal_file WHERE name = $1", name) == "DELETE 1"
    )


async def select_files(connection: Connection | Pool) -> list[State]:
    """All of them, by name."""
    rows = await connection.fetch(
        "SELECT f.name, p.slug AS provider, split_part(f.url, '?', 1) AS url, f.every_minutes,"
        " f.trouble, f.pulled_at, f.next_at, f.homes, f.refused, f.refused_why"
        " FROM portal_file f JOIN provider p ON p.id = f.provider_id ORDER BY f.name"
    )
    return [State(**dict(row)) for row in rows]


async def claim_file(
    connection: Connection | Pool, lease: timedelta, name: str | None = None
) -> Claimed | None:
    """The file that is most overdue, or that of this `name` whether it is due or not; None if
    there is none that nobody else has just now."""
    row = await connection.fetchrow(
        "UPDATE portal_file f SET claim = $1, claimed_until = now() + $2 FROM ("
        "SELECT name FROM portal_file WHERE (claimed_until IS NULL OR claimed_until < now())"
        " AND CASE WHEN $3::text IS NULL THEN next_at <= now() ELSE name = $3 END"
        " ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED) due WHERE f.name = due.name"
        " RETURNING f.name, f.provider_id, f.url, f.etag, f.modified, f.claim",
        uuid4(),
        lease,
        name,
    )
    return None if row is None else Claimed(*row)


async def select_taken(connection: Connection | Pool, name: str) -> dict[str, str]:
    """The digests of what was taken last, by home."""
    rows = await connection.fetch(
        "SELECT home_id, digest FROM portal_file_home WHERE name = $1", name
    )
    return {row["home_id"]: row["digest"] for row in rows}


async def record_pull(connection: Connection, claimed: Claimed, news: News | None) -> None:
    """Note what a turn has come to (None: the file is the same), and give it back. Must run in a
    transaction; nothing is noted if somebody else has it by now."""
    mine = await connection.fetchval(
        "UPDATE portal_file SET claim = NULL, claimed_until = NULL, trouble = '',"
        " pulled_at = now(), next_at = now() + make_interval(mins => every_minutes)"
        " WHERE name = $1 AND claim = $2 RETURNING true",
        claimed.name,
        claimed.token,
    )
    if not mine or news is None:
        return
    await connection.execute(
        "UPDATE portal_file SET etag = $2, modified = $3, homes = $4, refused = $5,"
        " refused_why = $6 WHERE name = $1",
        claimed.name,
        news.etag,
        news.modified,
        news.homes,
        news.refused,
        news.refused_why,
    )
    await connection.executemany(
        "INSERT INTO portal_file_home (name, home_id, digest) VALUES ($1, $2, $3)"
        " ON CONFLICT (name, home_id) DO UPDATE SET digest = excluded.digest",
        [(claimed.name, home_id, digest) for home_id, digest in news.taken.items()],
    )


async def record_trouble(connection: Connection | Pool, claimed: Claimed, trouble: str) -> None:
    """Note why a turn failed, and give the file back until its next time."""
    await connection.execute(
        "UPDATE portal_file SET claim = NULL, claimed_until = NULL, trouble = $3,"
        " next_at = now() + make_interval(mins => every_minutes)"
        " WHERE name = $1 AND claim = $2",
        claimed.name,
        claimed.token,
        trouble,
    )
