"""How reliable the reports of a home have been, from the history of what it has said.

A listing is current while the last thing that the home had said was fresh by the policy of its
municipality (today's policy: older ones are not kept). So many of the last 30 days, added up by
time and rounded down, it was current; a day with a report at noon, and none the next day, is a
day and not two.

Nothing is said of a home whose first report is less than 14 days old, and of a day before the
first report. How often it reports counts the days (Europe/Berlin) on which it reported or
confirmed, whatever the way: what software sends hundreds of times a day is one day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from vacancies.database import Connection, Pool

LOOKED_BACK = timedelta(days=30)
LEAST_HISTORY = timedelta(days=14)
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
        WITH told AS (
          (SELECT kind, reported_at, observed_at, revision FROM report
           WHERE home_id = $1 AND kind <> 'amendment' AND reported_at < $2
           ORDER BY reported_at DESC, revision DESC LIMIT 1)
          UNION ALL
          SELECT kind, reported_at, observed_at, revision FROM report
          WHERE home_id = $1 AND kind <> 'amendment' AND reported_at BETWEEN $2 AND $3
        ), span AS (
          SELECT kind, reported_at, observed_at, greatest(reported_at, $2) AS since,
                 least(lead(reported_at, 1, $3) OVER (ORDER BY reported_at, revision),
                       observed_at + (SELECT make_interval(hours => fresh_hours)
                                      FROM care_home WHERE id = $1)) AS until
          FROM told
        )
        SELECT (SELECT reported_at FROM report WHERE home_id = $1 AND kind <> 'amendment'
                ORDER BY reported_at LIMIT 1) AS first_at,
               -- Where nothing had been said (an undo of the first report), nothing was current.
               coalesce(sum(until - since) FILTER (WHERE until > since
                                                   AND observed_at IS NOT NULL),
                        interval '0') AS current_for,
               count(DISTINCT (reported_at AT TIME ZONE 'Europe/Berlin')::date)
                 FILTER (WHERE reported_at >= $2 AND kind IN ('report', 'confirmation')) AS told,
               max(reported_at) FILTER (WHERE reported_at >= $2 AND kind = 'undo') AS undone_at
        FROM span
        """,
        home_id,
        now - LOOKED_BACK,
        now,
    )
    assert row is not None  # an aggregate has one row
    if row["first_at"] is None or now - row["first_at"] < LEAST_HISTORY:
        return None
    days = min(LOOKED_BACK, now - row["first_at"]) // _DAY
    return Reliability(
        days=days,
        current_days=min(row["current_for"] // _DAY, days),
        # A window of 30 times 24 hours touches 31 days.
        told_days=min(row["told"], days),
        undone_at=row["undone_at"],
    )
