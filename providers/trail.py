"""The audit trail of a home: who has reported what, by which way, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from vacancies.actors import Via
from vacancies.command import Kind
from vacancies.database import Connection, Pool
from vacancies.models import Vacancy

PAGE_SIZE = 50

_LINES = msgspec.json.Decoder(tuple[Vacancy, ...])


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said of a home. `who` is the name or address of a person, or the label
    of a key; empty if neither is known any more. `amended`: members of the profile that changed.
    `portal`: where it was passed on from.
    """

    id: int
    kind: Kind
    via: Via
    portal: str | None
    reported_at: datetime
    observed_at: datetime | None
    vacancies: tuple[Vacancy, ...]
    amended: dict[str, Any]
    who: str


async def select_trail(
    connection: Connection | Pool,
    home_id: str,
    before: int | None = None,
    *,
    with_keys: bool = True,
) -> tuple[list[Entry], int | None]:
    """The newest entries, at most `PAGE_SIZE`, of those `before` an entry if that is given;
    and what to give as `before` for the next page, None on the last. Without keys, which a desk may
    not read, programs have no label."""
    label = "nullif(k.label, ''), k.prefix || '…', " if with_keys else ""
    keys = " LEFT JOIN api_key k ON k.id = r.api_key_id" if with_keys else ""
    rows = await connection.fetch(
        "SELECT r.id, r.kind, r.via, r.portal, r.reported_at, r.observed_at, r.vacancies,"
        f" r.amended, coalesce(nullif(f.name, ''), f.email, {label}'') AS who"
        f" FROM report r LEFT JOIN staff f ON f.id = r.staff_id{keys}"
        " WHERE r.home_id = $1 AND ($2::bigint IS NULL OR (r.reported_at, r.id) <"
        " (SELECT b.reported_at, b.id FROM report b WHERE b.id = $2 AND b.home_id = $1))"
        " ORDER BY r.reported_at DESC, r.id DESC LIMIT $3",
        home_id,
        before,
        PAGE_SIZE + 1,
    )
    entries = [
        Entry(
            id=row["id"],
            kind=row["kind"],
            via=row["via"],
            portal=row["portal"],
            reported_at=row["reported_at"],
            observed_at=row["observed_at"],
            vacancies=_LINES.decode(row["vacancies"]),
            amended=msgspec.json.decode(row["amended"]) if row["amended"] else {},
            who=row["who"],
        )
        for row in rows[:PAGE_SIZE]
    ]
    return entries, entries[-1].id if len(rows) > PAGE_SIZE else None
