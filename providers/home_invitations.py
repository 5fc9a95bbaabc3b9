"""Invitations to report that a desk sends to its homes: which homes want one, and the rows that
wait to be sent (`web/desk/inviter.py` sends them). A row is one home and one address.

Asking is idempotent: a page names the newest row that it has seen (`seen`), and a home that was
asked since then is left out. So a form that is sent twice, or by two people at the same time,
sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec

from providers.desks import Desk
from providers.signin import INVITATION_LIVES
from vacancies.database import Connection, Pool
from vacancies.homes import IS_AWAITED

Failure = Literal["address", "often", "refused", "away", "void"]

MOST_HOMES_IN_MAIL = 20
KEPT_DAYS = 180
_LEASE = timedelta(minutes=2)
# A mail server that is away for an hour is waited for.
MOST_TRIES = 6
_CLAIM_LOCK = 0x696E7669  # "invi"
_WAITING = "sent_at IS NULL AND failure IS NULL AND withdrawn_at IS NULL"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An open home for which nobody reports, and how it was asked last: by mail to `invited` (with
    what became of that), by a letter that is good until `letter_until`."""

    id: str
    name: str
    city: str | None
    email: str | None
    municipality: str
    invited: str | None
    asked_at: datetime | None
    sent_at: datetime | None
    failure: Failure | None
    withdrawn_at: datetime | None
    letter_at: datetime | None
    letter_until: datetime | None

    @property
    def waits(self) -> bool:
        return self.asked_at is not None and not (self.sent_at or self.failure or self.withdrawn_at)

    @property
    def until(self) -> datetime | None:
        """How long its invitation is good, if it was sent."""
        sent = self.sent_at if self.withdrawn_at is None else None
        return sent + INVITATION_LIVES if sent else None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that was sent: `letter_at` is of the letter through which it was asked for.
    `membership_id`: it was accepted, and the person reports."""

    id: int
    home_id: str
    home_name: str
    municipality: str
    email: str
    name: str
    sent_at: datetime
    letter_at: datetime | None
    membership_id: int | None


class Progress(msgspec.Struct, frozen=True):
    """What has become of what was asked for in the last 24 hours."""

    waiting: int
    sent: int
    failed: int


async def select_candidates(connection: Connection, desk: Desk) -> list[Candidate]:
    """All homes of the desk for which nobody reports, by name (within `at_desk`): no person may,
    and nothing came from the home itself or its software for 30 days."""
    rows = await connection.fetch(
        "SELECT h.id, h.name, h.city, h.email, h.municipality, i.email AS invited, i.asked_at,"
        " i.sent_at, i.failure, i.withdrawn_at, l.created_at AS letter_at,"
        " l.expires_at AS letter_until FROM care_home h"
        " LEFT JOIN LATERAL (SELECT n.email, n.asked_at, n.sent_at, n.failure, n.withdrawn_at"
        "  FROM home_invitation n WHERE n.home_id = h.id ORDER BY n.id DESC LIMIT 1) i ON true"
        " LEFT JOIN LATERAL (SELECT n.created_at, n.expires_at FROM home_letter n"
        "  WHERE n.home_id = h.id ORDER BY n.id DESC LIMIT 1) l ON true"
        f" WHERE h.status = 'open' AND h.{IS_AWAITED}"
        " AND NOT EXISTS (SELECT FROM membership m WHERE m.home_id = h.id"
        "  OR m.home_id IS NULL AND m.provider_id = h.provider_id)"
        " AND NOT EXISTS (SELECT FROM report r WHERE r.home_id = h.id"
        "  AND r.via IN ('api', 'link', 'page', 'portal')"
        "  AND r.reported_at > now() - interval '30 days')"
        " ORDER BY h.name, h.id"
    )
    found = [msgspec.convert(dict(row), Candidate) for row in rows]
    return [each for each in found if desk.owns(each.municipality)]


async def select_asked(connection: Connection, desk: Desk) -> list[Asked]:
    """Invitations that are open, and people who came by one and report (within `at_desk`)."""
    rows = await connection.fetch(
        "SELECT i.id, i.home_id, h.name AS home_name, h.municipality, i.email,"
        " coalesce(f.name, '') AS name, i.sent_at, l.created_at AS letter_at,"
        " m.id AS membership_id FROM home_invitation i JOIN care_home h ON h.id = i.home_id"
        " LEFT JOIN home_letter l ON l.id = i.letter_id LEFT JOIN staff f ON f.email = i.email"
        # Not what the person could do before: that is no desk's to take away.
        " LEFT JOIN membership m ON m.staff_id = f.id AND m.home_id = i.home_id"
        "  AND i.accepted_at IS NOT NULL AND m.created_by = i.invited_by"
        " WHERE i.sent_at IS NOT NULL AND i.withdrawn_at IS NULL"
        " AND CASE WHEN i.accepted_at IS NULL THEN i.sent_at > now() - $1::interval"
        "  ELSE m.id IS NOT NULL END ORDER BY h.name, i.id",
        INVITATION_LIVES,
    )
    found = [msgspec.convert(dict(row), Asked) for row in rows]
    return [each for each in found if desk.owns(each.municipality)]


async def select_newest(connection: Connection) -> tuple[int, int]:
    """The numbers of the newest invitation and of the newest letter that the desk can see (0:
    none), for a form that is to be good once."""
    row = await connection.fetchrow(
        "SELECT coalesce((SELECT max(id) FROM home_invitation), 0),"
        " coalesce((SELECT max(id) FROM home_letter), 0)"
    )
    assert row is not None
    return row[0], row[1]


async def select_progress(connection: Connection) -> Progress:
    row = await connection.fetchrow(
        f"SELECT count(*) FILTER (WHERE {_WAITING}) AS waiting,"
        " count(*) FILTER (WHERE sent_at IS NOT NULL) AS sent,"
        " count(*) FILTER (WHERE failure IS NOT NULL) AS failed FROM home_invitation"
        " WHERE letter_id IS NULL AND is_desk(municipality)"
        " AND asked_at > now() - interval '24 hours'"
    )
    assert row is not None
    return Progress(**dict(row))


async def insert_invitations(
    connection: Connection, desk: Desk, home_ids: Sequence[str], seen: int
) -> int:
    """Ask those homes at the address that they have; how many were entered. Left out is what has
    no address, or was asked since `seen` (within `at_desk`)."""
    # Whoever comes second sees what the first one has entered.
    await lock_desk(connection, desk)
    rows = await connection.fetch(
        "INSERT INTO home_invitation (home_id, municipality, email, invited_by)"
        " SELECT h.id, $1, h.email, $2 FROM care_home h WHERE h.id = ANY($3)"
        " AND h.status = 'open' AND h.email <> '' AND NOT EXISTS (SELECT FROM home_invitation i"
        "  WHERE i.home_id = h.id AND i.letter_id IS NULL"
        f"  AND (i.id > $4 OR {_WAITING})) ORDER BY h.name, h.id RETURNING id",
        desk.key,
        desk.staff_id,
        home_ids,
        seen,
    )
    return len(rows)


async def lock_desk(connection: Connection, desk: Desk) -> None:
    """Hold back all others who ask at this desk, to the end of the transaction."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", desk.key, _CLAIM_LOCK
    )


