"""What the operator sees of alerts: neither whose they are nor what is searched for."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from vacancies.database import Connection, Pool
from web.alerts.alerts import AlertState, Channel


class AlertCounts(msgspec.Struct, frozen=True):
    """All alerts of the deployment. Late are those that should have been sent a minute ago."""

    pending: int
    active: int
    late: int
    failing: int


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator sees of one."""

    id: str
    channel: Channel
    state: AlertState
    created_at: datetime
    expires_at: datetime
    messages: int
    failures: int


async def select_rows(connection: Connection | Pool) -> list[AlertRow]:
    """All of them without what is sealed, oldest first."""
    columns = ", ".join(AlertRow.__struct_fields__)
    rows = await connection.fetch(f"SELECT {columns} FROM alert ORDER BY created_at, id")
    return [AlertRow(**dict(row)) for row in rows]


async def select_counts(connection: Connection | Pool, now: datetime) -> AlertCounts:
    row = await connection.fetchrow(
        "SELECT count(*) FILTER (WHERE state = 'pending') AS pending,"
        " count(*) FILTER (WHERE state = 'active') AS active,"
        " count(*) FILTER (WHERE least(due_at, renew_at) < $1 AND failures = 0) AS late,"
        " count(*) FILTER (WHERE failures > 0) AS failing FROM alert",
        now - timedelta(minutes=1),
    )
    assert row is not None
    return AlertCounts(**dict(row))
