"""Years of daily reports of thousands of homes, written by Postgres itself: always the same ones.

Homes lie in 400 municipalities of 50 districts of one state. They report on nine of ten days,
confirm every second time, and one in 25 takes nobody for two weeks every four months.
"""

from __future__ import annotations

from datetime import date, timedelta

from vacancies.database import Connection
from vacancies.listings import REGION

FILL_SECONDS = 3600.0
STATE, DISTRICT = "05", "05101"
DISTRICTS, TOWNS = 50, 8  # of each district

_HOMES = """
INSERT INTO care_home (id, provider_id, name, latitude, longitude, point_precision, municipality,
                       capacity, moved_revision)
SELECT 'bench-' || n, $1, 'Haus ' || n, 51 + n % 100 / 100.0, 7 + n % 77 / 50.0, 'address',
       '05' || 101 + n % $3 || lpad((n / $3 % $4 * 4 + 4)::text, 3, '0'),
       jsonb_strip_nulls(jsonb_build_object(
         'long_term', 20 + n * 37 % 120,
         'short_term', CASE WHEN n % 5 < 3 THEN 4 + n % 9 END,
         'day', CASE WHEN n % 10 < 3 THEN 12 + n % 8 END)), 0
FROM generate_series(0, $2::integer - 1) AS n
"""
_STATES = """
INSERT INTO home_state (home_id, evaluated_at, revision) SELECT id, now(), 0 FROM care_home
"""
# In the order in which reports come: day by day.
_REPORTS = """
INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies)
SELECT 'bench-' || n, d::bigint * $1 + n,
       CASE WHEN (n + d) % 2 = 0 THEN 'confirmation' ELSE 'report' END, at, at, lines
FROM generate_series(0, $2::integer - 1) AS d
CROSS JOIN generate_series(0, $1::integer - 1) AS n
CROSS JOIN LATERAL (
  SELECT ($3::date + d + interval '7 hours' + make_interval(secs => n % 3600))
           AT TIME ZONE $4 AS at,
         (n * 7919 + d / 2 * 104729) % 1000 AS dice
) moment
CROSS JOIN LATERAL (SELECT json_build_array(
  json_build_object('care_form', 'long_term', 'count', dice % 6, 'sex', 'any', 'room', 'single',
                    'care_grades', json_build_array(2, 3, 4, 5), 'focuses', '[]'::json),
  json_build_object('care_form', CASE WHEN n % 5 < 3 THEN 'short_term' ELSE 'long_term' END,
                    'count', dice % 3, 'sex', 'female', 'room', 'double',
                    'care_grades', '[]'::json, 'focuses', '[]'::json,
                    'available_from', $3::date + d + dice % 9)) AS lines) said
WHERE (n * 31 + d * 17) % 10 < 9
ORDER BY d, n
"""
_STOPS = """
INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies, amended)
SELECT 'bench-' || n, d::bigint * $1 + n, 'amendment', at, at, '[]',
       json_build_object('admission_stop', CASE WHEN is_on THEN json_build_object(
         'reason', (ARRAY['staff', 'staff', 'infection', 'building', 'ordered'])[1 + n / 25 % 5],
         'until', NULL) END)
FROM generate_series(0, $1::integer - 1, 25) AS n
CROSS JOIN generate_series(0, $2::integer - 15, 120) AS s
CROSS JOIN (VALUES (true, 0), (false, 14)) AS part(is_on, later)
CROSS JOIN LATERAL (SELECT s + later + n / 25 % 100 AS d) shifted
CROSS JOIN LATERAL (
  SELECT ($3::date + d + interval '12 hours') AT TIME ZONE $4 AS at
) moment
WHERE d < $2
"""


async def write_history(connection: Connection, homes: int, days: int, today: date) -> int:
    """Fill an empty database with `homes` and what they have said in the `days` before `today`;
    returns how many entries the history has."""
    provider = await connection.fetchval(
        "INSERT INTO provider (slug, name) VALUES ('made-up', 'Made up') RETURNING id"
    )
    first = today - timedelta(days=days)
    async with connection.transaction():
        await connection.execute(f"SET LOCAL statement_timeout = {FILL_SECONDS * 1000:.0f}")
        await connection.execute(_HOMES, provider, homes, DISTRICTS, TOWNS)
        await connection.execute(_STATES)
        for statement in (_REPORTS, _STOPS):
            await connection.execute(
                statement, homes, days, first, REGION.key, timeout=FILL_SECONDS
            )
    await connection.execute("ANALYZE", timeout=FILL_SECONDS)
    return int(await connection.fetchval("SELECT count(*) FROM report", timeout=FILL_SECONDS))
