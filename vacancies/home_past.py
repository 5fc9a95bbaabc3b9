"""What homes were, from which day on: municipality, licensed places, policy, admission stop.

The history holds what homes said, not what they were. So that is recorded from day to day, by
whoever counts the days (`rollups.py`). For the days before, the first record stands in; admission
stops that homes reported, and when a home was closed, are known from before.
"""

from __future__ import annotations

from datetime import date

from vacancies.database import Connection
from vacancies.homes import IS_SHOWN
from vacancies.lasting import LARGE_FROM_PLACES
from vacancies.listings import REGION
from vacancies.models import SMALL_HOME_PLACES

_COLUMNS = (
    "home_id, from_day, municipality, is_open, is_frozen, capacity, size, fresh_hours,"
    " ageing_hours, stop_reason, stop_until"
)
_NOW = f"""
WITH now AS (
  SELECT h.*, coalesce(municipality, '') AS place,
         CASE WHEN coalesce(licensed, 0) <= 0 THEN 'unknown'
              WHEN licensed < {SMALL_HOME_PLACES} THEN 'small'
              WHEN licensed < {LARGE_FROM_PLACES} THEN 'medium' ELSE 'large' END AS size,
         status = 'open' AND {IS_SHOWN} AS is_there
  FROM care_home h
  CROSS JOIN LATERAL (SELECT sum(value::integer) AS licensed FROM jsonb_each_text(capacity)) c
  WHERE h.origin IS NULL  -- neighbours plan for theirs
)
"""
# A home is there from the first thing that is known of it.
_BEFORE = f"""
{_NOW}, new AS MATERIALIZED (
  SELECT now.*, coalesce(since, $1) AS since
  FROM now LEFT JOIN LATERAL (
    SELECT (least(observed_at, reported_at) AT TIME ZONE $2)::date AS since FROM report
    WHERE home_id = now.id ORDER BY reported_at, revision LIMIT 1
  ) first ON true
  WHERE NOT EXISTS (SELECT FROM home_past WHERE home_id = now.id)
), event AS (
  SELECT id, least(since, $1) AS from_day, true AS is_open, 0::bigint AS revision,
         NULL AS reason, NULL::date AS until
  FROM new
  UNION ALL
  SELECT new.id, (reported_at AT TIME ZONE $2)::date, true, report.revision,
         amended->'admission_stop'->>'reason', (amended->'admission_stop'->>'until')::date
  FROM new JOIN report ON home_id = new.id
  WHERE kind = 'amendment' AND amended->'admission_stop' IS NOT NULL
  UNION ALL
  SELECT id, (closed_at AT TIME ZONE $2)::date, false, {2**62}, NULL, NULL
  FROM new WHERE closed_at IS NOT NULL
)
INSERT INTO home_past ({_COLUMNS})
SELECT DISTINCT ON (id, event.from_day) id, event.from_day, place,
       event.is_open AND new.{IS_SHOWN},
       new.standing = 'frozen', capacity, size,
       fresh_hours, ageing_hours, event.reason, event.until
FROM event JOIN new USING (id)
ORDER BY id, event.from_day, event.revision DESC
"""
_TODAY = f"""
{_NOW}
INSERT INTO home_past AS past ({_COLUMNS})
SELECT id, $1, place, is_there, standing = 'frozen', now.capacity, now.size,
       now.fresh_hours, now.ageing_hours, now.stop_reason, now.stop_until
FROM now JOIN LATERAL (
  SELECT * FROM home_past WHERE home_id = now.id ORDER BY from_day DESC LIMIT 1
) last ON true
WHERE (last.municipality, last.is_open, last.is_frozen, last.capacity, last.size, last.fresh_hours,
       last.ageing_hours, last.stop_reason, last.stop_until)
  IS DISTINCT FROM (place, is_there, standing = 'frozen', now.capacity, now.size,
                    now.fresh_hours, now.ageing_hours, now.stop_reason, now.stop_until)
ON CONFLICT (home_id, from_day) DO UPDATE
SET municipality = excluded.municipality, is_open = excluded.is_open,
    is_frozen = excluded.is_frozen,
    capacity = excluded.capacity, size = excluded.size, fresh_hours = excluded.fresh_hours,
    ageing_hours = excluded.ageing_hours, stop_reason = excluded.stop_reason,
    stop_until = excluded.stop_until
"""


async def record_past(connection: Connection, today: date, *, seconds: float) -> None:
    """Write down what homes are `today`, where that is new; of homes that were not there yet, what
    is known of the days before. The first time that reads through all of the history: it may take
    `seconds`."""
    await connection.execute(_BEFORE, today, REGION.key, timeout=seconds)
    await connection.execute(_TODAY, today, timeout=seconds)
