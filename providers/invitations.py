"""Invitations that wait to be accepted, as those see them who have sent them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from vacancies.database import Connection, Pool


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was asked to report for a home, or (`home_id` None) for all of a provider."""

    hash: bytes
    email: str
    home_id: str | None
    expires_at: datetime

    @property
    def number(self) -> str:
        """What stands for the invitation in forms; it accepts nothing."""
        return self.hash.hex()


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
