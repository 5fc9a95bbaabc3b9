"""What readers say is wrong with the entry of a home: stored for whoever is responsible.

No entry changes by it. The text and the address may be personal data: they stand in no log, and
go 90 days after somebody has dealt with them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from vacancies.database import Connection, Pool

MOST_LETTERS = 500
# More than this wait for one home: another says nothing new, and nobody may fill the table.
MOST_OPEN = 50
KEPT_DAYS = 90


class Matter(StrEnum):
    """What is wrong; stable codes."""

    PHONE = "phone"
    ADDRESS = "address"
    GONE = "gone"  # the place is taken
    CLOSED = "closed"  # the home is
    OTHER = "other"


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """`said` are the reader's own words, or empty; `email` is where an answer is wanted."""

    id: int
    home_id: str
    home_name: str
    matter: Matter
    said: str
    email: str | None
    created_at: datetime
    done_at: datetime | None


async def insert_correction(
    connection: Connection, home_id: str, matter: Matter, said: str, email: str | None
) -> int | None:
    """The number of what was stored; None where `MOST_OPEN` are waiting for that home."""
    found: int | None = await connection.fetchval(
        "INSERT INTO correction (home_id, matter, said, email) SELECT $1, $2, $3, $4"
        " WHERE (SELECT count(*) FROM correction WHERE home_id = $1 AND done_at IS NULL) < $5"
        " RETURNING id",
        home_id,
        matter,
        said,
        email,
        MOST_OPEN,
    )
    return found


async def select_corrections(
    connection: Connection | Pool, *, include_done: bool = False, home_id: str | None = None
) -> list[Correction]:
    """Those that are open, or all, the oldest first; of one home if that is given."""
    rows = await connection.fetch(
        "SELECT c.id, c.home_id, h.name AS home_name, c.matter, c.said, c.email, c.created_at,"
        " c.done_at FROM correction c JOIN care_home h ON h.id = c.home_id"
        " WHERE ($1 OR c.done_at IS NULL) AND ($2::text IS NULL OR c.home_id = $2) ORDER BY c.id",
        include_done,
        home_id,
    )
    return [msgspec.convert(dict(row), Correction) for row in rows]


async def record_done(connection: Connection | Pool, correction_id: int) -> bool:
    """Say that it was dealt with; False if it is not known. The first time counts."""
    status = await connection.execute(
        "UPDATE correction SET done_at = coalesce(done_at, now()) WHERE id = $1", correction_id
    )
    return status == "UPDATE 1"


async def delete_old_corrections(connection: Connection | Pool) -> None:
    await connection.execute(
        "DELETE FROM correction WHERE done_at < now() - make_interval(days => $1)", KEPT_DAYS
    )
