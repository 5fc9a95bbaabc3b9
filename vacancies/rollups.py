"""The history, counted for planning: days when they are over, and again if something came late.

Whoever holds the advisory lock counts. What is to be counted stands in `planning_due`; each run of
days is counted and struck off in one transaction, so a process may be killed at any time.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

import structlog

from vacancies.database import Connection, Pool, borrowed, is_connection_error
from vacancies.home_past import record_past
from vacancies.listings import REGION, local_date
from vacancies.rollup_days import COUNT_SECONDS, count_days, plan_for_history

log = structlog.get_logger()

LOOK_SECONDS = 300.0
ROLLUP_LOCK = 0x706C616E  # "plan"
# An entry is decided a moment before it is committed, by a clock that may step back a little.
CLOCK_SLACK = timedelta(hours=1)

_LATE = """
WITH entry AS (
  SELECT r.home_id, r.kind, r.observed_at, r.reported_at, r.revision,
         ceil(h.ageing_hours / 24.0)::integer + 1 AS held_days
  FROM home_state s JOIN report r USING (home_id) JOIN care_home h ON h.id = s.home_id
  WHERE s.revision > $1 AND r.revision > $1 AND r.reported_at >= $2 AND r.kind <> 'amendment'
), moment AS (
  SELECT observed_at AS at, held_days FROM entry WHERE kind <> 'undo'
  UNION ALL
  -- An undo changes the days of what it takes back.
  SELECT taken_back.observed_at, held_days
  FROM entry CROSS JOIN LATERAL (
    SELECT observed_at FROM report r
    WHERE r.home_id = entry.home_id AND r.kind <> 'amendment'
      AND r.reported_at <= entry.reported_at AND r.revision < entry.revision
    ORDER BY r.reported_at DESC, r.revision DESC LIMIT 1
  ) taken_back
  WHERE kind = 'undo'
)
INSERT INTO planning_due (day, is_counted)
SELECT DISTINCT (at AT TIME ZONE $5)::date + n, true
FROM moment CROSS JOIN generate_series(0, held_days) AS n
WHERE (at AT TIME ZONE $5)::date + n BETWEEN $3 AND $4
ON CONFLICT DO NOTHING
"""
# The oldest days that are due: at most to the end of their month, and without a gap.
_RUN = """
SELECT min(day) AS first, max(day) AS last FROM (
  SELECT day, day - (row_number() OVER (ORDER BY day))::integer AS run FROM planning_due
  WHERE day < (SELECT date_trunc('month', min(day)) + interval '1 month' FROM planning_due)
) due GROUP BY run ORDER BY run LIMIT 1
"""


async def roll_up(pool: Pool) -> int:
    """Count what is due; returns how many days. Does nothing while another process counts."""
    counted = 0
    async with borrowed(pool) as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", ROLLUP_LOCK):
            return 0
        try:
            await look(connection)
            if await connection.fetchval("SELECT EXISTS (SELECT FROM planning_due)"):
                await _summarize(connection)
            while run := await _select_run(connection):
                first, last = run
                async with connection.transaction():
                    await count_days(connection, first, last)
                    await connection.execute(
                        "DELETE FROM planning_due WHERE day BETWEEN $1 AND $2", first, last
                    )
                counted += (last - first).days + 1
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", ROLLUP_LOCK)
    return counted


async def look(connection: Connection, now: datetime | None = None) -> None:
    """Write down what homes are today, and which days are to be counted: those that are over
    since the last look, and those of which something was told since. `now`: the database's clock,
    unless it is given."""
    async with connection.transaction(isolation="repeatable_read"):
        await plan_for_history(connection)
        now = now or await connection.fetchval("SELECT now()")
        assert now is not None
        today = local_date(now)
        await record_past(connection, today, seconds=COUNT_SECONDS)
        head = await connection.fetchrow("SELECT * FROM planning_head")
        if head is None:
            first = "SELECT least(min(from_day), $1) FROM home_past"
            since = await connection.fetchval(first, today)
        else:
            since = head["until"] + timedelta(days=1)
            looked_at = head["looked_at"] - CLOCK_SLACK
            # Of few homes by their index, and not through all of the history.
            await connection.execute("SET LOCAL enable_nestloop = on")
            await connection.execute(
                _LATE,
                head["revision"],
                looked_at,
                head["since"],
                head["until"],
                REGION.key,
                timeout=COUNT_SECONDS,
            )
        await _record_head(connection, since, today, now)


async def _record_head(connection: Connection, since: date, today: date, now: datetime) -> None:
    """All days from `since` to yesterday are due, and nothing up to this revision is late."""
    await connection.execute(
        "INSERT INTO planning_due (day, is_counted)"
        " SELECT $1::date + n, false FROM generate_series(0, $2::date - $1 - 1) AS n"
        " ON CONFLICT DO NOTHING",
        since,
        today,
    )
    await connection.execute(
        "INSERT INTO planning_head (since, until, recorded_from, revision, looked_at)"
        " SELECT $1, $2::date - 1, $2, revision, $3 FROM revision_head"
        " ON CONFLICT (only_row) DO UPDATE SET until = greatest(excluded.until,"
        " planning_head.until), revision = excluded.revision, looked_at = excluded.looked_at",
        since,
        today,
        now,
    )


async def _summarize(connection: Connection) -> None:
    """Let the index of the history know all of it: else this waits for the next vacuum, and until
    then everything new is read for each run of days."""
    async with connection.transaction():
        await plan_for_history(connection)
        await connection.execute(
            "SELECT brin_summarize_new_values('report_observed')", timeout=COUNT_SECONDS
        )


async def _select_run(connection: Connection) -> tuple[date, date] | None:
    row = await connection.fetchrow(_RUN)
    return None if row is None else (row["first"], row["last"])


async def roll_up_for_ever(pool: Pool, *, seconds: float = LOOK_SECONDS) -> None:
    """Every `seconds`, in whichever process has the lock just then."""
    while True:
        try:
            if days := await roll_up(pool):
                log.info("counted the history for planning", days=days)
        except Exception as error:
            if is_connection_error(error):
                log.warning("counting the history failed", error=type(error).__name__)
            else:
                log.exception("counting the history failed")
        await asyncio.sleep(seconds)
