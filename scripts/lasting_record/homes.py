"""Made-up homes whose truth is known: when places come free and go, and when the home reports.

Nothing in here is known to `vacancies/lasting.py`. Times are hours since a Monday, 00:00.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import gamma, log

import numpy as np
from numpy.typing import NDArray

Hours = NDArray[np.float64]
Random = np.random.Generator
# How long so many places stay free, each from its hour on.
Stays = Callable[[Random, Hours], Hours]

WEEK_HOURS = 168.0


@dataclass(frozen=True)
class Places:
    """The free places of a home: `counts[i]` of them from the hour `at[i]` on."""

    at: Hours
    counts: NDArray[np.int64]

    def free(self, hours: Hours) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self.counts[np.searchsorted(self.at, hours, side="right") - 1]
        return found

    def changes(self) -> Hours:
        return self.at[1:]


@dataclass(frozen=True)
class Home:
    """`reports` are hours at which the home says how many places are free."""

    licensed: int
    places: Places
    reports: Hours


def places(random: Random, until: float, mean_free: float, stays: Stays) -> Places:
    """Places come free at random moments, so that about `mean_free` are free at a time, and each
    goes when `stays` says."""
    lead = 1_000.0  # long enough to forget that it began empty
    average = float(np.mean(stays(random, random.uniform(0, WEEK_HOURS, 2_000))))
    come = -lead + np.cumsum(
        random.exponential(average / mean_free, int(2 * (until + lead) * mean_free / average) + 20)
    )
    come = come[come < until]
    go = come + stays(random, come)
    at = np.concatenate((come, go))
    steps = np.concatenate((np.ones(len(come)), -np.ones(len(go))))
    order = np.argsort(at, kind="stable")
    counts = np.cumsum(steps[order]).astype(np.int64)
    return Places(np.concatenate(([-np.inf], at[order])), np.concatenate(([0], counts)))


def steady(mean_hours: float) -> Stays:
    """Exponential: a place goes at any hour alike."""
    return lambda random, come: random.exponential(mean_hours, len(come))


def heavy_tailed(mean_hours: float, shape: float = 0.6) -> Stays:
    """Weibull with a shape under one: many go at once, some stay for weeks."""
    scale = mean_hours / gamma(1 + 1 / shape)
    return lambda random, come: scale * random.weibull(shape, len(come))


def log_normal(mean_hours: float, sigma: float = 1.0) -> Stays:
    """Few go in the first hours, most around the same time, few stay for long."""
    mu = log(mean_hours) - sigma**2 / 2
    return lambda random, come: random.lognormal(mu, sigma, len(come))


def flu(mean_hours: float) -> Stays:
    """Three weeks in ten nobody moves: places stay four times as long."""

    def stays(random: Random, come: Hours) -> Hours:
        slow = np.where((come // WEEK_HOURS) % 10 < 3, 4.0, 1.0)
        return slow * random.exponential(mean_hours, len(come))

    return stays


def in_office_hours(stays: Stays) -> Stays:
    """Places go from Monday to Friday, 8 to 17 o'clock, else with the next office hours."""

    def delayed(random: Random, come: Hours) -> Hours:
        go = come + stays(random, come)
        day, hour = np.floor(go / 24), go % 24
        day = np.where(hour > 17, day + 1, day)
        is_out = (hour > 17) | (hour < 8)
        weekday = day % 7
        is_weekend = weekday >= 5
        day = np.where(is_weekend, day + 7 - weekday, day)
        moved = day * 24 + random.uniform(8, 17, len(go))
        return np.where(is_out | is_weekend, moved, go) - come

    return delayed


def changing(before: Stays, after: Stays, at_hours: float) -> Stays:
    """Another market from `at_hours` on."""
    return lambda random, come: np.where(come < at_hours, before(random, come), after(random, come))


def every_morning(random: Random, until: float, *, weekends: bool, days: int = 1) -> Hours:
    """Between 8 and 10 o'clock every `days` days, or from Monday to Friday only."""
    days_at = np.arange(int(random.integers(days)), int(until / 24), days)
    if not weekends:
        days_at = days_at[days_at % 7 < 5]
    days_at = days_at[random.random(len(days_at)) > 0.05]  # now and then it is forgotten
    return days_at * 24 + 9 + random.uniform(-1, 1, len(days_at))


def now_and_then(random: Random, until: float, mean_hours: float) -> Hours:
    """Without any rhythm."""
    at = np.cumsum(random.exponential(mean_hours, int(2 * until / mean_hours) + 20))
    return at[at < until]


def also_when_changed(random: Random, planned: Hours, found: Places, share: float) -> Hours:
    """A `share` of all changes is reported within about an hour."""
    changes = found.changes()
    changes = changes[(changes > 0) & (random.random(len(changes)) < share)]
    at = np.sort(np.concatenate((planned, changes + random.exponential(1.0, len(changes)))))
    return at[np.concatenate(([True], np.diff(at) > 0.1))] if len(at) else at


def only_when_free(planned: Hours, found: Places) -> Hours:
    """Whoever has nothing free says nothing."""
    return planned[found.free(planned) > 0]
