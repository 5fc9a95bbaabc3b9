"""From the start of a care home's request to the arrival at each viewer: HTTP, Postgres, Redis,
stream. Beside it Nchan's bare publish to receive, with the same viewers, rate and bytes, to
which what durability alone costs here is added: an fsync on the disk of the database.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np

from scripts.benchmarks import disk
from scripts.benchmarks.crowd import NCHANS, OURS, crowd
from scripts.benchmarks.debian import Missing
from scripts.benchmarks.figures import Figure, Findings, Plot, figure
from scripts.benchmarks.load import Load, Moments, Payloads, distribution, load, replay
from scripts.benchmarks.nchan import PATH, nchan
from scripts.benchmarks.program import command, data_folder, serving
from scripts.benchmarks.wire import Wire

RATE = 10
HOMES = 50
FSYNCS = 300

_REVISION = re.compile(rb'"revision":(\d+),')


async def measure(viewers: int, pushes: int, runs: int) -> Findings:
    found = Findings()
    ours: list[Load] = []
    shared: list[Load] = []
    theirs: list[Load] = []
    fsyncs: list[list[float]] = []
    async with data_folder() as environ:
        await command(environ, "provider", "add", "Bench")
        key = await command(environ, "key", "create", "bench")
        for number in range(runs):
            print(f"run {number + 1} of {runs}", file=sys.stderr)
            payloads: Payloads = {}
            ours.append(await _ours(environ, key, 1, viewers, pushes, payloads))
            try:
                theirs.append(await _theirs(viewers, payloads, found.versions))
            except Missing as missing:
                found.notes = [f"Without Nchan: {missing}"]
            fsyncs.append(disk.fsyncs(Path(environ["FREIPLATZ_DATA_DIR"]), FSYNCS))
            shared.append(await _ours(environ, key, 2, viewers, pushes, {}))
    found.figures = list(_figures(ours, shared, theirs, fsyncs))
    curves = {"Freiplatz": ours, "Freiplatz, two workers": shared, "Nchan, not durable": theirs}
    found.plots = [
        Plot(
            "latency",
            f"From push to viewer, {viewers:,} viewers, {RATE} pushes a second",
            "milliseconds",
            "per cent of the events",
            {name: distribution(loads) for name, loads in curves.items() if loads},
            log_x=True,
        )
    ]
    found.notes += _notes(ours, shared, theirs, fsyncs)
    return found


async def _ours(
    environ: dict[str, str],
    key: str,
    workers: int,
    viewers: int,
    pushes: int,
    payloads: Payloads,
) -> Load:
    """The first worker takes the pushes; the viewers are spread over all. Keeps the answers in
    `payloads`: they hold what the viewers get."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    moments: Moments = {}
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(environ)) for _ in range(workers)]
        wire = await stack.enter_async_context(Wire(servers[0].address))
        for number in range(HOMES):
            home = b'{"name":"Haus %d","coordinates":{"latitude":51.9,"longitude":8.4}}' % number
            await wire.send("PUT", f"/api/v1/homes/bench-{number}", headers, home)
        addresses = [server.address for server in servers]
        path = await servers[0].stream()
        watching = await stack.enter_async_context(crowd(addresses, path, OURS, viewers))

        async def push(number: int) -> None:
            body = b'{"vacancies":[{"care_form":"long_term","count":%d}]}' % (1 + number % 9)
            path = f"/api/v1/homes/bench-{number % HOMES}/vacancies"
            at, answer = await wire.send("PUT", path, headers, body)
            revision = _REVISION.search(answer)
            assert revision is not None, answer
            moments[int(revision[1])] = at
            payloads[int(revision[1])] = answer

        pids = [server.pid for server in servers]
        return await load(watching, pids, RATE, pushes, push, lambda: moments)


async def _theirs(viewers: int, payloads: Payloads, versions: dict[str, str]) -> Load:
    async with nchan(viewers) as server:
        versions["Nchan"] = server.version
        async with crowd([server.address], PATH, NCHANS, viewers) as watching:
            return await replay(watching, server, RATE, payloads)


def _figures(
    ours: Sequence[Load],
    shared: Sequence[Load],
    theirs: Sequence[Load],
    fsyncs: Sequence[Sequence[float]],
) -> Iterator[Figure]:
    for percent, most in ((50, 1.5), (99, 2.0)):

        def of(loads: Sequence[Load], percent: int = percent) -> list[float]:
            return [one.delivered.latency_ms(percent) for one in loads]

        durable = [float(np.percentile(times, percent)) for times in fsyncs]
        both = [one + other for one, other in zip(of(theirs), durable, strict=False)]
        beside = "Nchan + fsync"
        yield figure(f"push to viewer, p{percent}", of(ours), both, "ms", beside, at_most=most)
        yield figure(f"the same with two workers, p{percent}", of(shared), both, "ms", beside)


def _notes(
    ours: Sequence[Load],
    shared: Sequence[Load],
    theirs: Sequence[Load],
    fsyncs: Sequence[Sequence[float]],
) -> Iterator[str]:
    sides = {
        "Nchan alone": [one.delivered.latencies_ms for one in theirs],
        "a bare fsync": [np.array(times) for times in fsyncs],
    }
    for name, runs in sides.items():
        if runs:
            half, most = np.median([np.percentile(run, (50, 99)) for run in runs], axis=0)
            yield f"Of that {name}: p50 {half:.2f} ms, p99 {most:.2f} ms."
    lost = sum(one.delivered.missing for one in (*ours, *shared))
    yield f"{lost} events were lost." if lost else "No event was lost."
