"""Neighbours in Postgres: who they are, who follows them, and how that goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError


class UnknownNeighbour(FreiplatzError):
    """No neighbour of that name is followed."""

    code = "unknown_neighbour"


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """Another deployment. `heard_at` is up to when all that it had to say is known here (None: it
    never was); `trouble` why it cannot be followed just now (empty: it can)."""

    slug: str
    name: str
    url: str
    licence: str
    attribution: str
    added_at: datetime
    heard_at: datetime | None
    trouble: str


class State(Neighbour, frozen=True, kw_only=True):
    """A neighbour and what it has brought: homes that are shown, homes that are ours too, messages
    that were left out and why the last of them was. `silent_seconds` is None before the first
    word."""

    homes: int
    duplicates: int
    refused: int
    refused_why: str
    silent_seconds: float | None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may know of a neighbour that is followed: up to when it was heard."""

    name: str
    heard_at: datetime | None


_COLUMNS = ", ".join(Neighbour.__struct_fields__)


async def record_neighbour(
    connection: Connection | Pool, slug: str, name: str, url: str, licence: str, attribution: str
) -> bool:
    """Follow it from now on; False if one of that name or address is followed already."""
    row = await connection.fetchrow(
        "INSERT INTO neighbour (slug, name, url, licence, attribution)"
        " SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS"
        " (SELECT FROM neighbour WHERE url = $3 AND removed_at IS NULL)"
        " ON CONFLICT (slug) DO UPDATE SET name = $2, url = $3, licence = $4, attribution = $5,"
        " added_at = now(), removed_at = NULL, heard_at = NULL, trouble = '', refused = 0,"
        " refused_why = '', holder = NULL, held_until = NULL"
        " WHERE neighbour.removed_at IS NOT NULL RETURNING slug",
        slug,
        name,
        url,
        licence,
        attribution,
    )
    return row is not None


async def record_removal(connection: Connection | Pool, slug: str) -> None:
    """Follow it no more; raises `UnknownNeighbour`. Its homes are closed by `select_left`."""
    done = await connection.fetchval(
        "UPDATE neighbour SET removed_at = now(), holder = NULL, held_until = NULL"
        " WHERE slug = $1 AND removed_at IS NULL RETURNING slug",
        slug,
    )
    if done is None:
        raise UnknownNeighbour(
            f"There is no neighbour {slug!r}. `freiplatz federation list` shows all."
        )


async def select_states(connection: Connection | Pool) -> list[State]:
    """All that are followed, in the order of their names."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS}, refused, refused_why,"
        " count(h.id) FILTER (WHERE h.status = 'open') AS homes,"
        " count(h.id) FILTER (WHERE h.status = 'merged') AS duplicates,"
        " extract(epoch FROM clock_timestamp() - heard_at)::float8 AS silent_seconds"
        " FROM neighbour LEFT JOIN (SELECT id, origin, status FROM care_home) h ON h.origin = slug"
        " WHERE removed_at IS NULL GROUP BY neighbour.slug ORDER BY slug"
    )
    return [State(**row) for row in rows]


async def select_heard(connection: Connection | Pool) -> list[Heard]:
    """All that are followed, in the order of their names."""
    rows = await connection.fetch(
        "SELECT name, heard_at FROM neighbour WHERE removed_at IS NULL ORDER BY name"
    )
    return [Heard(**row) for row in rows]


async def select_neighbour(connection: Connection | Pool, slug: str) -> Neighbour | None:
    """Also one that is followed no more."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM neighbour WHERE slug = $1", slug)
    return Neighbour(**row) if row else None


