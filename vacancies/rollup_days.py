"""Days and months, counted from the history by Postgres.

A day is judged at its end (midnight in the region). What a home said holds from when it was true
(`observed_at`), however late it reached us, until the next thing it said or until it is stale by
the policy of that day. What was taken back was never said: an undo holds from the moment to which
it goes back, and hides all that came between. So of all entries that were true before the end of
a day, the one with the highest revision holds.
"""

from __future__ import annotations

from datetime import date

from vacancies.database import Connection
from vacancies.homes import HOUR
from vacancies.listings import DAY, REGION, midnight

COUNT_SECONDS = 600.0
# Every home once, beside the care forms.
ALL = "all"

# $1 and $2: first and last day; $3: the region; $4: what was said before is stale on all of them;
# $5: the end of the last day. `counted` has a row for every home, day and care form.
HOME_DAYS = f"""
WITH day AS (
  SELECT d::date AS day, (d + interval '1 day') AT TIME ZONE $3 AS ends_at
  FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') AS d
), spell AS (
  SELECT *, coalesce(lead(from_day) OVER (PARTITION BY home_id ORDER BY from_day), 'infinity')
           AS until_day
  FROM home_past
), home AS (
  SELECT day, ends_at, home_id, municipality, size, capacity, is_frozen,
         make_interval(hours => fresh_hours) AS fresh_for,
         make_interval(hours => ageing_hours) AS ageing_for,
         CASE WHEN stop_until IS NULL OR stop_until >= day THEN stop_reason END AS stop
  FROM day JOIN spell ON day >= from_day AND day < until_day WHERE is_open
), entry AS (
  SELECT home_id, revision, kind, observed_at, vacancies FROM report
  WHERE kind <> 'amendment' AND observed_at >= $4 AND observed_at < $5
  UNION ALL
  SELECT home_id, revision, kind, observed_at, vacancies FROM report
  WHERE kind = 'undo' AND reported_at >= $4 AND (observed_at IS NULL OR observed_at < $4)
), said AS MATERIALIZED (
  -- `over_at`: from when on something holds that was said after it.
  SELECT *, (observed_at AT TIME ZONE $3)::date AS said_on,
         min(coalesce(observed_at, '-infinity')) OVER (
           PARTITION BY home_id ORDER BY revision DESC
           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS over_at
  FROM entry
), held AS (
  SELECT home_id, $1 + n AS day, observed_at, vacancies
  FROM said CROSS JOIN LATERAL generate_series(
    greatest(said_on - $1, 0),
    CASE WHEN over_at = '-infinity' THEN -1
         ELSE least(coalesce((over_at AT TIME ZONE $3)::date - 1, $2), $2) - $1 END) AS n
), told AS (
  SELECT DISTINCT home_id, said_on AS day, true AS is_told FROM said
  WHERE kind IN ('report', 'confirmation') AND (over_at IS NULL OR over_at >= observed_at)
), word AS MATERIALIZED (
  SELECT home.*, vacancies, ends_at - observed_at AS age, coalesce(is_told, false) AS is_told
  FROM home
  LEFT JOIN held ON held.home_id = home.home_id AND held.day = home.day
    AND observed_at > ends_at - ageing_for AND NOT is_frozen
  LEFT JOIN told ON told.home_id = home.home_id AND told.day = home.day AND NOT is_frozen
), line AS (
  SELECT home_id, day, care_form,
         sum(count) FILTER (WHERE is_shown AND NOT is_later) AS free,
         sum(count) FILTER (WHERE is_shown AND is_later) AS coming
  FROM word
  CROSS JOIN LATERAL json_to_recordset(vacancies)
    AS place(care_form text, count integer, available_from date, available_until date)
  CROSS JOIN LATERAL (
    SELECT stop IS NULL AND count > 0 AND coalesce(available_until >= day, true) AS is_shown,
           coalesce(available_from > day, false) AS is_later
  ) shown
  GROUP BY home_id, day, care_form
), licence AS (
  SELECT home_id, day, key AS care_form, value::integer AS licensed
  FROM word CROSS JOIN LATERAL jsonb_each_text(capacity) WHERE value::integer > 0
), place AS (
  SELECT home_id, day, care_form, coalesce(licensed, 0) AS licensed, coalesce(free, 0) AS free,
         coalesce(coming, 0) AS coming
  FROM licence FULL JOIN line USING (home_id, day, care_form)
), of_form AS MATERIALIZED (
  SELECT word.*, care_form, licensed, free, coming,
         CASE WHEN age IS NOT NULL AND stop IS NULL THEN licensed ELSE 0 END AS counted,
         CASE WHEN age IS NOT NULL AND stop IS NULL THEN greatest(licensed - free, 0) ELSE 0 END
           AS taken
  FROM word JOIN place USING (home_id, day)
), counted AS (
  SELECT day, municipality, size, stop, age, fresh_for, is_told, care_form, licensed, free, coming,
         counted, taken
  FROM of_form
  UNION ALL
  SELECT day, municipality, size, stop, age, fresh_for, is_told, '{ALL}',
         coalesce(licensed, 0), coalesce(free, 0), coalesce(coming, 0), coalesce(counted, 0),
         coalesce(taken, 0)
  FROM word LEFT JOIN (
    SELECT home_id, day, sum(licensed) AS licensed, sum(free) AS free, sum(coming) AS coming,
           sum(counted) AS counted, sum(taken) AS taken
    FROM of_form GROUP BY home_id, day
  ) every_form USING (home_id, day)
)
"""
SUMS = """
count(*) AS homes, count(*) FILTER (WHERE is_told) AS told,
count(*) FILTER (WHERE age < fresh_for) AS fresh, count(age) AS current,
coalesce(sum(floor(extract(epoch FROM age) / 3600)), 0)::integer AS age_hours,
sum(licensed) AS licensed, sum(counted) AS counted, sum(taken) AS taken, sum(free) AS free,
sum(coming) AS coming
"""
_COUNT = f"""
{HOME_DAYS}, everything AS MATERIALIZED (SELECT * FROM counted), stops AS (
  INSERT INTO planning_stop
    (step, care_form, municipality, first_day, size, reason, homes, licensed)
  SELECT 'day', care_form, municipality, day, size, stop, count(*), sum(licensed)
  FROM everything WHERE stop IS NOT NULL GROUP BY care_form, municipality, day, size, stop
)
INSERT INTO planning_rollup (step, care_form, municipality, first_day, size, homes, told, fresh,
                             current, age_hours, licensed, counted, taken, free, coming)
SELECT 'day', care_form, municipality, day, size, {SUMS}
FROM everything GROUP BY care_form, municipality, day, size
"""
_GROUP = "care_form, municipality, date_trunc('month', first_day)::date, size"
_MONTH = f"""
INSERT INTO planning_rollup (step, care_form, municipality, first_day, size, homes, told, fresh,
                             current, age_hours, licensed, counted, taken, free, coming)
SELECT 'month', {_GROUP}, sum(homes), sum(told), sum(fresh), sum(current), sum(age_hours),
       sum(licensed), sum(counted), sum(taken), sum(free), sum(coming)
FROM planning_rollup
WHERE step = 'day' AND first_day >= $1 AND first_day < ($1 + interval '1 month')
GROUP BY {_GROUP}
"""
_MONTH_STOPS = f"""
INSERT INTO planning_stop (step, care_form, municipality, first_day, size, reason, homes, licensed)
SELECT 'month', {_GROUP}, reason, sum(homes), sum(licensed)
FROM planning_stop
WHERE step = 'day' AND first_day >= $1 AND first_day < ($1 + interval '1 month')
GROUP BY {_GROUP}, reason
"""


