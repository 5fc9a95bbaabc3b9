"""Days counted by Postgres, against the same counted plainly in Python."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.vacancies.counted_homes import DAY, Home, Past, Told, by_month, count, store, stored
from vacancies.database import Pool
from vacancies.lasting import size_of
from vacancies.listings import local_date, midnight
from vacancies.rollup_days import ALL

HOUR = timedelta(hours=1)
# The clocks go back on the last Sunday of October, and forth on that of March.
FIRST, LAST = date(2025, 10, 20), date(2025, 11, 6)
SPRING = date(2026, 3, 24), date(2026, 4, 3)


def naive(homes: dict[str, Home], first: date, last: date) -> dict[tuple[Any, ...], Counter[str]]:
    """Sums by care form, municipality, day and size, and of stops with the reason behind."""
    sums: dict[tuple[Any, ...], Counter[str]] = {}
    for home in homes.values():
        day = first
        while day <= last:
            count_home(home, day, sums)
            day += DAY
    return sums


def count_home(home: Home, day: date, sums: dict[tuple[Any, ...], Counter[str]]) -> None:
    known = [past for past in home.past if past.from_day <= day]
    if not known or not known[-1].is_open:
        return
    past, ends_at = known[-1], midnight(day + DAY)
    stop = past.stop if past.stop and (past.stop[1] is None or past.stop[1] >= day) else None
    said = [t for t in home.told if t.observed_at is None or t.observed_at < ends_at]
    word = said[-1] if said else None
    age = ends_at - word.observed_at if word and word.observed_at else None
    if age is not None and (age >= past.ageing_hours * HOUR or past.is_frozen):
        age = None
    lines = word.lines if word and age is not None else []
    forms = {form for form, places in past.capacity.items() if places > 0}
    forms |= {line["care_form"] for line in lines}
    size = size_of(sum(past.capacity.values()))
    every = Counter[str]()
    for form in forms:
        licensed = past.capacity.get(form, 0)
        free = 0 if stop else places_on(lines, form, day, later=False)
        counted = licensed if age is not None and not stop else 0
        places = {
            "licensed": licensed,
            "free": free,
            "coming": 0 if stop else places_on(lines, form, day, later=True),
            "counted": counted,
            "taken": max(licensed - free, 0) if counted else 0,
        }
        every.update(places)
        add(sums, (form, past.municipality, day, size), places, home, day, age, past.is_frozen)
        if stop:
            stopped(sums, (form, past.municipality, day, size, stop[0]), licensed)
    add(sums, (ALL, past.municipality, day, size), every, home, day, age, past.is_frozen)
    if stop:
        stopped(sums, (ALL, past.municipality, day, size, stop[0]), every["licensed"])


def places_on(lines: list[dict[str, Any]], form: str, day: date, *, later: bool) -> int:
    return sum(
        line["count"]
        for line in lines
        if line["care_form"] == form
        and date.fromisoformat(line.get("available_until") or "9999-12-31") >= day
        and (date.fromisoformat(line.get("available_from") or "0001-01-01") > day) is later
    )


def add(
    sums: dict[tuple[Any, ...], Counter[str]],
    key: tuple[Any, ...],
    places: dict[str, int],
    home: Home,
    day: date,
    age: timedelta | None,
    is_frozen: bool,
) -> None:
    sum_ = sums.setdefault(key, Counter())
    sum_.update(places)
    sum_.update(
        homes=1,
        told=int(has_told(home, day) and not is_frozen),
        fresh=int(age is not None and age < 24 * HOUR),
        current=int(age is not None),
        age_hours=age // HOUR if age is not None else 0,
    )


def stopped(sums: dict[tuple[Any, ...], Counter[str]], key: tuple[Any, ...], places: int) -> None:
    sums.setdefault(key, Counter()).update(homes=1, licensed=places)


def has_told(home: Home, day: date) -> bool:
    """What was taken back was not said."""
    return any(
        told.kind in ("report", "confirmation")
        and told.observed_at is not None
        and local_date(told.observed_at) == day
        and not (following and following[0].kind == "undo")
        for told, *following in zip(home.told, home.told[1:], strict=False)
    ) or bool(
        home.told
        and home.told[-1].kind in ("report", "confirmation")
        and home.told[-1].observed_at is not None
        and local_date(home.told[-1].observed_at) == day
    )


def made_up(dice: random.Random, first: date, last: date) -> Home:
    """A home that changes, and reports in every way: late, twice, taken back, not for days."""
    towns = ["05754008", "05754028", "05711000", ""]
    capacity = dice.choice(
        [{}, {"long_term": 24}, {"long_term": 70, "short_term": 6}, {"long_term": 120, "day": 0}]
    )
    past = Past(first - dice.choice([9, 0, -4]) * DAY, dice.choice(towns), True, capacity)
    home = Home([past])
    while (day := home.past[-1].from_day + dice.choice([2, 5, 20]) * DAY) <= last:
        stop = dice.choice([None, ("staff", None), ("infection", day + dice.randrange(4) * DAY)])
        town = dice.choice([past.municipality, past.municipality, dice.choice(towns)])
        hours = dice.choice([72, 72, 30])
        is_open, is_frozen = dice.random() > 0.1, dice.random() < 0.1
        home.past.append(Past(day, town, is_open, capacity, hours, stop, is_frozen))
    at = midnight(first) - 90 * HOUR + dice.random() * 24 * HOUR
    while at < midnight(last + DAY):
        say(dice, home, at)
        at += dice.choices([24, 12, 80, 0.3, 150], [9, 3, 2, 2, 1])[0] * HOUR * dice.uniform(0.9, 1)
    return home


def say(dice: random.Random, home: Home, at: datetime) -> None:
    before = home.told[-1] if home.told else Told("", None, at, [])
    observed = at - dice.choice([0, 0, 0, 7, 40]) * HOUR
    if dice.random() < 0.05:
        observed = midnight(local_date(at))  # to the very moment at which a day begins
    if before.observed_at is not None:
        observed = max(observed, before.observed_at)
    if dice.random() < 0.35 and before.observed_at is not None:
        home.told.append(Told("confirmation", observed, at, before.lines))
    else:
        home.told.append(Told("report", observed, at, lines_of(dice, at)))
    if dice.random() < 0.12:
        home.told.append(Told("undo", before.observed_at, at + HOUR / 60, before.lines))


def lines_of(dice: random.Random, at: datetime) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for _ in range(dice.choice([0, 1, 1, 2, 3])):
        form = dice.choice(["long_term", "long_term", "short_term"])
        line: dict[str, Any] = {"care_form": form, "count": dice.choice([0, 1, 1, 2, 4])}
        for name in ("available_from", "available_until"):
            if dice.random() < 0.2:
                line[name] = (local_date(at) + dice.choice([-1, 0, 1, 2, 5]) * DAY).isoformat()
        lines.append(line)
    return lines


@pytest.mark.parametrize("seed", range(8))
async def test_days_are_those_that_python_counts(pool: Pool, seed: int) -> None:
    dice = random.Random(seed)
    first, last = SPRING if seed % 2 else (FIRST, LAST)
    homes = {f"h{n}": made_up(dice, first, last) for n in range(12)}
    await store(pool, homes)
    await count(pool, first, last)
    expected = naive(homes, first, last)
    found = await stored(pool)
    assert found == expected
    assert any(sums["coming"] for sums in found.values())
    assert any(len(key) == 5 for key in found)
    assert await stored(pool, "month") == by_month(expected)

    # Once more, and one day alone: nothing is counted twice.
    await count(pool, first + 3 * DAY, first + 3 * DAY)
    assert await stored(pool) == expected
    assert await stored(pool, "month") == by_month(expected)
