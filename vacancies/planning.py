"""What the counted history (`rollups.py`) says of a part of the region, for planning.

Numbers of homes and places are averages over the days of a step that are counted: a month of
30 days in which 3 places were free on each has 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

import msgspec

from vacancies.database import Connection
from vacancies.models import StopReason
from vacancies.rollup_days import ALL

Step = Literal["day", "month"]
Group = Literal["first_day", "municipality", "care_form", "size"]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The days that are counted: `since` to `until`, but for `due` ones. Before
    `recorded_from` homes are taken to have been what they were then."""

    since: date
    until: date
    recorded_from: date
    due: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Which homes and days are asked for: those of municipalities whose key (AGS) begins with
    `municipality`, with `care_form` ("all": whatever they have), of `size` (None: of any). `first`
    and `last` are days; where the step is a month, whole months."""

    municipality: str
    first: date
    last: date
    step: Step
    care_form: str = ALL
    size: str | None = None


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Of a group: homes and places on the average of `days`. `by` is what it is grouped by."""

    by: tuple[date | str, ...]
    days: int
    homes: float
    told: float
    fresh: float
    current: float
    age_hours: float
    licensed: float
    counted: float
    taken: float
    free: float
    coming: float

    @property
    def occupancy(self) -> float | None:
        """Of places in homes with a current report and without an admission stop: the share that
        is not free. None where there is none."""
        return self.taken / self.counted if self.counted else None

    @property
    def told_share(self) -> float | None:
        """Of the homes: the share that reported on the day."""
        return self.told / self.homes if self.homes else None

    @property
    def current_share(self) -> float | None:
        """Of the homes: the share whose last report was not stale."""
        return self.current / self.homes if self.homes else None

    @property
    def age(self) -> float | None:
        """Of reports that are not stale: hours on the average."""
        return self.age_hours / self.current if self.current else None


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """Homes with an admission stop, and their licensed places, on the average of the days."""

    by: tuple[date | str, ...]
    reason: str
    homes: float
    licensed: float


# A day that is not counted yet is not in the sums: it is no day of its step either.
_DAYS = """
WITH step AS (
  SELECT date_trunc($5, d)::date AS first_day, count(*) AS days
  FROM generate_series($3::date::timestamp, $4::date::timestamp, interval '1 day') AS d
  JOIN planning_head ON d BETWEEN since AND until
  WHERE NOT EXISTS (SELECT FROM planning_due WHERE day = d AND NOT is_counted)
  GROUP BY 1
)
"""
# The range is what the key of the table can find; the policy of the desk comes on top.
_WHERE = """
WHERE step = $5 AND care_form = ANY($6::text[])
  AND municipality >= $1 AND municipality < $1 || ':'
  AND first_day BETWEEN date_trunc($5, $3::timestamp)::date AND $4
  AND ($2::text IS NULL OR size = $2)
"""
_MEASURES = tuple(name for name in Sums.__struct_fields__ if name not in ("by", "days"))


def _arguments(part: Part, care_forms: Sequence[str]) -> tuple[object, ...]:
    return part.municipality, part.size, part.first, part.last, part.step, list(care_forms)


def _averaged(sums: str, group: Sequence[Group]) -> str:
    """The query for `sums` with the days for which each of its rows stands: those of its step, or
    all. Summed first: to join every row with its days takes ten times as long."""
    if "first_day" in group:
        return f"{_DAYS} SELECT * FROM ({sums}) sums JOIN step USING (first_day)"
    return f"{_DAYS} SELECT *, (SELECT sum(days) FROM step)::integer AS days FROM ({sums}) sums"


async def select_head(connection: Connection) -> Head | None:
    """None before anything was counted."""
    row = await connection.fetchrow(
        "SELECT since, until, recorded_from, "
        " (SELECT count(*) FROM planning_due WHERE NOT is_counted) AS due"
        " FROM planning_head WHERE since <= until"
    )
    return None if row is None else Head(**row)


async def select_sums(
    connection: Connection, part: Part, *group: Group, care_forms: Sequence[str] = ()
) -> list[Sums]:
    """What was so on the average in each group, in its order. `care_forms` are asked for instead
    of the one of `part`."""
    by = ", ".join(group)
    measures = ", ".join(f"sum({name}) AS {name}" for name in _MEASURES)
    sums = f"SELECT {by}, {measures} FROM planning_rollup {_WHERE} GROUP BY {by}"
    rows = await connection.fetch(
        f"{_averaged(sums, group)} ORDER BY {by}",
        *_arguments(part, care_forms or (part.care_form,)),
    )
    return [
        Sums(
            by=tuple(row[name] for name in group),
            days=row["days"],
            **{name: row[name] / row["days"] for name in _MEASURES},
        )
        for row in rows
    ]


async def select_stops(connection: Connection, part: Part, *group: Group) -> list[Stop]:
    """The admission stops in each group, by reason."""
    by = ", ".join((*group, "reason"))
    sums = (
        f"SELECT {by}, sum(homes) AS homes, sum(licensed) AS licensed"
        f" FROM planning_stop {_WHERE} GROUP BY {by}"
    )
    rows = await connection.fetch(
        f"{_averaged(sums, group)} ORDER BY {by}", *_arguments(part, (part.care_form,))
    )
    return [
        Stop(
            by=tuple(row[name] for name in group),
            reason=row["reason"],
            homes=row["homes"] / row["days"],
            licensed=row["licensed"] / row["days"],
        )
        for row in rows
    ]


def whole(sums: Sequence[Sums], days: int) -> Sums | None:
    """The average over all `days`, from those of their steps; None where there are no homes."""
    if not sums:
        return None
    averages = {name: sum(getattr(s, name) * s.days for s in sums) / days for name in _MEASURES}
    return Sums(by=(), days=days, **averages)


async def select_days(connection: Connection, part: Part) -> dict[date, int]:
    """How many days of each step are counted."""
    rows = await connection.fetch(
        "SELECT date_trunc($3, d)::date AS first_day, count(*) AS days"
        " FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') AS d"
        " JOIN planning_head ON d BETWEEN since AND until"
        " WHERE NOT EXISTS (SELECT FROM planning_due WHERE day = d AND NOT is_counted) GROUP BY 1",
        part.first,
        part.last,
        part.step,
    )
    return {row["first_day"]: row["days"] for row in rows}


async def select_raw(connection: Connection, part: Part) -> list[dict[str, Any]]:
    """The counted history itself: sums over the `days` of each step, by municipality and size;
    `stop_…` are homes with an admission stop, `unstaffed` licensed places of those without
    staff."""
    days = await select_days(connection, part)
    arguments = _arguments(part, (part.care_form,))
    key = "first_day, municipality, care_form, size"
    stops: dict[tuple[Any, ...], dict[str, int]] = {}
    stop_rows = await connection.fetch(
        f"SELECT {key}, reason, homes, licensed FROM planning_stop {_WHERE}", *arguments
    )
    for *of, reason, homes, licensed in stop_rows:
        known = stops.setdefault(tuple(of), {})
        known[f"stop_{reason}"] = homes
        if reason == StopReason.STAFF:
            known["unstaffed"] = licensed
    none = dict.fromkeys([*(f"stop_{code}" for code in StopReason), "unstaffed"], 0)
    rows = await connection.fetch(
        f"SELECT step, {key}, {', '.join(_MEASURES)} FROM planning_rollup {_WHERE} ORDER BY {key}",
        *arguments,
    )
    return [
        {
            **dict(row),
            "days": days.get(row["first_day"], 0),
            **none,
            **stops.get(tuple(row[name] for name in key.split(", ")), {}),
        }
        for row in rows
    ]
