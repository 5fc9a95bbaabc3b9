"""A day of a deployment, reckoned and simulated event by event.

Every web process applies and matches every change, but serves only its share of the viewers; so
some load falls with the number of processes, some does not, and what Redis sends grows with it.
Reports queue for the head of the revisions, then each change and each viewer who comes for one of
the processes, all of which are alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from scripts.benchmarks.unit_costs import UnitCosts

Floats = NDArray[np.float64]

# Assumptions. Hours begin at midnight; reports are shares of the day, viewers of the most.
REPORTS_PER_HOME = 4
REPORTS = np.array([1] * 6 + [3, 6, 10, 12, 12, 10, 7, 8, 8, 7, 5, 3, 2] + [1] * 5) / 104
VIEWERS = np.array(
    [5] * 6 + [20, 45, 80, 95, 100, 95, 80, 85, 90, 85, 70, 60, 55, 50, 40, 30, 15, 5]
)
PEAK_HOUR = 10
PEAK = 10  # times the reports, in that hour
STREAM_SECONDS = 600  # then the browser comes again
VISIT_SECONDS = 600
HEARTBEAT_SECONDS = 15
RETRY_SECONDS = (0.5, 3.0)  # until the viewers of a lost process come again
NETWORK_SECONDS = 0.0005  # a hop between machines; a commit or a message takes two
LOAD = 0.5
MOST_VIEWERS = 20_000  # of a process
CONNECTIONS = 8  # of a process to Postgres, at most
NODE_BYTES = 1.25e9  # a second: 10 Gbit/s


@dataclass(frozen=True)
class Scenario:
    name: str
    homes: int
    viewers: int

    def reports(self, hour: int) -> float:
        """A second."""
        peak = PEAK if hour == PEAK_HOUR else 1
        return float(self.homes * REPORTS_PER_HOME * REPORTS[hour] / 3600 * peak)

    def watching(self, hour: int) -> float:
        return float(self.viewers * VIEWERS[hour] / 100)


@dataclass(frozen=True)
class Model:
    scenario: Scenario
    costs: UnitCosts

    @property
    def receive(self) -> float:
        """Seconds of each process for each change, however many processes there are."""
        return self.costs.receive[self.scenario.homes] + self.costs.match

    def matches(self, viewers: float) -> float:
        """Of a change, among so many viewers."""
        return viewers * self.costs.homes_per_search / self.scenario.homes

    @property
    def join(self) -> float:
        return self.costs.join + self.costs.join_on[self.scenario.homes]

    @property
    def search(self) -> float:
        return self.costs.search + self.costs.search_on[self.scenario.homes]

    def joins(self, viewers: float) -> float:
        """A second: who comes newly, and whose stream has ended."""
        return viewers / VISIT_SECONDS + viewers / STREAM_SECONDS

    def load(self, workers: int, hour: int = PEAK_HOUR, growth: float = 1.0) -> float:
        """Share of its core that each process needs."""
        costs, reports = self.costs, growth * self.scenario.reports(hour)
        viewers = growth * self.scenario.watching(hour) / workers
        change = self.receive + viewers * costs.match_per_viewer
        change += self.matches(viewers) * (costs.match_per_match + costs.frame)
        steady = viewers / HEARTBEAT_SECONDS * costs.frame + self.joins(viewers) * self.join
        requests = viewers / VISIT_SECONDS * self.search + reports / workers * costs.report
        return reports * change + steady + requests

    def workers(self, growth: float = 1.0) -> int | None:
        """The fewest at `LOAD`, of which one may be lost; None if no number is enough."""
        if growth * self.scenario.reports(PEAK_HOUR) * self.receive >= LOAD:
            return None
        fewest = 1 + math.ceil(growth * self.scenario.viewers / MOST_VIEWERS)
        if self.load(fewest, growth=growth) <= LOAD:
            return fewest
        most: int = next(2**n for n in count(1) if self.load(2**n, growth=growth) <= LOAD)
        while most - fewest > 1:
            middle = (fewest + most) // 2
            if self.load(middle, growth=growth) <= LOAD:
                most = middle
            else:
                fewest = middle
        return most

    def redis_core(self, workers: int, growth: float = 1.0) -> float:
        reports = growth * self.scenario.reports(PEAK_HOUR)
        return reports * (self.costs.publish + workers * self.costs.subscriber)

    def redis_bytes(self, workers: int, growth: float = 1.0) -> float:
        return growth * self.scenario.reports(PEAK_HOUR) * workers * self.costs.message_bytes

    def head(self, growth: float = 1.0) -> float:
        """How much of the time the head of the revisions is held: reports of different
        processes share no commit."""
        return growth * self.scenario.reports(PEAK_HOUR) * self.commit

    @property
    def commit(self) -> float:
        return self.costs.commit + self.costs.per_report + 2 * NETWORK_SECONDS

    def limits(self) -> dict[str, float]:
        """How many times this peak each part bears, with as many processes as that needs; what
        comes after the web processes' own limit is left out."""
        bears: dict[str, Callable[[int, float], bool]] = {
            "one commit after the other in Postgres": lambda n, g: self.head(g) < 1,
            "the core of one Redis": lambda n, g: self.redis_core(n, g) < 1,
            "10 Gbit/s of one Redis": lambda n, g: self.redis_bytes(n, g) < NODE_BYTES,
        }
        growths = np.geomspace(0.1, 10_000, 401).tolist()
        needed = [(g, n) for g in growths if (n := self.workers(g)) is not None]
        last = needed[-1][0]
        found = {"what every web process does for every change": last}
        for name, bear in bears.items():
            if (times := max((g for g, n in needed if bear(n, g)), default=0.0)) < last:
                found[name] = times
        return found


