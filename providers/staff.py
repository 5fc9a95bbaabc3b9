"""People who report for homes: what they may do. They have no password: links are
sent to their address (`links.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from vacancies.actors import Actor, Via
from vacancies.database import Connection, Pool

Role = Literal["provider_admin", "home_staff"]


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """A person. `language` is a code such as de; `phone` is for reminders by SMS."""

    id: int
    email: str
    name: str
    language: str
    phone: str | None


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What `staff` may report for: one home, or (`home_id` None) all homes of a provider."""

    id: int
    staff: Staff
    provider_id: int
    provider: str  # slug
    provider_name: str
    home_id: str | None
    wants_reminders: bool
    links_from: datetime

    @property
    def role(self) -> Role:
        return "provider_admin" if self.home_id is None else "home_staff"

    def actor(self, via: Via) -> Actor:
        """On whose behalf a command of this person is."""
        return Actor(
            provider_id=self.provider_id, home_id=self.home_id, staff_id=self.staff.id, via=via
        )


_SELECT = (
    "SELECT m.id, m.staff_id, m.provider_id, m.home_id, m.wants_reminders, m.links_from,"
    " s.email, s.name, s.language, s.phone, p.slug, p.name AS provider_name"
    " FROM membership m JOIN staff s ON s.id = m.staff_id JOIN provider p ON p.id = m.provider_id"
)


def _membership(row: asyncpg.Record) -> Membership:
    return Membership(
        id=row["id"],
        staff=Staff(
            id=row["staff_id"],
            email=row["email"],
            name=row["name"],
            language=row["language"],
            phone=row["phone"],
        ),
        provider_id=row["provider_id"],
        provider=row["slug"],
        provider_name=row["provider_name"],
        home_id=row["home_id"],
        wants_reminders=row["wants_reminders"],
        links_from=row["links_from"],
    )


def normal_email(email: str) -> str:
    """As it is stored: people do not care for capitals in their address, nor do we."""
    return email.strip().lower()


async def ensure_staff(
    connection: Connection | Pool, email: str, *, name: str = "", language: str = "de"
) -> Staff:
    """The person with that address, made if there is none; a name is kept once it is known."""
    row = await connection.fetchrow(
        "INSERT INTO staff (email, name, language) VALUES ($1, $2, $3)"
        " ON CONFLICT (email) DO UPDATE"
        " SET name = CASE WHEN staff.name = '' THEN excluded.name ELSE staff.name END"
        " RETURNING id, email, name, language, phone",
        normal_email(email),
        name,
        language,
    )
    assert row is not None
    return Staff(**dict(row))


async def select_staff(connection: Connection | Pool, email: str) -> Staff | None:
    row = await connection.fetchrow(
        "SELECT id, email, name, language, phone FROM staff WHERE email = $1", normal_email(email)
    )
    return Staff(**dict(row)) if row else None


async def ensure_membership(
    connection: Connection | Pool,
    staff_id: int,
    provider_id: int,
    home_id: str | None = None,
    *,
    created_by: int | None = None,
) -> int:
    """The number of the membership, made if there is none; None as home makes an admin.
    `created_by` is who gave it, None for the operator."""
    await connection.execute(
        "INSERT INTO membership (staff_id, provider_id, home_id, created_by)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        staff_id,
        provider_id,
        home_id,
        created_by,
    )
    found: int = await connection.fetchval(
        "SELECT id FROM membership"
        " WHERE staff_id = $1 AND provider_id = $2 AND home_id IS NOT DISTINCT FROM $3",
        staff_id,
        provider_id,
        home_id,
    )
    return found


async def delete_membership(connection: Connection | Pool, membership_id: int) -> None:
    """The person may do so no more; their links and pages close at once. Who may do nothing any
    more is signed out everywhere."""
    await connection.execute(
        "WITH gone AS (DELETE FROM membership WHERE id = $1 RETURNING id, staff_id)"
        " DELETE FROM staff_session s USING gone WHERE s.staff_id = gone.staff_id"
        " AND NOT EXISTS (SELECT FROM membership m"
        "                 WHERE m.staff_id = gone.staff_id AND m.id <> gone.id)"
        " AND NOT EXISTS (SELECT FROM municipality_member m WHERE m.staff_id = gone.staff_id)",
        membership_id,
    )


async def select_membership(connection: Connection | Pool, membership_id: int) -> Membership | None:
    row = await connection.fetchrow(f"{_SELECT} WHERE m.id = $1", membership_id)
    return _membership(row) if row else None


async def select_memberships(connection: Connection | Pool, staff_id: int) -> list[Membership]:
    """All that a person may do."""
    rows = await connection.fetch(f"{_SELECT} WHERE m.staff_id = $1 ORDER BY m.id", staff_id)
    return [_membership(row) for row in rows]