async def allow_time(connection: Connection) -> None:
    """In a transaction: the history is long."""
    await connection.execute(f"SET LOCAL statement_timeout = {COUNT_SECONDS * 1000:.0f}")


async def plan_for_history(connection: Connection) -> None:
    """In a transaction: make Postgres join such steps as it should, and give it time."""
    # It knows nothing of their sizes: a nested loop would take minutes.
    await connection.execute("SET LOCAL enable_nestloop = off; SET LOCAL jit = off")
    await connection.execute("SET LOCAL work_mem = '64MB'")
    await allow_time(connection)


async def day_arguments(connection: Connection, first: date, last: date) -> tuple[object, ...]:
    """What `HOME_DAYS` takes for these days."""
    hours = await connection.fetchval("SELECT max(ageing_hours) FROM home_past") or 0
    return first, last, REGION.key, midnight(first) - hours * HOUR, midnight(last + DAY)


async def count_days(connection: Connection, first: date, last: date) -> None:
    """Count these days, all of one month, and their month. Whatever was counted of them before is
    replaced, so doing it again does no harm. Must run in a transaction."""
    await plan_for_history(connection)
    month = first.replace(day=1)
    for table in ("planning_rollup", "planning_stop"):
        await connection.execute(
            f"DELETE FROM {table} WHERE step = 'day' AND first_day BETWEEN $1 AND $2"
            " OR step = 'month' AND first_day = $3",
            first,
            last,
            month,
            timeout=COUNT_SECONDS,
        )
    arguments = await day_arguments(connection, first, last)
    await connection.execute(_COUNT, *arguments, timeout=COUNT_SECONDS)
    await connection.execute(_MONTH, month, timeout=COUNT_SECONDS)
    await connection.execute(_MONTH_STOPS, month, timeout=COUNT_SECONDS)
