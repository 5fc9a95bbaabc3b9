"""How reliable the reports of a home have been, from the history of what it has said.

A listing is current while the last thing that the home had said was fresh by the policy of its
municipality (today's policy: older ones are not kept). It is looked at once for every hour of
the last 30 days; 24 hours in which it was current, wherever they lie, are a day. So a report
at noon, and none the next day, makes one day and not two.

Nothing is said of a home whose first report is less than 14 days old, and of a day before the
first report. How often it reports counts the days (Europe/Berlin) on which it reported or
confirmed, whatever the way: what software sends hundreds of times a day is one day. So the
question costs the same however often a home reports: it reads 750 entries at most by the index,
and `MOST_ENTRIES` of the newest for undos, which people make, and seldom.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from vacancies.database import Connection, Pool

LOOKED_BACK = timedelta(days=30)
LEAST_HISTORY = timedelta(days=14)
MOST_ENTRIES = 500
_DAY = timedelta(days=1)


class Currency(StrEnum):
    """How much of the time the listing was current."""

    MOSTLY = "mostly"  # nine tenths and more
    OFTEN = "often"  # six tenths and more
    SELDOM = "seldom"


class Rhythm(StrEnum):
    """On how many days the home reports."""

    DAILY = "daily"  # four of five and more
    SOMETIMES = "sometimes"  # two of five and more: several times a week
    WEEKLY = "weekly"  # one of seven and more
    RARELY = "rarely"


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """Of the last `days` (at most 30) the listing was current on `current_days`, and the home
    reported on `told_days`. `undone_at`: when it last took a report back, in these days."""

    days: int
    current_days: int
    told_days: int
    undone_at: datetime | None = None

    @property
    def currency(self) -> Currency:
        if self.current_days * 10 >= self.days * 9:
            return Currency.MOSTLY
        return Currency.OFTEN if self.current_days * 10 >= self.days * 6 else Currency.SELDOM

    @property
    def rhythm(self) -> Rhythm:
        if self.told_days * 5 >= self.days * 4:
            return Rhythm.DAILY
        if self.told_days * 5 >= self.days * 2:
            return Rhythm.SOMETIMES
        return Rhythm.WEEKLY if self.told_days * 7 >= self.days else Rhythm.RARELY


async def select_reliability(
    connection: Connection | Pool, home_id: str, now: datetime
) -> Reliability | None:
    """As it is `now`; None for a home that is not known, or whose history is too short."""
    row = await connection.fetchrow(
        """
        WITH hour AS (
          SELECT generate_series($2::timestamptz, $3::timestamptz - interval '1 hour',
                                 interval '1 hour') AS at
        ), day AS (
          SELECT greatest(day AT TIME ZONE 'Europe/Berlin', $2::timestamptz) AS since,
                 (day + interval '1 day') AT TIME ZONE 'Europe/Berlin' AS until
          FROM generate_series(date_trunc('day', $2::timestamptz AT TIME ZONE 'Europe/Berlin'),
                               $3::timestamptz AT TIME ZONE 'Europe/Berlin',
                               interval '1 day') AS day
        )
        SELECT (SELECT reported_at FROM report WHERE home_id = $1 AND kind <> 'amendment'
                ORDER BY reported_at LIMIT 1) AS first_at,
               (SELECT count(*) FROM hour, LATERAL (
                  SELECT observed_at FROM report
                  WHERE home_id = $1 AND kind <> 'amendment' AND reported_at <= at
                  ORDER BY reported_at DESC, revision DESC LIMIT 1) AS last
                -- Nothing said (the first report was undone) is null, and not current.
                WHERE at < observed_at + (SELECT make_interval(hours => fresh_hours)
                                          FROM care_home WHERE id = $1)) AS current_hours,
               (SELECT count(*) FROM day WHERE EXISTS (
                  SELECT FROM report WHERE home_id = $1 AND kind IN ('report', 'confirmation')
                  AND reported_at >= since AND reported_at < until
                  AND reported_at <= $3::timestamptz)) AS told,
               (SELECT max(reported_at) FROM (
                  SELECT reported_at, kind FROM report
                  WHERE home_id = $1 AND reported_at BETWEEN $2::timestamptz AND $3::timestamptz
                  ORDER BY reported_at DESC LIMIT $4) AS newest
                WHERE kind = 'undo') AS undone_at
        """,
        home_id,
        now - LOOKED_BACK,
        now,
        MOST_ENTRIES,
    )
    assert row is not None  # it asks for one
    if row["first_at"] is None or now - row["first_at"] < LEAST_HISTORY:
        return None
    days = min(LOOKED_BACK, now - row["first_at"]) // _DAY
    return Reliability(
        days=days,
        current_days=min(row["current_hours"] // 24, days),
        # A window of 30 times 24 hours touches 31 days.
        told_days=min(row["told"], days),
        undone_at=row["undone_at"],
    )