# ---- sending ----


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that is to be sent."""

    id: int
    home_id: str
    home_name: str
    provider_id: int
    municipality: str
    municipality_name: str
    email: str
    letter_id: int | None
    invited_by: int | None
    may_invite: bool
    tries: int


async def claim_waiting(connection: Connection) -> list[Waiting]:
    """The next that wait, all for one address, so that they fit into one mail: the caller has
    two minutes for them. Empty: nothing waits."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _CLAIM_LOCK)
        is_due = f"{_WAITING} AND (claimed_until IS NULL OR claimed_until < now())"
        rows = await connection.fetch(
            "WITH first AS (SELECT municipality, email, invited_by, letter_id FROM home_invitation"
            f" WHERE {is_due} ORDER BY id LIMIT 1), mine AS (SELECT i.id FROM home_invitation i"
            " JOIN first USING (municipality, email)"
            " WHERE (i.invited_by, i.letter_id) IS NOT DISTINCT FROM"
            f" (first.invited_by, first.letter_id) AND {is_due} ORDER BY i.id LIMIT $2),"
            " claimed AS (UPDATE home_invitation i SET claimed_until = now() + $1::interval,"
            " tries = tries + 1 FROM mine WHERE i.id = mine.id RETURNING i.*)"
            " SELECT c.id, c.home_id, h.name AS home_name, h.provider_id, c.municipality,"
            " m.name AS municipality_name, c.email, c.letter_id, c.invited_by, c.tries,"
            " h.status = 'open' AND coalesce(works_for_home(c.invited_by, c.home_id), false)"
            " AS may_invite FROM claimed c JOIN care_home h ON h.id = c.home_id"
            " JOIN municipality m ON m.key = c.municipality ORDER BY c.id",
            _LEASE,
            MOST_HOMES_IN_MAIL,
        )
    return [_waiting(row) for row in rows]


def _waiting(row: asyncpg.Record) -> Waiting:
    return Waiting(**dict(row))


async def record_sent(connection: Connection | Pool, signins: dict[int, bytes]) -> None:
    """The mail with those invitations was handed over; each with the hash of its link."""
    await connection.execute(
        "UPDATE home_invitation i SET sent_at = now(), signin = s.hash"
        " FROM unnest($1::bigint[], $2::bytea[]) AS s(id, hash) WHERE i.id = s.id",
        list(signins),
        list(signins.values()),
    )


async def record_failure(
    connection: Connection | Pool, ids: Sequence[int], failure: Failure
) -> None:
    await connection.execute(
        "UPDATE home_invitation SET failure = $2 WHERE id = ANY($1) AND sent_at IS NULL",
        ids,
        failure,
    )


async def postpone(connection: Connection | Pool, ids: Sequence[int], by: timedelta) -> None:
    await connection.execute(
        "UPDATE home_invitation SET claimed_until = now() + $2::interval WHERE id = ANY($1)",
        ids,
        by,
    )


# ---- afterwards ----


async def select_own_invitation(
    connection: Connection, desk: Desk, invitation_id: int
) -> Asked | None:
    found = await select_asked(connection, desk)
    return next((each for each in found if each.id == invitation_id), None)


async def withdraw_home_invitation(connection: Connection | Pool, invitation_id: int) -> None:
    """Its link opens nothing from now on. It still counts."""
    await connection.execute(
        "WITH gone AS (UPDATE home_invitation SET withdrawn_at = now() WHERE id = $1"
        " RETURNING signin) UPDATE signin SET expires_at = least(expires_at, now())"
        " FROM gone WHERE hash = gone.signin",
        invitation_id,
    )


async def delete_old_invitations(connection: Connection | Pool) -> None:
    """Invitations and letters from half a year ago: who accepted is a member by then."""
    for table, at in (("home_invitation", "asked_at"), ("home_letter", "created_at")):
        await connection.execute(
            f"DELETE FROM {table} WHERE {at} < now() - make_interval(days => $1)", KEPT_DAYS
        )
