"""Providers: the organisations that run homes (Träger)."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from vacancies.database import Connection, Pool


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    slug: str
    name: str
    homes: tuple[str, ...] = ()


def slug_of(name: str) -> str:
    """The short name for `name`: "Träger Süd gGmbH" becomes "traeger-sued-ggmbh"."""
    for umlaut, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        name = name.replace(umlaut, plain).replace(umlaut.upper(), plain)
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:60].strip("-") or "provider"


async def ensure_provider(connection: Connection | Pool, name: str) -> Provider:
    """The provider with that name or slug, made if there is none."""
    row = await connection.fetchrow(
        "INSERT INTO provider (slug, name) VALUES ($1, $2)"
        " ON CONFLICT (slug) DO UPDATE SET slug = excluded.slug RETURNING id, slug, name",
        slug_of(name),
        name,
    )
    assert row is not None
    return Provider(id=row["id"], slug=row["slug"], name=row["name"])


async def select_provider(connection: Connection | Pool, name: str) -> Provider | None:
    """The provider with that slug, or with that name as `slug_of` reads it."""
    row = await connection.fetchrow(
        "SELECT id, slug, name FROM provider WHERE slug = $1", slug_of(name)
    )
    return Provider(id=row["id"], slug=row["slug"], name=row["name"]) if row else None


async def select_providers(connection: Connection | Pool) -> list[Provider]:
    """All providers with the ids of their homes that are not closed; not those of neighbours."""
    rows = await connection.fetch(
        "SELECT p.id, p.slug, p.name,"
        " coalesce(array_agg(h.id ORDER BY h.id) FILTER (WHERE h.id IS NOT NULL), '{}') AS homes"
        " FROM provider p LEFT JOIN care_home h ON h.provider_id = p.id AND h.status = 'open'"
        " WHERE position('/' IN p.slug) = 0 GROUP BY p.id ORDER BY p.slug"
    )
    return [
        Provider(id=row["id"], slug=row["slug"], name=row["name"], homes=tuple(row["homes"]))
        for row in rows
    ]
