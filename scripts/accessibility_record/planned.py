"""What a municipality has to plan with after some months: made up, in the tables of what is
counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vacancies.deployment import Deployment
from vacancies.listings import local_date
from web.planning.period import quarter_of

DAYS = 120
_ROLLUP = """
INSERT INTO planning_rollup
SELECT 'day', form, town, $1::date + d, size, 4, 3, 2, 3, 36, 200, 150, 150 - n, n, d % 3
FROM generate_series(0, $2::integer - 1) AS d
CROSS JOIN (VALUES ('all', 9), ('long_term', 6), ('short_term', 3)) AS f(form, most)
CROSS JOIN (VALUES ('05754008', 'small'), ('05754008', 'large'), ('05754012', 'medium'))
  AS t(town, size)
CROSS JOIN LATERAL (SELECT (d * 7 + most) % most AS n) free
"""
_STOPS = """
INSERT INTO planning_stop
SELECT 'day', 'all', '05754008', $1::date + d, 'large', reason, 1, 90
FROM generate_series(0, $2::integer - 1) AS d
CROSS JOIN (VALUES ('staff', 60), ('infection', 14)) AS r(reason, days) WHERE d < days
"""


async def plan_for_months(deployment: Deployment) -> None:
    first = local_date(datetime.now(UTC)) - timedelta(days=DAYS)
    async with deployment.pool.acquire() as connection, connection.transaction():
        # Whoever is faster: the service looks at its history when it starts.
        await connection.execute(
            "INSERT INTO planning_head SELECT true, $1::date, $1::date + $2::integer - 1,"
            " $1::date + 30, revision, now() FROM revision_head ON CONFLICT (only_row) DO UPDATE"
            " SET since = excluded.since, recorded_from = excluded.recorded_from",
            first,
            DAYS,
        )
        await connection.execute(_ROLLUP, first, DAYS)
        await connection.execute(_STOPS, first, DAYS)
        await connection.execute(
            "INSERT INTO unmet_search VALUES ('05754008', 'all', $1, 40),"
            " ('05754008', 'short_term', $1, 25), ('05754012', 'all', $1, 11)",
            first + timedelta(days=DAYS - 1),
        )


def newest_quarter() -> str:
    """The one in which yesterday lies."""
    return quarter_of(local_date(datetime.now(UTC)) - timedelta(days=1))
