"""Regions with known truth, each made in another way; the method was fitted to none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scripts.lasting_record.homes import (
    Home,
    Hours,
    Places,
    Random,
    Stays,
    also_when_changed,
    changing,
    every_morning,
    flu,
    heavy_tailed,
    in_office_hours,
    log_normal,
    now_and_then,
    only_when_free,
    places,
    steady,
)

HISTORY_HOURS = 180 * 24.0
VIEWED_HOURS = 14 * 24.0
END_HOURS = HISTORY_HOURS + VIEWED_HOURS
HOMES = 300


@dataclass(frozen=True)
class Region:
    name: str
    says: str
    stays: Callable[[float], Stays]
    reports: Callable[[Random, Places], Hours]
    homes: int = HOMES


def _daily(random: Random, found: Places) -> Hours:
    return every_morning(random, END_HOURS, weekends=random.random() < 0.5)


def _mixed(random: Random, found: Places) -> Hours:
    """Daily, on weekdays, every third day or weekly."""
    days = int(random.choice([1, 1, 1, 2, 3, 7]))
    return every_morning(random, END_HOURS, weekends=days > 1 or random.random() < 0.5, days=days)


def _event(share: float) -> Callable[[Random, Places], Hours]:
    return lambda random, found: also_when_changed(random, _daily(random, found), found, share)


def _twice(random: Random, found: Places) -> Hours:
    morning = every_morning(random, END_HOURS, weekends=True)
    evening = every_morning(random, END_HOURS, weekends=True) + 9
    return also_when_changed(random, np.sort(np.concatenate((morning, evening))), found, 0.3)


REGIONS = (
    Region("steady", "Places go at any hour alike; daily reports.", steady, _daily),
    Region(
        "heavy-tailed",
        "Many go at once, some stay for weeks (Weibull, shape 0.6).",
        heavy_tailed,
        _daily,
    ),
    Region(
        "office hours",
        "Places go from Monday to Friday, 8 to 17.",
        lambda h: in_office_hours(steady(h)),
        _daily,
    ),
    Region(
        "mixed rhythms",
        "Daily, on weekdays, every second or third day, weekly.",
        heavy_tailed,
        _mixed,
    ),
    Region(
        "no rhythm",
        "Reports at random moments, every 30 hours on average.",
        steady,
        lambda r, f: now_and_then(r, END_HOURS, 30),
    ),
    Region(
        "seldom",
        "A report every ten days, at random moments.",
        steady,
        lambda r, f: now_and_then(r, END_HOURS, 240),
    ),
    Region(
        "reports changes (30 %)",
        "Daily, and 30 % of all changes within the hour.",
        steady,
        _event(0.3),
    ),
    Region(
        "reports changes (90 %)",
        "Daily, and 90 % of all changes within the hour.",
        heavy_tailed,
        _event(0.9),
    ),
    Region(
        "silent when full",
        "Daily, but nothing while nothing is free.",
        steady,
        lambda r, f: only_when_free(_daily(r, f), f),
    ),
    Region(
        "a third silent when full",
        "Daily, but a third of the homes say nothing while nothing is free.",
        steady,
        lambda r, f: only_when_free(_daily(r, f), f) if r.random() < 1 / 3 else _daily(r, f),
    ),
    Region(
        "market changed at 120 days",
        "Places then go three times as fast.",
        lambda h: changing(steady(h), steady(h / 3), 120 * 24),
        _daily,
    ),
    Region(
        "market changed at 170 days",
        "Places then go three times as fast.",
        lambda h: changing(steady(h), steady(h / 3), 170 * 24),
        _daily,
    ),
    Region("twelve homes", "Steady, but few.", steady, _daily, homes=12),
    # These four were added when the method and its limits stood.
    Region("log-normal", "Few go at once, few stay for long; mixed rhythms.", log_normal, _mixed),
    Region("flu", "For three weeks in ten places go four times as slowly.", flu, _daily),
    Region(
        "fast market",
        "Places go four times as fast.",
        lambda hours: steady(hours / 4),
        _daily,
    ),
    Region(
        "twice a day", "Two reports a day; 30 % of all changes within the hour.", steady, _twice
    ),
)


def made_homes(region: Region, seed: int, homes: int | None = None) -> list[Home]:
    """Homes differ: in size, in how many places are free, in how fast they go."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(homes or region.homes):
        licensed = int(random.choice([20, 50, 60, 100, 120]))
        mean_free = licensed / 60 * random.lognormal(0, 0.4)
        stay_hours = 120 * random.lognormal(0, 0.5)
        one = places(random, END_HOURS, mean_free, region.stays(stay_hours))
        found.append(Home(licensed, one, region.reports(random, one)))
    return found