async def claim_neighbours(
    connection: Connection | Pool, holder: UUID, lease: timedelta
) -> list[Neighbour]:
    """Those that `holder` follows from now on, for so long: all that nobody else does."""
    rows = await connection.fetch(
        "UPDATE neighbour SET holder = $1, held_until = clock_timestamp() + $2 WHERE slug IN"
        " (SELECT slug FROM neighbour WHERE removed_at IS NULL"
        "  AND (holder = $1 OR coalesce(held_until <= clock_timestamp(), true))"
        "  ORDER BY slug FOR UPDATE SKIP LOCKED)"
        f" RETURNING {_COLUMNS}",
        holder,
        lease,
    )
    return [Neighbour(**row) for row in rows]


async def release_neighbours(connection: Connection | Pool, holder: UUID) -> None:
    await connection.execute(
        "UPDATE neighbour SET holder = NULL, held_until = NULL WHERE holder = $1", holder
    )


async def record_news(
    connection: Connection | Pool,
    slug: str,
    holder: UUID,
    *,
    heard_seconds_ago: float | None,
    trouble: str,
    refused: int,
    refused_why: str,
) -> tuple[datetime | None, float]:
    """Write down how following goes; returns `heard_at` and how many seconds ago that was. None
    for `heard_seconds_ago` leaves it as it is; `refused` is counted on."""
    row = await connection.fetchrow(
        "UPDATE neighbour SET trouble = $4, refused = refused + $5,"
        " refused_why = CASE WHEN $5 > 0 THEN $6 ELSE refused_why END,"
        " heard_at = greatest(heard_at, clock_timestamp() - make_interval(secs => $3))"
        " WHERE slug = $1 AND holder = $2 RETURNING heard_at,"
        " extract(epoch FROM clock_timestamp() - heard_at)::float8 AS seconds",
        slug,
        holder,
        heard_seconds_ago,
        trouble,
        refused,
        refused_why,
    )
    return (row["heard_at"], row["seconds"] or 0.0) if row else (None, 0.0)


async def select_foreign_ids(connection: Connection | Pool, slug: str) -> dict[str, bool]:
    """Ids of all homes that were ever taken over from there, and whether they are not closed."""
    rows = await connection.fetch("SELECT id, status FROM care_home WHERE origin = $1", slug)
    return {row["id"]: row["status"] != "closed" for row in rows}


async def select_otherwise_silent(
    connection: Connection | Pool, slug: str, since: datetime | None, limit: int
) -> list[str]:
    """Ids of homes from there that say something else about since when it is silent."""
    rows = await connection.fetch(
        "SELECT id FROM care_home WHERE origin = $1 AND status <> 'closed'"
        " AND origin_silent_since IS DISTINCT FROM $2 LIMIT $3",
        slug,
        since,
        limit,
    )
    return [row["id"] for row in rows]


async def select_left(connection: Connection | Pool, limit: int) -> list[str]:
    """Ids of homes that are not closed, though their neighbour is followed no more."""
    rows = await connection.fetch(
        "SELECT h.id FROM care_home h JOIN neighbour n ON n.slug = h.origin"
        " WHERE n.removed_at IS NOT NULL AND h.status <> 'closed' LIMIT $1",
        limit,
    )
    return [row["id"] for row in rows]


async def select_foreign_slugs(connection: Connection | Pool, slug: str) -> set[str]:
    """The slugs of all providers that the neighbour has named."""
    rows = await connection.fetch(
        "SELECT slug FROM provider WHERE starts_with(slug, $1)", f"{slug}/"
    )
    return {row["slug"] for row in rows}


async def ensure_foreign_providers(
    connection: Connection | Pool, slugs: list[str]
) -> dict[str, int]:
    """The ids of providers of neighbours, made if there are none. Their slugs hold a slash, so no
    key and nobody here can report for them."""
    rows = await connection.fetch(
        "WITH made AS (INSERT INTO provider (slug, name) SELECT s, s FROM unnest($1::text[]) s"
        "  ON CONFLICT (slug) DO NOTHING RETURNING slug, id)"
        " SELECT slug, id FROM made UNION SELECT slug, id FROM provider WHERE slug = ANY($1)",
        slugs,
    )
    return {row["slug"]: row["id"] for row in rows}