async def select_all_memberships(connection: Connection | Pool) -> list[Membership]:
    rows = await connection.fetch(f"{_SELECT} ORDER BY p.slug, m.home_id NULLS FIRST, s.email")
    return [_membership(row) for row in rows]


async def select_members_of(
    connection: Connection | Pool, home_ids: Sequence[str]
) -> dict[str, list[Membership]]:
    """All who may report for each of `home_ids`: its own staff first, then the admins of its
    provider."""
    rows = await connection.fetch(
        _SELECT.replace("SELECT", "SELECT h.id AS of_home,", 1)
        + " JOIN care_home h ON h.provider_id = m.provider_id"
        " WHERE h.id = ANY($1) AND (m.home_id = h.id OR m.home_id IS NULL)"
        " ORDER BY m.home_id NULLS LAST, m.id",
        home_ids,
    )
    found: dict[str, list[Membership]] = {home_id: [] for home_id in home_ids}
    for row in rows:
        found[row["of_home"]].append(_membership(row))
    return found


async def select_homes_of_provider(
    connection: Connection | Pool, provider_id: int
) -> list[tuple[str, str]]:
    """(id, name) of its open homes, by name."""
    rows = await connection.fetch(
        "SELECT id, name FROM care_home WHERE provider_id = $1 AND status = 'open'"
        " ORDER BY name, id",
        provider_id,
    )
    return [(row["id"], row["name"]) for row in rows]


async def select_homes_of(connection: Connection | Pool, staff_id: int) -> list[tuple[str, str]]:
    """(id, name) of all open homes that a person may report for, by name."""
    rows = await connection.fetch(
        "SELECT DISTINCT h.id, h.name FROM membership m JOIN care_home h"
        " ON h.provider_id = m.provider_id AND (m.home_id IS NULL OR m.home_id = h.id)"
        " WHERE m.staff_id = $1 AND h.status = 'open' ORDER BY h.name, h.id",
        staff_id,
    )
    return [(row["id"], row["name"]) for row in rows]


async def membership_for(
    connection: Connection | Pool, staff_id: int, home_id: str
) -> Membership | None:
    """By which membership a person may report for a home, the one for this home alone first;
    None if they may not."""
    row = await connection.fetchrow(
        f"{_SELECT} JOIN care_home h ON h.provider_id = m.provider_id"
        " WHERE h.id = $1 AND (m.home_id = h.id OR m.home_id IS NULL) AND m.staff_id = $2"
        " ORDER BY m.home_id NULLS LAST LIMIT 1",
        home_id,
        staff_id,
    )
    return _membership(row) if row else None


async def revoke_links(connection: Connection | Pool, membership_id: int) -> None:
    """Links that were made by now are dead. They know the second in which they were made: those
    of the second that is running die too."""
    await connection.execute(
        "UPDATE membership SET links_from = date_trunc('second', clock_timestamp())"
        " + interval '1 second' WHERE id = $1",
        membership_id,
    )


async def claim_link_mail(connection: Connection | Pool, membership_id: int) -> bool:
    """Whether a mail with a new link may be sent now: one in ten minutes, whoever asks."""
    done = await connection.execute(
        "UPDATE membership SET link_sent_at = clock_timestamp() WHERE id = $1"
        " AND (link_sent_at IS NULL OR link_sent_at < clock_timestamp() - interval '10 minutes')",
        membership_id,
    )
    return bool(done == "UPDATE 1")


async def update_staff(
    connection: Connection | Pool, staff_id: int, *, name: str, language: str
) -> None:
    """How the person wants to be called, and in which language."""
    await connection.execute(
        "UPDATE staff SET name = $2, language = $3 WHERE id = $1", staff_id, name, language
    )


async def record_reminders_wanted(
    connection: Connection | Pool, staff_id: int, membership_ids: Sequence[int]
) -> None:
    """Remind the person of these of their memberships by mail, and of no others."""
    await connection.execute(
        "UPDATE membership SET wants_reminders = (id = ANY($2)) WHERE staff_id = $1",
        staff_id,
        membership_ids,
    )


async def delete_staff(connection: Connection, staff_id: int) -> None:
    """Forget the person: memberships, sessions, passkeys and links go, also the invitations
    that they have sent. What they have reported stays, without their name."""
    async with connection.transaction():
        # Also what was sent to them: a link is kept by its address.
        await connection.execute(
            "DELETE FROM signin USING staff"
            " WHERE staff.id = $1 AND (signin.email = staff.email OR signin.invited_by = staff.id)",
            staff_id,
        )
        await connection.execute(
            "DELETE FROM home_invitation i USING staff"
            " WHERE staff.id = $1 AND i.email = staff.email",
            staff_id,
        )
        await connection.execute("DELETE FROM staff WHERE id = $1", staff_id)
