"""Who sends: each alert that is due is one process's at a time, by a lease in Postgres.

A process that is killed leaves its claim behind; when it is over another sends again, under the
same name, by which mail servers and browsers tell that it is the same message.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from vacancies.database import Connection
from vacancies.listings import local_date
from web.alerts.alerts import AlertState, Channel, hours_of
from web.alerts.hours import Hours

Kind = Literal["confirmation", "renewal", "news"]

LEASE = timedelta(seconds=90)
RETRY_AFTER = (60, 5 * 60, 15 * 60, 3600)  # seconds; the last again and again


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One turn at an alert: `homes` are news to it."""

    id: str
    token: UUID
    channel: Channel
    sealed: bytes
    language: str
    state: AlertState
    hours: Hours
    renew_at: datetime | None
    told_on: date | None
    told_count: int
    messages: int
    failures: int
    expires_at: datetime
    homes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The same for the same message, in whichever process and however often."""
        return f"alert-{self.id}-{self.messages}"

    def kind(self, now: datetime) -> Kind:
        if self.state == "pending":
            return "confirmation"
        is_renewal = self.renew_at is not None and self.renew_at <= now
        return "renewal" if is_renewal else "news"

    def allowed_at(self, kind: Kind, now: datetime) -> datetime:
        """When such a message may go out: who has just asked is awake."""
        if kind == "confirmation":
            return now
        if kind == "renewal":
            return self.hours.awake_at(now)
        return self.hours.next_moment(now, self.told_on, self.told_count)


async def claim_due(connection: Connection, now: datetime, limit: int) -> list[Claim]:
    """Take up to `limit` alerts that have something to say."""
    token = uuid4()
    rows = await connection.fetch(
        "UPDATE alert a SET claim = $1, claimed_until = $2 FROM ("
        "SELECT id FROM alert WHERE least(due_at, renew_at) <= $3 AND expires_at > $3"
        " AND (claimed_until IS NULL OR claimed_until <= $3)"
        " ORDER BY least(due_at, renew_at) LIMIT $4 FOR UPDATE SKIP LOCKED) due"
        " WHERE a.id = due.id RETURNING a.*, ARRAY(SELECT home_id FROM alert_home h"
        " WHERE h.alert_id = a.id AND h.is_news ORDER BY home_id) AS homes",
        token,
        now + LEASE,
        now,
        limit,
    )
    same = set(Claim.__struct_fields__) - {"token", "hours", "homes"}
    return [
        Claim(
            token=token,
            hours=hours_of(row),
            homes=tuple(row["homes"]),
            **{name: row[name] for name in same},
        )
        for row in rows
    ]


async def record_sent(connection: Connection, claim: Claim, kind: Kind, now: datetime) -> None:
    """The message was handed over; what has come in the meantime is due now. Must run in a
    transaction."""
    if not await _lock(connection, claim):
        return
    if kind == "news":
        await connection.execute(
            "UPDATE alert_home SET is_news = false WHERE alert_id = $1 AND home_id = ANY($2)",
            claim.id,
            list(claim.homes),
        )
    day = local_date(now)
    count = 1 + (claim.told_count if claim.told_on == day else 0)
    await connection.execute(
        "UPDATE alert SET messages = messages + 1, failures = 0, claim = NULL,"
        " claimed_until = NULL, due_at = CASE WHEN state = 'active' AND EXISTS"
        " (SELECT FROM alert_home WHERE alert_id = $1 AND is_news) THEN $2::timestamptz END,"
        " renew_at = CASE WHEN $3 = 'renewal' AND renew_at <= $2 THEN NULL ELSE renew_at END,"
        " told_on = CASE WHEN $3 = 'news' THEN $4 ELSE told_on END,"
        " told_count = CASE WHEN $3 = 'news' THEN $5 ELSE told_count END WHERE id = $1",
        claim.id,
        now,
        kind,
        day,
        count,
    )


async def record_nothing(connection: Connection, claim: Claim) -> None:
    """What was news is none any more. Must run in a transaction."""
    if await _lock(connection, claim):
        await connection.execute(
            "UPDATE alert SET claim = NULL, claimed_until = NULL, due_at = CASE WHEN EXISTS"
            " (SELECT FROM alert_home WHERE alert_id = $1 AND is_news) THEN due_at END"
            " WHERE id = $1",
            claim.id,
        )


async def record_delay(
    connection: Connection, claim: Claim, kind: Kind, until: datetime, *, has_failed: bool = False
) -> None:
    """Give the alert back until then. Must run in a transaction."""
    column = "renew_at" if kind == "renewal" else "due_at"
    if await _lock(connection, claim):
        await connection.execute(
            f"UPDATE alert SET claim = NULL, claimed_until = NULL, {column} = $2,"
            " failures = failures + $3 WHERE id = $1",
            claim.id,
            until,
            int(has_failed),
        )


def retry_at(failures: int, now: datetime) -> datetime:
    """After so many tries that failed before this one."""
    return now + timedelta(seconds=RETRY_AFTER[min(failures, len(RETRY_AFTER) - 1)])


async def _lock(connection: Connection, claim: Claim) -> bool:
    """Whether the claim is still ours. In a statement of its own: the next one then sees what
    whoever held the row has written."""
    mine = await connection.fetchval(
        "SELECT true FROM alert WHERE id = $1 AND claim = $2 FOR NO KEY UPDATE",
        claim.id,
        claim.token,
    )
    return bool(mine)
