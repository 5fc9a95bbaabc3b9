"""Alerts in Postgres. Search and address are sealed; one that has ended is deleted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec

from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError, InvalidParameter, Overloaded
from web.alerts.hours import Hours
from web.alerts.sealing import Seal, SealBroken, new_id

Channel = Literal["mail", "push"]
AlertState = Literal["pending", "active"]

PENDING_LIVES = timedelta(hours=24)
LIVES = timedelta(days=90)
ASK_BEFORE = timedelta(days=7)
# Of one address: whoever asks for more on behalf of a stranger only bothers that person.
MOST_ASKED_A_DAY = 3
MOST_ALERTS = 10


class AlertUnknown(FreiplatzError):
    """There is no alert behind the link: it has ended, or never was."""

    code = "alert_unknown"


class SearchTooWide(InvalidParameter):
    """More homes match already than anybody would wait for."""

    code = "search_too_wide"


class AskedTooOften(Overloaded):
    """Too many alerts were asked for from one network."""

    code = "asked_too_often"


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Where a browser is reached (W3C Push API); the keys are base64url."""

    endpoint: str
    p256dh: str
    auth: str


class Contents(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed. `search` holds parameters of the API, places as coordinates. A reader has
    a mail address or a subscription."""

    search: str
    email: str | None = None
    subscription: Subscription | None = None

    @property
    def address(self) -> str:
        """What tells this reader from others."""
        return self.subscription.endpoint if self.subscription else self.email or ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    channel: Channel
    contents: Contents
    language: str
    state: AlertState
    hours: Hours
    expires_at: datetime


def sealed_contents(seal: Seal, alert_id: str, contents: Contents) -> bytes:
    return seal.close(alert_id, msgspec.msgpack.encode(contents))


def open_contents(seal: Seal, alert_id: str, sealed: bytes) -> Contents:
    """Raises `SealBroken`."""
    return msgspec.msgpack.decode(seal.open(alert_id, sealed), type=Contents)


async def insert_alert(
    connection: Connection, seal: Seal, contents: Contents, language: str, now: datetime
) -> str | None:
    """Note an alert that is still to be confirmed, and return its id. None if this address has
    been asked often today, or has many. Must run in a transaction."""
    reader = seal.reader(contents.address)
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"alerts of {reader.hex()}"
    )
    counted = await connection.fetchrow(
        "SELECT count(*) FILTER (WHERE created_at > $2), count(*) FROM alert WHERE reader = $1",
        reader,
        now - timedelta(days=1),
    )
    assert counted is not None
    asked, have = counted
    if asked >= MOST_ASKED_A_DAY or have >= MOST_ALERTS:
        return None
    alert_id, hours = new_id(), Hours()
    await connection.execute(
        "INSERT INTO alert (id, channel, reader, sealed, language, quiet_from_minute,"
        " quiet_until_minute, most_a_day, created_at, expires_at, due_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9)",
        alert_id,
        "push" if contents.subscription else "mail",
        reader,
        sealed_contents(seal, alert_id, contents),
        language,
        hours.quiet_from_minute,
        hours.quiet_until_minute,
        hours.most_a_day,
        now,
        now + PENDING_LIVES,
    )
    return alert_id


async def select_alert(
    connection: Connection | Pool, seal: Seal, token: str, now: datetime
) -> Alert:
    """The alert of a link; raises `AlertUnknown`."""
    alert_id = seal.read_token(token)
    row = alert_id and await connection.fetchrow(
        "SELECT * FROM alert WHERE id = $1 AND expires_at > $2", alert_id, now
    )
    if not row:
        raise AlertUnknown("There is no such alert. It has ended, or the link is not whole.")
    try:
        return _alert(seal, row)
    except SealBroken:
        raise AlertUnknown("This alert cannot be read any more. Please make a new one.") from None


def _alert(seal: Seal, row: asyncpg.Record) -> Alert:
    return Alert(
        id=row["id"],
        channel=row["channel"],
        contents=open_contents(seal, row["id"], row["sealed"]),
        language=row["language"],
        state=row["state"],
        hours=hours_of(row),
        expires_at=row["expires_at"],
    )


def hours_of(row: asyncpg.Record) -> Hours:
    return Hours(**{name: row[name] for name in Hours.__struct_fields__})


async def record_confirmed(connection: Connection, seal: Seal, alert: Alert, now: datetime) -> None:
    """From now on the reader is told, at once of what has come since they asked. Alerts of the
    same reader for the same search are replaced. Must run in a transaction."""
    await connection.execute("SELECT FROM alert WHERE id = $1 FOR NO KEY UPDATE", alert.id)
    await connection.execute(
        "UPDATE alert SET state = 'active', confirmed_at = $2, expires_at = $3, renew_at = $4,"
        " failures = 0, due_at = CASE WHEN EXISTS"
        " (SELECT FROM alert_home WHERE alert_id = $1 AND is_news) THEN $2::timestamptz END"
        " WHERE id = $1 AND state = 'pending'",
        alert.id,
        now,
        now + LIVES,
        now + LIVES - ASK_BEFORE,
    )
    others = await connection.fetch(
        "SELECT id, sealed FROM alert WHERE reader = $1 AND id <> $2",
        seal.reader(alert.contents.address),
        alert.id,
    )
    same = [row["id"] for row in others if _search(seal, row) == alert.contents.search]
    await delete_alerts(connection, same)


def _search(seal: Seal, row: asyncpg.Record) -> str | None:
    try:
        return open_contents(seal, row["id"], row["sealed"]).search
    except SealBroken:
        return None


async def record_renewed(connection: Connection | Pool, alert_id: str, now: datetime) -> None:
    """Ninety days from now."""
    await connection.execute(
        "UPDATE alert SET expires_at = $2, renew_at = $3 WHERE id = $1 AND state = 'active'",
        alert_id,
        now + LIVES,
        now + LIVES - ASK_BEFORE,
    )


async def record_hours(
    connection: Connection | Pool, alert_id: str, hours: Hours, now: datetime
) -> None:
    """Raises `InvalidInput`. What waits is looked at anew."""
    hours.check()
    await connection.execute(
        "UPDATE alert SET quiet_from_minute = $2, quiet_until_minute = $3, most_a_day = $4,"
        " due_at = CASE WHEN due_at > $5 AND state = 'active' AND failures = 0"
        " THEN $5 ELSE due_at END WHERE id = $1",
        alert_id,
        hours.quiet_from_minute,
        hours.quiet_until_minute,
        hours.most_a_day,
        now,
    )


async def delete_alerts(connection: Connection | Pool, ids: Iterable[str]) -> int:
    """End them: nothing of them is kept. Returns how many there were."""
    done = await connection.execute("DELETE FROM alert WHERE id = ANY($1)", list(ids))
    return int(done.removeprefix("DELETE "))


async def delete_over(connection: Connection | Pool, now: datetime) -> int:
    """Those that nobody confirmed or renewed in time."""
    done = await connection.execute("DELETE FROM alert WHERE expires_at <= $1", now)
    return int(done.removeprefix("DELETE "))
