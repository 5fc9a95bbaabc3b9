"""What the database knows of how the service is doing: what is late, what fails, who is silent.

The same whichever process is asked. Everything is counted when somebody asks, so nothing is
counted twice and nothing costs while nobody looks.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from vacancies.database import Connection
from vacancies.judging import select_sweep_lag
from web.alerts.overview import AlertCounts, select_counts

# What `webhook.speaks` says, as operators call it.
KINDS = {"listings": "webhook", "ngsi_ld": "ngsi_ld", "freiplatz": "portal"}
LATE = "interval '15 minutes'"  # beyond what a killed process, or a try that failed, takes


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """`reminders`, `portal_files` and `invitations` by state; `webhooks` by kind and state;
    `deliveries` of the last hour by kind and outcome. `silent_seconds` of each neighbour are since
    all that it had to say was known, or since it was added. `newest_report_seconds` is of a home of
    ours, None before the first."""

    sweeper_lag_seconds: float
    newest_report_seconds: float | None
    alerts: AlertCounts
    reminders: dict[str, int]
    webhooks: dict[tuple[str, str], int]
    deliveries: dict[tuple[str, str], int]
    portal_files: dict[str, int]
    invitations: dict[str, int]
    silent_seconds: dict[str, float]


async def select_backlog(connection: Connection) -> Backlog:
    return Backlog(
        sweeper_lag_seconds=await select_sweep_lag(connection),
        newest_report_seconds=await connection.fetchval(
            "SELECT extract(epoch FROM clock_timestamp() - max(reported_at))::float8"
            " FROM home_state s JOIN care_home h ON h.id = s.home_id WHERE h.origin IS NULL"
        ),
        alerts=await select_counts(connection, datetime.now(UTC)),
        reminders=await _counts(connection, _REMINDERS),
        webhooks=await _counts_by_kind(connection, _WEBHOOKS),
        deliveries=await _counts_by_kind(connection, _DELIVERIES),
        portal_files=await _counts(connection, _PORTAL_FILES),
        invitations=await _counts(connection, _INVITATIONS),
        silent_seconds={row["slug"]: row["seconds"] for row in await connection.fetch(_NEIGHBOURS)},
    )


_REMINDERS = f"""
    SELECT count(*) AS planned,
           count(*) FILTER (WHERE due_at < now() - {LATE}) AS late,
           count(*) FILTER (WHERE failures > 0) AS failing
    FROM reminder WHERE closed_at IS NULL
"""
_PORTAL_FILES = f"""
    SELECT count(*) AS entered,
           count(*) FILTER (WHERE next_at < now() - {LATE}) AS late,
           count(*) FILTER (WHERE trouble <> '') AS failing
    FROM portal_file
"""
_INVITATIONS = f"""
    SELECT count(*) AS waiting, count(*) FILTER (WHERE asked_at < now() - {LATE}) AS late
    FROM home_invitation WHERE sent_at IS NULL AND failure IS NULL AND withdrawn_at IS NULL
"""
# Late are those with something to deliver, that nobody has had a look at for so long.
_WEBHOOKS = f"""
    SELECT speaks, count(*) FILTER (WHERE state = 'active') AS active,
           count(*) FILTER (WHERE state <> 'active' AND reason <> 'owner') AS stopped,
           count(*) FILTER (WHERE state = 'active' AND attempts > 0) AS failing,
           count(*) FILTER (WHERE state = 'active' AND next_attempt_at < now() - {LATE}
             AND cursor < (SELECT revision FROM revision_head)) AS late
    FROM webhook GROUP BY speaks
"""
_DELIVERIES = """
    SELECT speaks, count(*) FILTER (WHERE outcome = 'delivered') AS delivered,
           count(*) FILTER (WHERE outcome <> 'delivered') AS failed
    FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id
    WHERE sent_at > now() - interval '1 hour' GROUP BY speaks
"""
_NEIGHBOURS = """
    SELECT slug,
           extract(epoch FROM clock_timestamp() - coalesce(heard_at, added_at))::float8 AS seconds
    FROM neighbour WHERE removed_at IS NULL ORDER BY slug
"""


async def _counts(connection: Connection, sql: str) -> dict[str, int]:
    row = await connection.fetchrow(sql)
    assert row is not None
    return dict(row)


async def _counts_by_kind(connection: Connection, sql: str) -> dict[tuple[str, str], int]:
    return {
        (KINDS[row["speaks"]], name): count
        for row in await connection.fetch(sql)
        for name, count in row.items()
        if name != "speaks"
    }
