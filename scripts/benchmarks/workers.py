"""Whether a second worker on the same deployment carries more: the viewers are spread over
both, and as many changes as neither can deliver at once are published."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack

from scripts.benchmarks.crowd import OURS, crowd
from scripts.benchmarks.figures import Findings, Plot, figure
from scripts.benchmarks.homes import Region, region
from scripts.benchmarks.load import Load, report
from scripts.benchmarks.program import data_folder, serving

RATE = 100
COUNTS = (1, 2)


async def measure(viewers: int, seconds: float, runs: int) -> Findings:
    loads: dict[int, list[Load]] = {count: [] for count in COUNTS}
    changes = round(RATE * seconds)
    async with data_folder() as environ, region(environ, changes) as homes:
        for number in range(runs):
            print(f"run {number + 1} of {runs}", file=sys.stderr)
            for count, found in loads.items():
                found.append(await _run(environ, homes, count, viewers, changes))
    rates = {count: [load.delivered.per_second for load in loads[count]] for count in COUNTS}
    tails = {count: [load.delivered.latency_ms(99) for load in loads[count]] for count in COUNTS}
    spent = {
        count: [100 * load.cpu_seconds / load.delivered.seconds for load in loads[count]]
        for count in COUNTS
    }
    one = "one worker"
    return Findings(
        [
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


async def _run(
    environ: dict[str, str], homes: Region, count: int, viewers: int, changes: int
) -> Load:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(environ)) for _ in range(count)]
        addresses = [server.address for server in servers]
        path = await servers[0].stream()
        watching = await stack.enter_async_context(crowd(addresses, path, OURS, viewers))
        return await report(watching, [server.pid for server in servers], homes, RATE, changes)
