"""All benchmarks: what `scripts/bench` offers, in the order of the page."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from scripts.benchmarks.figures import Findings


@dataclass(frozen=True)
class Benchmark:
    """`measure(**options)` of the module of that name; the options with their defaults."""

    name: str
    sentence: str
    options: dict[str, Any]

    def measure(self, **options: Any) -> Findings:
        module = import_module(f"scripts.benchmarks.{self.name.replace('-', '_')}")
        found = module.measure(**{**self.options, **options})
        done: Findings = asyncio.run(found) if inspect.iscoroutine(found) else found
        return done


def _benchmark(name: str, sentence: str, **options: Any) -> Benchmark:
    return Benchmark(name, sentence, options)


BENCHMARKS = (
    _benchmark(
        "fan-out",
        "Many viewers of everything on one worker, beside Nchan.",
        viewers=5_000,
        seconds=3.0,
        runs=3,
    ),
    _benchmark(
        "idle",
        "Many viewers to whom nothing happens but heartbeats, beside Nchan.",
        viewers=10_000,
        intervals=1,
        runs=3,
    ),
    _benchmark(
        "push-to-viewer",
        "HTTP push → Postgres → Redis → stream, beside Nchan's publish → receive and an fsync.",
        viewers=1_000,
        pushes=100,
        runs=3,
    ),
    _benchmark(
        "workers",
        "What a second worker on the same deployment adds to the fan-out.",
        viewers=5_000,
        seconds=3.0,
        runs=3,
    ),
    _benchmark(
        "selective",
        "A change and those who watch it, each an own circle and filter, beside PostGIS and Redis.",
        viewers=10_000,
        runs=5,
    ),
    _benchmark(
        "search",
        "The nearest 50 homes with a free place, beside PostGIS and Redis; a search over HTTP.",
        homes=(20_000, 200_000, 1_000_000),
        served=12_000,
        runs=5,
    ),
    _benchmark(
        "ingest",
        "Reports a second: the store, calls of 500, and HTTP, beside the same by hand.",
        seconds=2.0,
        runs=5,
    ),
    _benchmark(
        "start",
        "Restart of a worker: until it is ready, and what its viewers get after it.",
        homes=(15_000, 100_000),
        runs=3,
    ),
    _benchmark(
        "first-page",
        "The finder in headless Chromium: server's time, bytes, time to list and map.",
        homes=15_000,
        runs=5,
    ),
    _benchmark(
        "interaction",
        "The finder in headless Chromium, in the hand: from each press to the next picture.",
        homes=15_000,
        runs=3,
    ),
    _benchmark(
        "planning",
        "Years of daily reports at a desk: its pages, beside the same asked of the history.",
        homes=3_000,
        years=5,
        runs=3,
    ),
    _benchmark(
        "scale",
        "Germany and the EU in a model, with unit costs measured here.",
        runs=3,
    ),
)
SENTENCES = {benchmark.name: benchmark.sentence for benchmark in BENCHMARKS}
