"""Who reports for a provider's homes, as its admins see and change it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from providers.desks import DeskRole
from providers.staff import delete_membership
from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError


class LastAdmin(FreiplatzError):
    """A provider keeps at least one admin, or nobody could invite anybody any more."""

    code = "last_admin"


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was asked to report for a home, or (`home_id` None) for all of a provider."""

    hash: bytes
    email: str
    home_id: str | None
    expires_at: datetime

    @property
    def number(self) -> str:
        """What stands for the invitation in addresses; it accepts nothing."""
        return self.hash.hex()


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What one person may do for a provider: report for a home, or (`home_id` None) all."""

    membership_id: int
    staff_id: int
    email: str
    name: str
    home_id: str | None
    signed_in_at: datetime | None  # last use of a session, to the hour


async def select_people(connection: Connection | Pool, provider_id: int) -> list[Person]:
    """All who may report for the provider's homes: admins first, then by home."""
    rows = await connection.fetch(
        "SELECT m.id AS membership_id, m.staff_id, f.email, f.name, m.home_id,"
        " (SELECT max(s.seen_at) FROM staff_session s WHERE s.staff_id = f.id) AS signed_in_at"
        " FROM membership m JOIN staff f ON f.id = m.staff_id"
        " LEFT JOIN care_home h ON h.id = m.home_id WHERE m.provider_id = $1"
        " ORDER BY h.name NULLS FIRST, m.home_id NULLS FIRST, f.name, f.email",
        provider_id,
    )
    return [Person(**dict(row)) for row in rows]


async def remove_person(connection: Connection, provider_id: int, membership_id: int) -> bool:
    """End a membership of that provider; False if there is none. Raises `LastAdmin`."""
    async with connection.transaction():
        # Locked: two admins who remove each other at the same time leave one.
        admins = await connection.fetch(
            "SELECT id FROM membership WHERE provider_id = $1 AND home_id IS NULL"
            " ORDER BY id FOR UPDATE",
            provider_id,
        )
        if [row["id"] for row in admins] == [membership_id]:
            raise LastAdmin("This is the last admin. Invite another one first.")
        found = await connection.fetchval(
            "SELECT id FROM membership WHERE id = $1 AND provider_id = $2",
            membership_id,
            provider_id,
        )
        if found is not None:
            await delete_membership(connection, membership_id)
    return found is not None


async def select_invitations(connection: Connection | Pool, provider_id: int) -> list[Invitation]:
    """All that can still be accepted, by address."""
    rows = await connection.fetch(
        "SELECT hash, email, home_id, expires_at FROM signin"
        " WHERE provider_id = $1 AND used_at IS NULL AND expires_at > now()"
        " ORDER BY email, created_at",
        provider_id,
    )
    return [Invitation(**dict(row)) for row in rows]


async def withdraw_invitation(
    connection: Connection | Pool, provider_id: int, hashed: bytes
) -> bool:
    """Its link is dead from now on; False if it was not open. The row stays: it counts."""
    done = await connection.execute(
        "UPDATE signin SET expires_at = now()"
        " WHERE provider_id = $1 AND hash = $2 AND used_at IS NULL AND expires_at > now()",
        provider_id,
        hashed,
    )
    return bool(done == "UPDATE 1")


class DeskInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was asked to work at the desk of a municipality."""

    hash: bytes
    email: str
    role: DeskRole
    expires_at: datetime

    @property
    def number(self) -> str:
        """What stands for the invitation in addresses; it accepts nothing."""
        return self.hash.hex()


async def select_invitations_to_desk(
    connection: Connection | Pool, municipality: str
) -> list[DeskInvitation]:
    """All that can still be accepted, by address."""
    rows = await connection.fetch(
        "SELECT hash, email, role, expires_at FROM signin"
        " WHERE municipality = $1 AND used_at IS NULL AND expires_at > now()"
        " ORDER BY email, created_at",
        municipality,
    )
    return [DeskInvitation(**dict(row)) for row in rows]


async def withdraw_invitation_to_desk(
    connection: Connection | Pool, municipality: str, hashed: bytes
) -> None:
    """Its link is dead from now on. The row stays: it counts."""
    await connection.execute(
        "UPDATE signin SET expires_at = now()"
        " WHERE municipality = $1 AND hash = $2 AND used_at IS NULL AND expires_at > now()",
        municipality,
        hashed,
    )
