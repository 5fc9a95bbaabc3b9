"""Pairs of reports that followed each other, counted by Postgres: what `lasting.py` fits."""

from __future__ import annotations

from datetime import datetime

from vacancies.database import Connection
from vacancies.lasting import EDGES_HOURS, LARGE_FROM_PLACES, Cell
from vacancies.listings import REGION
from vacancies.models import SMALL_HOME_PLACES

HISTORY_DAYS = 180
# The older part is fitted, the newer part checks it.
OLDER_PART = 0.7
NEWEST_DAYS = 7
# What is corrected so soon was a slip.
SLIP_MINUTES = 2
# A rhythm is known from so many reports on.
RHYTHM_REPORTS = 5
# Against the usual time between two reports of the home.
EARLY, LATE = 0.8, 3.5
READ_SECONDS = 120.0

_CELLS = """
WITH said AS (
  -- `stop` is odd while an admission stop holds that was said in the window: then nobody is
  -- shown a place, and nothing is asked of the curve.
  SELECT home_id, revision, kind, observed_at, reported_at, vacancies,
         max(revision * 2 + (json_typeof(amended->'admission_stop') <> 'null')::int)
           FILTER (WHERE amended->'admission_stop' IS NOT NULL)
           OVER (PARTITION BY home_id ORDER BY revision) AS stop
  FROM report WHERE reported_at >= $1::timestamptz - make_interval(days => $2)
    AND reported_at <= $1
), statement AS (
  SELECT *, lead(kind) OVER following AS next_kind,
         lead(reported_at) OVER following AS next_reported
  FROM said WHERE kind <> 'amendment' WINDOW following AS (PARTITION BY home_id ORDER BY revision)
), kept AS (
  SELECT home_id, observed_at, vacancies, stop,
         lead(observed_at) OVER following AS next_at,
         lead(vacancies) OVER following AS next_vacancies,
         lead(stop) OVER following AS next_stop
  FROM statement
  WHERE kind <> 'undo' AND next_kind IS DISTINCT FROM 'undo'
    AND (next_reported IS NULL OR next_reported - reported_at >= make_interval(mins => $3))
  WINDOW following AS (PARTITION BY home_id ORDER BY revision)
), home AS (
  SELECT home_id, min(observed_at) AS since,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY next_at - observed_at)
           FILTER (WHERE next_at > observed_at) AS usual
  FROM kept GROUP BY home_id
  HAVING count(*) FILTER (WHERE next_at > observed_at) >= $4
), sized AS (
  SELECT home.*, min(since) OVER () + ($1 - min(since) OVER ()) * $6::float8 AS split,
         CASE WHEN coalesce(licensed, 0) = 0 THEN 'unknown' WHEN licensed < $9 THEN 'small'
              WHEN licensed < $10 THEN 'medium' ELSE 'large' END AS size
  FROM home JOIN care_home ON id = home_id AND standing IN ('normal', 'declined')
  CROSS JOIN LATERAL (SELECT sum(value::integer) AS licensed FROM jsonb_each_text(capacity)) c
), pair AS (
  -- A window of days that is over has not been given away: it counts on neither side.
  SELECT home_id, size, care_form, least(free, 3) AS free_places, next_at, observed_at, usual,
         coalesce(next_at, $1) - observed_at AS gap,
         EXISTS (
           SELECT FROM json_to_recordset(next_vacancies)
             AS later(care_form text, count integer, available_until date)
           WHERE later.care_form = place.care_form AND count > 0
             AND (available_until IS NULL OR available_until >= (next_at AT TIME ZONE $5)::date)
         ) AS still,
         CASE WHEN observed_at >= greatest(split, $1 - make_interval(days => $12)) THEN 'newest'
              WHEN observed_at >= split THEN 'newer'
              WHEN coalesce(next_at, $1) < split THEN 'older' ELSE 'between' END AS part
  FROM kept JOIN sized USING (home_id)
  CROSS JOIN LATERAL (
    SELECT care_form, sum(count) AS free
    FROM json_to_recordset(vacancies) AS line(care_form text, count integer, available_until date)
    WHERE count > 0 AND (available_until IS NULL
      OR available_until >= (coalesce(next_at, $1) AT TIME ZONE $5)::date)
    GROUP BY care_form
  ) place
  WHERE coalesce(stop, 0) % 2 = 0
    AND (next_at IS NULL OR coalesce(next_stop, 0) = coalesce(stop, 0))
), timed AS (
  SELECT *, CASE WHEN gap < usual * $7::float8 THEN 'early'
                 WHEN gap <= usual * $8::float8 THEN 'due'
                 WHEN next_at IS NULL THEN 'lapsed' ELSE 'late' END AS timing
  FROM pair WHERE next_at > observed_at OR (next_at IS NULL AND gap > usual * $8::float8)
)
SELECT care_form, size, free_places, part, timing,
       width_bucket(extract(epoch FROM gap) / 3600, $11::float8[]) - 1 AS bin,
       count(*) AS pairs, count(*) FILTER (WHERE still AND timing <> 'lapsed') AS still_free,
       count(DISTINCT home_id) AS homes
FROM timed
GROUP BY care_form, size, free_places, part, timing, bin
"""


async def select_cells(connection: Connection, at: datetime) -> list[Cell]:
    """The history of the last `HISTORY_DAYS` up to `at`, counted. Takes seconds for some thousand
    homes: in a transaction, whose limit it lifts."""
    # Postgres knows nothing of the sizes of these steps: a nested loop would take minutes.
    await connection.execute("SET LOCAL enable_nestloop = off")
    await connection.execute(f"SET LOCAL statement_timeout = {READ_SECONDS * 1000:.0f}")
    rows = await connection.fetch(
        _CELLS,
        at,
        HISTORY_DAYS,
        SLIP_MINUTES,
        RHYTHM_REPORTS,
        REGION.key,
        OLDER_PART,
        EARLY,
        LATE,
        SMALL_HOME_PLACES,
        LARGE_FROM_PLACES,
        [float(edge) for edge in EDGES_HOURS],
        NEWEST_DAYS,
        timeout=READ_SECONDS,
    )
    return [Cell(*row) for row in rows]
