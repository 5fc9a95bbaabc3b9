"""What `serve --workers 2` carries beside one worker: events to viewers, and searches. Clients
and database run on the same cores."""

from __future__ import annotations

import sys

from providers.demo import CENTRE
from scripts.benchmarks.crowd import OURS, crowd
from scripts.benchmarks.figures import Findings, Plot, figure
from scripts.benchmarks.homes import Region, region
from scripts.benchmarks.load import Load, report
from scripts.benchmarks.program import command, data_folder, serving
from scripts.benchmarks.search_http import request_rate

RATE = 100
COUNTS = (1, 2)
HOMES = 12_000
REQUESTS = 4_000
CONNECTIONS = 64  # a worker that is awake takes all that come at once: a few may all be its own


async def measure(viewers: int, seconds: float, runs: int) -> Findings:
    loads: dict[int, list[Load]] = {count: [] for count in COUNTS}
    changes = round(RATE * seconds)
    async with data_folder() as environ, region(environ, changes) as homes:
        for number in range(runs):
            print(f"run {number + 1} of {runs}", file=sys.stderr)
            for count, found in loads.items():
                found.append(await _run(environ, homes, count, viewers, changes))
    searches = await _searches(runs)
    rates = {count: [load.delivered.per_second for load in loads[count]] for count in COUNTS}
    tails = {count: [load.delivered.latency_ms(99) for load in loads[count]] for count in COUNTS}
    spent = {
        count: [100 * load.cpu_seconds / load.delivered.seconds for load in loads[count]]
        for count in COUNTS
    }
    one = "one worker"
    return Findings(
        [
            figure("searches by two workers", searches[2], searches[1], "requests/s", one),
            figure("delivered by two workers", rates[2], rates[1], "events/s", one),
            figure("p99 with two workers", tails[2], tails[1], "ms", one),
            figure("CPU of two workers", spent[2], spent[1], "% of a core", one),
        ],
        [
            Plot(
                "delivered",
                f"{viewers:,} viewers, {RATE} changes a second",
                "workers",
                "events a second",
                {"delivered": [(count, sorted(rates[count])[runs // 2]) for count in COUNTS]},
            )
        ],
        [
            (
                "The viewers, the publisher and the database run on the same cores as the"
                " workers, and compete with them where there are only two."
            )
        ],
    )


async def _searches(runs: int) -> dict[int, list[float]]:
    """Searches a second by the number of workers."""
    rates: dict[int, list[float]] = {count: [] for count in COUNTS}
    where = f"near={CENTRE.latitude},{CENTRE.longitude}&radius_km=25&care_form=long_term"
    async with data_folder() as environ:
        await command(environ, "demo", "--homes", str(HOMES), "--seed", "1")
        for _ in range(runs):
            for count, found in rates.items():
                async with serving(environ, "--workers", str(count)) as server:
                    path = f"/api/v1/vacancies?{where}"
                    # The demo's homes report anew when it is served: that is not to be measured.
                    await request_rate(server.url, path, REQUESTS, CONNECTIONS)
                    found.append(await request_rate(server.url, path, REQUESTS, CONNECTIONS))
    return rates


async def _run(
    environ: dict[str, str], homes: Region, count: int, viewers: int, changes: int
) -> Load:
    async with serving(environ, "--workers", str(count)) as server:
        path = await server.stream()
        async with crowd([server.address], path, OURS, viewers) as watching:
            return await report(watching, server.workers(), homes, RATE, changes)
