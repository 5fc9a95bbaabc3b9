"""Who works at the desks of municipalities, and what the database shows them.

At a desk the database is asked only within `at_desk`: row-level security (migration 0017) then
shows the rows of that municipality and of those that lie in it, whatever the query says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal

import msgspec

from vacancies.actors import Actor
from vacancies.database import Connection, Pool, PoolConnection, borrowed
from vacancies.errors import FreiplatzError

DeskRole = Literal["admin", "clerk"]


class LastDeskAdmin(FreiplatzError):
    """A municipality keeps at least one admin, or nobody could invite anybody any more."""

    code = "last_desk_admin"


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """That of the municipality `key`, as one person has it. `parts` are the keys of those within
    it that take part themselves: their homes are theirs to change."""

    key: str
    name: str
    role: DeskRole
    staff_id: int
    parts: tuple[str, ...]

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def actor(self) -> Actor:
        """On whose behalf a command from this desk is."""
        return Actor(
            staff_id=self.staff_id, municipality=self.key, but_not_in=self.parts, via="desk"
        )

    def owns(self, municipality: str | None) -> bool:
        """Whether a home that is assigned to `municipality` is this desk's to change."""
        key = municipality or ""
        return key.startswith(self.key) and not key.startswith(self.parts)


class DeskMember(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who works at the desk that is asked."""

    id: int
    staff_id: int
    email: str
    name: str
    role: DeskRole
    created_at: datetime


@asynccontextmanager
async def at_desk(
    pool: Pool, key: str, *, writing: bool = False, of_one_moment: bool = False
) -> AsyncIterator[PoolConnection]:
    """A transaction that sees what the desk of the municipality `key` may see; `of_one_moment`:
    all of it as it was at its beginning. `pool` is that of the desks (`Deployment.desks`): its
    connections can do no more than desks may."""
    isolation: Literal["repeatable_read"] | None = "repeatable_read" if of_one_moment else None
    async with (
        borrowed(pool) as connection,
        connection.transaction(readonly=not writing, isolation=isolation),
    ):
        await connection.execute("SELECT set_config('freiplatz.desk', $1, true)", key)
        yield connection


async def select_parts(connection: Connection | Pool, key: str) -> tuple[str, ...]:
    """The keys of those within the municipality `key` that take part themselves."""
    rows = await connection.fetch(
        "SELECT key FROM municipality WHERE starts_with(key, $1) AND key <> $1 ORDER BY key", key
    )
    return tuple(row["key"] for row in rows)


async def select_desks_of(connection: Connection | Pool, staff_id: int) -> list[Desk]:
    """All desks at which a person works, by name."""
    rows = await connection.fetch(
        "SELECT m.key, m.name, w.role, w.staff_id,"
        " (SELECT coalesce(array_agg(p.key ORDER BY p.key), '{}') FROM municipality p"
        "  WHERE starts_with(p.key, m.key) AND p.key <> m.key) AS parts"
        " FROM municipality_member w JOIN municipality m ON m.key = w.municipality"
        " WHERE w.staff_id = $1 ORDER BY m.name, m.key",
        staff_id,
    )
    return [Desk(**{**row, "parts": tuple(row["parts"])}) for row in map(dict, rows)]


async def ensure_desk_member(
    connection: Connection | Pool,
    staff_id: int,
    municipality: str,
    role: DeskRole,
    *,
    created_by: int | None = None,
) -> None:
    """Let a person work at that desk; who does so already becomes an admin if that is meant, and
    no less than before."""
    await connection.execute(
        "INSERT INTO municipality_member (staff_id, municipality, role, created_by)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT (staff_id, municipality) DO UPDATE"
        " SET role = CASE WHEN 'admin' IN (excluded.role, municipality_member.role)"
        " THEN 'admin' ELSE 'clerk' END",
        staff_id,
        municipality,
        role,
        created_by,
    )


async def select_desk_members(connection: Connection | Pool, municipality: str) -> list[DeskMember]:
    """All who work there: admins first, then by name."""
    rows = await connection.fetch(
        "SELECT m.id, m.staff_id, f.email, f.name, m.role, m.created_at"
        " FROM municipality_member m JOIN staff f ON f.id = m.staff_id WHERE m.municipality = $1"
        " ORDER BY m.role, f.name, f.email",
        municipality,
    )
    return [DeskMember(**dict(row)) for row in rows]


async def delete_desk_member(
    connection: Connection, municipality: str, member_id: int
) -> DeskMember | None:
    """The person works there no more, and is signed out everywhere if that was all. Who it was;
    None if there is no such member. Raises `LastDeskAdmin`."""
    async with connection.transaction():
        # Locked: two admins who remove each other at the same time leave one.
        await connection.fetch(
            "SELECT FROM municipality_member WHERE municipality = $1 ORDER BY id FOR UPDATE",
            municipality,
        )
        members = await select_desk_members(connection, municipality)
        gone = next((member for member in members if member.id == member_id), None)
        if gone is None:
            return None
        if [member.id for member in members if member.role == "admin"] == [gone.id]:
            raise LastDeskAdmin("This is the last admin. Invite another one first.")
        await connection.execute("DELETE FROM municipality_member WHERE id = $1", gone.id)
        await connection.execute(
            "DELETE FROM staff_session WHERE staff_id = $1"
            " AND NOT EXISTS (SELECT FROM membership WHERE staff_id = $1)"
            " AND NOT EXISTS (SELECT FROM municipality_member WHERE staff_id = $1)",
            gone.staff_id,
        )
    return gone


async def insert_act(
    connection: Connection, desk: Desk, act: str, home_id: str | None = None, **detail: Any
) -> None:
    """Enter into the audit trail of the desk what was done. `act` is a code, `detail` what belongs
    to it (JSON)."""
    await connection.execute(
        "INSERT INTO desk_act (municipality, staff_id, act, home_id, detail)"
        " VALUES ($1, $2, $3, $4, $5::jsonb)",
        desk.key,
        desk.staff_id,
        act,
        home_id,
        msgspec.json.encode(detail).decode(),
    )


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done at a desk; `who` is empty if the person is not known any more."""

    id: int
    at: datetime
    act: str
    home_id: str | None
    home_name: str | None
    detail: dict[str, Any]
    who: str


async def select_acts(
    connection: Connection,
    before: int | None = None,
    limit: int = 50,
    *,
    home_id: str | None = None,
) -> list[Act]:
    """The newest of the desk that is asked (within `at_desk`), of those before an entry, or about
    a home, if that is given."""
    rows = await connection.fetch(
        "SELECT a.id, a.at, a.act, a.home_id, h.name AS home_name, a.detail,"
        " coalesce(nullif(f.name, ''), f.email, '') AS who FROM desk_act a"
        " LEFT JOIN care_home h ON h.id = a.home_id LEFT JOIN staff f ON f.id = a.staff_id"
        " WHERE ($1::bigint IS NULL OR a.id < $1) AND ($3::text IS NULL OR a.home_id = $3)"
        " ORDER BY a.id DESC LIMIT $2",
        before,
        limit,
        home_id,
    )
    return [Act(**{**row, "detail": msgspec.json.decode(row["detail"])}) for row in map(dict, rows)]
