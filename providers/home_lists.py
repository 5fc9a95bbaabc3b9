"""Lists of homes that were sent to a desk, between looking at them and taking them. All within
`at_desk`: of other municipalities nobody sees any."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from providers.desks import Desk
from vacancies.database import Connection, Pool

KEPT_HOURS = 24
MOST_WAITING = 5


class HomeList(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was sent."""

    id: UUID
    file_name: str
    content: bytes
    created_at: datetime


async def insert_list(connection: Connection, desk: Desk, file_name: str, content: bytes) -> UUID:
    """Keep a file to look at. Of the older ones of this desk the last few stay."""
    await connection.execute(
        "DELETE FROM home_list WHERE created_at < now() - make_interval(hours => $1) OR id IN"
        " (SELECT id FROM home_list ORDER BY created_at DESC OFFSET $2)",
        KEPT_HOURS,
        MOST_WAITING - 1,
    )
    found: UUID = await connection.fetchval(
        "INSERT INTO home_list (municipality, staff_id, file_name, content)"
        " VALUES ($1, $2, $3, $4) RETURNING id",
        desk.key,
        desk.staff_id,
        file_name,
        content,
    )
    return UUID(bytes=found.bytes)


async def select_list(connection: Connection, list_id: UUID) -> HomeList | None:
    """None if it was taken, thrown away or too old."""
    row = await connection.fetchrow(
        "SELECT file_name, content, created_at FROM home_list"
        " WHERE id = $1 AND created_at >= now() - make_interval(hours => $2)",
        list_id,
        KEPT_HOURS,
    )
    return HomeList(id=list_id, **dict(row)) if row else None


async def delete_old_lists(connection: Connection | Pool) -> None:
    """Those that nobody took, of all desks (for the service itself)."""
    await connection.execute(
        "DELETE FROM home_list WHERE created_at < now() - make_interval(hours => $1)", KEPT_HOURS
    )


async def delete_list(connection: Connection, list_id: UUID) -> bool:
    """False if it is gone already: of several calls at the same time one gets it."""
    done = await connection.execute("DELETE FROM home_list WHERE id = $1", list_id)
    return bool(done == "DELETE 1")
