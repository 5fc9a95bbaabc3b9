"""Homes with a past and a history, stored, and what was counted of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from vacancies.database import Pool, borrowed
from vacancies.lasting import size_of
from vacancies.rollup_days import count_days

DAY = timedelta(days=1)
MEASURES = (
    *("homes", "told", "fresh", "current", "age_hours"),
    *("licensed", "counted", "taken", "free", "coming"),
)


@dataclass
class Told:
    kind: str
    observed_at: datetime | None
    reported_at: datetime
    lines: list[dict[str, Any]]


@dataclass
class Past:
    """What a home is from a day on."""

    from_day: date
    municipality: str
    is_open: bool
    capacity: dict[str, int]
    ageing_hours: int = 72
    stop: tuple[str, date | None] | None = None
    is_frozen: bool = False


@dataclass
class Home:
    past: list[Past]
    told: list[Told] = field(default_factory=list)


async def store(pool: Pool, homes: dict[str, Home]) -> None:
    past = [
        (
            *(home_id, each.from_day, each.municipality, each.is_open, each.is_frozen),
            *(json.dumps(each.capacity), size_of(sum(each.capacity.values()))),
            *(24, each.ageing_hours),
            *(each.stop or (None, None)),
        )
        for home_id, home in homes.items()
        for each in home.past
    ]
    await pool.copy_records_to_table("home_past", records=past)
    rows = sorted(
        (told.reported_at, home_id, told) for home_id, home in homes.items() for told in home.told
    )
    await pool.copy_records_to_table(
        "report",
        columns=["home_id", "revision", "kind", "observed_at", "reported_at", "vacancies"],
        records=[
            (home_id, n, told.kind, told.observed_at, told.reported_at, json.dumps(told.lines))
            for n, (_, home_id, told) in enumerate(rows, 1)
        ],
    )


async def stored(pool: Pool, step: str = "day") -> dict[tuple[Any, ...], Counter[str]]:
    found: dict[tuple[Any, ...], Counter[str]] = {}
    for row in await pool.fetch("SELECT * FROM planning_rollup WHERE step = $1", step):
        key = (row["care_form"], row["municipality"], row["first_day"], row["size"])
        found[key] = Counter({name: row[name] for name in MEASURES})
    for row in await pool.fetch("SELECT * FROM planning_stop WHERE step = $1", step):
        stop = (row["care_form"], row["municipality"], row["first_day"], row["size"], row["reason"])
        found[stop] = Counter({name: row[name] for name in ("homes", "licensed")})
    return found


def by_month(days: dict[tuple[Any, ...], Counter[str]]) -> dict[tuple[Any, ...], Counter[str]]:
    months: dict[tuple[Any, ...], Counter[str]] = {}
    for (form, town, day, *rest), sums in days.items():
        months.setdefault((form, town, day.replace(day=1), *rest), Counter()).update(sums)
    return months


async def count(pool: Pool, first: date, last: date) -> None:
    """Month by month."""
    day = first
    while day <= last:
        end = min(last, (day.replace(day=1) + 32 * DAY).replace(day=1) - DAY)
        async with borrowed(pool) as connection, connection.transaction():
            await count_days(connection, day, end)
        day = end + DAY
