"""Germany and the EU on paper: `scale_model.py` with unit costs measured in the same run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

import numpy as np

from scripts.benchmarks.figures import Figure, Findings, Plot, figure
from scripts.benchmarks.scale_model import (
    CONNECTIONS,
    LOAD,
    PEAK_HOUR,
    Model,
    Scenario,
    hour_delays,
)
from scripts.benchmarks.unit_costs import HOMES, UnitCosts, probe

SCENARIOS = (
    Scenario("Germany", HOMES[0], 10_000),
    Scenario("Germany, 10 × viewers", HOMES[0], 100_000),
    Scenario("EU", HOMES[1], 1_000_000),
)


def measure(runs: int = 3) -> Findings:
    """Probe and simulate so many times."""
    models = []
    for run in range(1, runs + 1):
        print(f"Probing unit costs, {run} of {runs}.", file=sys.stderr)
        models.append(asyncio.run(probe(run)))
    found = Findings(_unit_figures(models))
    for scenario in SCENARIOS:
        print(f"Simulating a day: {scenario.name}.", file=sys.stderr)
        _add_scenario(found, [Model(scenario, costs) for costs in models])
    found.plots = _plots(models)
    return found


def _plain(name: str, values: Sequence[float], unit: str) -> Figure:
    return figure(name, values, [], unit, "")


def _unit_figures(models: Sequence[UnitCosts]) -> list[Figure]:
    def of(name: str, cost: Callable[[UnitCosts], float], unit: str = "µs") -> Figure:
        return _plain(f"unit: {name}", [cost(costs) * 1e6 for costs in models], unit)

    return [
        of(f"change on a board of {HOMES[0]:,}", lambda c: c.receive[HOMES[0]]),
        of(f"change on a board of {HOMES[1]:,}", lambda c: c.receive[HOMES[1]]),
        of("match, alone", lambda c: c.match),
        of("match, more for 1,000 viewers", lambda c: c.match_per_viewer * 1_000),
        of("match, more for each match", lambda c: c.match_per_match),
        of("frame to a viewer", lambda c: c.frame),
        of("viewer who comes", lambda c: c.join + c.join_on[HOMES[0]]),
        of("search over HTTP", lambda c: c.search + c.search_on[HOMES[0]]),
        of("report over HTTP", lambda c: c.report),
        of("commit (clock)", lambda c: c.commit),
        of("report in a batch (clock)", lambda c: c.per_report),
        of("Redis, a publish", lambda c: c.publish),
        of("Redis, each subscriber", lambda c: c.subscriber),
        _plain("unit: viewer", [c.viewer_bytes / 1e3 for c in models], "kB"),
        _plain("unit: home on the board", [c.home_bytes / 1e3 for c in models], "kB"),
    ]


def _add_scenario(found: Findings, models: Sequence[Model]) -> None:
    scenario = models[0].scenario
    workers = [model.workers() or 0 for model in models]
    pairs = list(zip(models, workers, strict=True))
    days, peaks, losses = [], [], []
    for seed, (model, n) in enumerate(pairs):
        random = np.random.default_rng(seed)
        hours = [hour_delays(model, n, hour, random) * 1e3 for hour in range(24)]
        days.append(np.concatenate(hours))
        peaks.append(hours[PEAK_HOUR])
        after = [hour_delays(model, n, PEAK_HOUR, random, lost=True) for _ in range(20)]
        losses.append(np.concatenate(after))
    peak, watching = scenario.reports(PEAK_HOUR), scenario.watching(PEAK_HOUR)
    values: list[tuple[str, list[float], str]] = [
        (f"web processes at {LOAD:.0%}", [float(n) for n in workers], ""),
        ("their load at the peak", [m.load(n) * 100 for m, n in pairs], "% of a core"),
        ("viewers of each", [watching / n for n in workers], ""),
        ("reports at the peak", [peak], "/s"),
        ("frames at the peak", [peak * m.matches(watching) for m in models], "/s"),
        ("viewers who come at the peak", [models[0].joins(watching)], "/s"),
        ("report to viewer, day, p50", [float(np.median(day)) for day in days], "ms"),
        ("report to viewer, day, p99", [float(np.quantile(day, 0.99)) for day in days], "ms"),
        ("report to viewer, peak, p99", [float(np.quantile(p, 0.99)) for p in peaks], "ms"),
        ("the minute after a loss, p99", [float(np.quantile(x, 0.99)) * 1e3 for x in losses], "ms"),
        (
            "all come again after a restart",
            [watching / n * m.join for m, n in pairs],
            "s",
        ),
        ("Redis messages in", [peak], "/s"),
        ("Redis bytes out", [m.redis_bytes(n) / 1e6 for m, n in pairs], "MB/s"),
        ("Redis core", [m.redis_core(n) * 100 for m, n in pairs], "%"),
        ("Postgres writes", [peak], "/s"),
        ("Postgres, commits in a row", [m.head() * 100 for m in models], "%"),
        ("Postgres, followers' questions", [float(2 * n) for n in workers], "/s"),
        ("Postgres connections, at most", [float(n * CONNECTIONS) for n in workers], ""),
        ("memory of a web process", [_memory(m, n) / 1e6 for m, n in pairs], "MB"),
        ("memory of all", [_memory(m, n) * n / 1e9 for m, n in pairs], "GB"),
        (
            "to viewers",
            [peak * m.matches(watching) * m.costs.frame_bytes * 8 / 1e6 for m in models],
            "Mbit/s",
        ),
    ]
    found.figures += [
        _plain(f"{scenario.name}: {name}", numbers, unit) for name, numbers, unit in values
    ]
    limits = sorted(models[0].limits().items(), key=lambda limit: limit[1])
    parts = "; ".join(f"{name}, at {times:,.0f} times" for name, times in limits)
    found.notes.append(f"{scenario.name}, reports and viewers growing, gives way first: {parts}.")


def _memory(model: Model, workers: int) -> float:
    costs = model.costs
    viewers = model.scenario.viewers / workers
    return (
        costs.worker_bytes + model.scenario.homes * costs.home_bytes + viewers * costs.viewer_bytes
    )


def _plots(models: Sequence[UnitCosts]) -> list[Plot]:
    needed: dict[str, list[tuple[float, float]]] = {}
    sent: dict[str, list[tuple[float, float]]] = {}
    for homes in HOMES:
        label = f"{homes:,} homes"
        needed[label], sent[label] = [], []
        for viewers in np.geomspace(1e3, 1e7, 25).tolist():
            model = Model(Scenario(label, homes, int(viewers)), models[0])
            if (workers := model.workers()) is not None:
                needed[label].append((viewers, float(workers)))
                sent[label].append((viewers, model.redis_bytes(workers) / 1e6))
    return [
        Plot(name, title, "viewers", unit, series, log_x=True, log_y=True)
        for name, title, unit, series in (
            ("scale-workers", "Web processes needed at the peak", "processes", needed),
            ("scale-redis", "What one Redis sends at the peak", "MB/s", sent),
        )
    ]
