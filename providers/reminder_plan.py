"""The plan of reminders in Postgres: one row a home and episode, written once, claimed for
sending, and settled. It outlives every process, and several may work on it at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from providers.reminders import Step, first_due, usual_hour
from providers.reporting_policy import Policies
from vacancies.database import Connection, Pool
from vacancies.homes import IS_AWAITED
from vacancies.listings import REGION

PLAN_LOCK = 0x72656D69  # "remi": a batch is planned by one process at a time
HABIT_DAYS = 28
KEPT_DAYS = 30

Outcome = Literal["reported", "closed", "unanswered"]


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the plan. `told` names to whom the mail of this `step` was handed over."""

    id: UUID
    home_id: str
    since: datetime
    step: Step
    due_at: datetime
    told: tuple[str, ...] = ()
    failures: int = 0
    reminded_at: datetime | None = None
    outcome: Outcome | None = None


_COLUMNS = ", ".join(f"r.{name}" for name in Reminder.__struct_fields__)

# Said by the database alone, so that all processes mean the same moment.
_SILENT = f"""
    SELECT h.id, h.municipality, said.at IS NULL AS is_new,
           coalesce(said.at, (
             SELECT min(m.created_at) FROM membership m
             WHERE m.home_id = h.id OR m.home_id IS NULL AND m.provider_id = h.provider_id
           )) AS since
    FROM care_home h JOIN home_state s ON s.home_id = h.id
    CROSS JOIN LATERAL (SELECT greatest(s.observed_at, s.confirmed_at) AS at) said
    WHERE h.status = 'open' AND h.{IS_AWAITED}
      AND (said.at IS NULL OR said.at <= now() - $1::interval)
      AND ((h.id, h.provider_id) IN (
             SELECT home_id, provider_id FROM membership
             WHERE wants_reminders AND home_id IS NOT NULL)
           OR h.provider_id IN (
             SELECT provider_id FROM membership WHERE wants_reminders AND home_id IS NULL))
"""


async def plan_batch(connection: Connection, policies: Policies, limit: int) -> int:
    """Plan the reminders of up to `limit` homes that have been silent for half of the shortest
    period; returns how many were planned.

    A home that reports more often than that, as care software does, never gets a row.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", PLAN_LOCK)
        rows = await connection.fetch(
            f"SELECT silent.* FROM ({_SILENT}) silent WHERE NOT EXISTS (SELECT FROM reminder r"
            " WHERE r.home_id = silent.id AND (silent.is_new OR r.since = silent.since)"
            " AND (r.closed_at IS NULL OR r.outcome = 'unanswered')) LIMIT $2",
            policies.shortest_period() / 2,
            limit,
        )
        hours = await _select_usual_hours(connection, [row["id"] for row in rows])
        planned = await connection.fetch(
            "INSERT INTO reminder (home_id, since, due_at)"
            " SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[])"
            # A report was undone, or the home opened again: the episode goes on where it was.
            " ON CONFLICT (home_id, since) DO UPDATE SET closed_at = NULL, outcome = NULL"
            " WHERE reminder.outcome <> 'unanswered' RETURNING id",
            [row["id"] for row in rows],
            [row["since"] for row in rows],
            [
                first_due(row["since"], hours[row["id"]], policies.of(row["municipality"]))
                for row in rows
            ],
        )
    return len(planned)


async def _select_usual_hours(connection: Connection, home_ids: Sequence[str]) -> dict[str, int]:
    """In which hour of the day each home usually reports."""
    rows = await connection.fetch(
        "SELECT home_id, extract(hour FROM reported_at AT TIME ZONE $2)::int AS hour,"
        " count(*)::int AS reports FROM report WHERE home_id = ANY($1)"
        " AND kind IN ('report', 'confirmation')"
        " AND reported_at > now() - make_interval(days => $3) GROUP BY 1, 2",
        home_ids,
        REGION.key,
        HABIT_DAYS,
    )
    counts: dict[str, dict[int, int]] = defaultdict(dict)
    for row in rows:
        counts[row["home_id"]][row["hour"]] = row["reports"]
    return {home_id: usual_hour(counts[home_id]) for home_id in home_ids}


async def claim_due(
    connection: Connection, claim: UUID, limit: int, lease: timedelta
) -> list[Reminder]:
    """Up to `limit` due rows that nobody works on. They are this `claim`'s until `lease` is over:
    then the process is taken for dead, and others may have them."""
    rows = await connection.fetch(
        "WITH due AS MATERIALIZED ("
        " SELECT id FROM reminder WHERE closed_at IS NULL AND due_at <= now()"
        " AND (claimed_until IS NULL OR claimed_until < now())"
        " ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)"
        " UPDATE reminder r SET claim = $1, claimed_until = clock_timestamp() + $3::interval"
        f" FROM due WHERE r.id = due.id RETURNING {_COLUMNS}",
        claim,
        limit,
        lease,
    )
    return [_reminder(row) for row in rows]


async def record_settled(connection: Connection, claim: UUID, settled: Sequence[Reminder]) -> int:
    """Write what became of claimed rows and give them back; those whose lease ran out and that
    somebody else has claimed since are left alone. Returns how many were written."""
    done = await connection.fetch(
        "UPDATE reminder r SET step = n.step, due_at = n.due_at, told = n.told,"
        " failures = n.failures, reminded_at = n.reminded_at, outcome = n.outcome,"
        " closed_at = CASE WHEN n.outcome IS NOT NULL THEN now() END,"
        " claim = NULL, claimed_until = NULL"
        " FROM jsonb_populate_recordset(NULL::reminder, $2::jsonb) n"
        " WHERE r.id = n.id AND r.claim = $1 RETURNING r.id",
        claim,
        msgspec.json.encode(settled).decode(),
    )
    return len(done)


async def close_answered(connection: Connection | Pool) -> None:
    """Close the rows of homes that have reported or were closed; forget those long past."""
    await connection.execute(
        "UPDATE reminder r SET closed_at = now(), claim = NULL, claimed_until = NULL,"
        f" outcome = CASE WHEN h.status = 'open' AND h.{IS_AWAITED}"
        " THEN 'reported' ELSE 'closed' END"
        " FROM care_home h JOIN home_state s ON s.home_id = h.id"
        " WHERE r.closed_at IS NULL AND r.home_id = h.id"
        f" AND (h.status <> 'open' OR NOT h.{IS_AWAITED}"
        "      OR greatest(s.observed_at, s.confirmed_at) <> r.since)"
    )
    await connection.execute(
        "DELETE FROM reminder WHERE closed_at < now() - make_interval(days => $1)", KEPT_DAYS
    )


async def count_due(connection: Connection | Pool) -> int:
    """How many rows are due, also those on which somebody works."""
    found: int = await connection.fetchval(
        "SELECT count(*) FROM reminder WHERE closed_at IS NULL AND due_at <= now()"
    )
    return found


async def select_reminder_of(connection: Connection | Pool, home_id: str) -> Reminder | None:
    """The newest of a home, whether it is closed or not."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM reminder r WHERE home_id = $1 ORDER BY since DESC LIMIT 1", home_id
    )
    return None if row is None else _reminder(row)


async def select_reminders(connection: Connection | Pool) -> list[Reminder]:
    """All that is planned and not closed, the next one first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM reminder r WHERE closed_at IS NULL ORDER BY due_at, home_id"
    )
    return [_reminder(row) for row in rows]


def _reminder(row: asyncpg.Record) -> Reminder:
    values = {name: row[name] for name in Reminder.__struct_fields__}
    return Reminder(**{**values, "id": UUID(bytes=row["id"].bytes), "told": tuple(row["told"])})