def waits(arrivals: Floats, services: Floats) -> Floats:
    """Seconds that each waits for its turn, one after the other (Lindley)."""
    idle = np.cumsum(services[:-1] - np.diff(arrivals))
    total = np.concatenate([[0.0], idle])
    return total - np.minimum.accumulate(total)


def poisson(random: np.random.Generator, rate: float, seconds: float) -> Floats:
    return np.sort(random.uniform(0, seconds, random.poisson(rate * seconds)))


def hour_delays(
    model: Model, workers: int, hour: int, random: np.random.Generator, *, lost: bool = False
) -> Floats:
    """Seconds from a report to the frame at a viewer, for viewers of one process in an hour;
    with `lost`, for the minute after another process was lost, whose viewers come too."""
    costs, scenario = model.costs, model.scenario
    seconds = 60.0 if lost else 3600.0
    viewers = scenario.watching(hour) / workers
    reports = poisson(random, scenario.reports(hour), seconds)
    commits = random.exponential(model.commit, len(reports))
    written = waits(reports, commits) + commits if len(reports) else commits
    told = reports + written + costs.hop + 2 * NETWORK_SECONDS
    matches = random.poisson(model.matches(viewers), len(reports))
    first = model.receive + viewers * costs.match_per_viewer + matches * costs.match_per_match
    joins = poisson(random, model.joins(viewers), seconds)
    if lost and workers > 1:
        again = random.uniform(*RETRY_SECONDS, int(viewers / (workers - 1)))
        joins = np.concatenate([joins, again])
    pages = poisson(random, viewers / VISIT_SECONDS + scenario.reports(hour) / workers, seconds)
    times = np.concatenate([told, joins, pages])
    services = np.concatenate(
        [
            first + matches * costs.frame,
            np.full(len(joins), model.join),
            np.full(len(pages), max(model.search, costs.report)),
        ]
    )
    services /= 1 - min(0.9, viewers / HEARTBEAT_SECONDS * costs.frame)  # meanwhile heartbeats
    order = np.argsort(times, kind="stable")
    waited = np.empty(len(times))
    waited[order] = waits(times[order], services[order]) if len(times) else 0.0
    seen = np.repeat(np.arange(len(told)), np.minimum(matches, 5))
    place = random.uniform(0, 1, len(seen)) * matches[seen] * costs.frame
    return (told - reports + waited[: len(told)] + first)[seen] + place
