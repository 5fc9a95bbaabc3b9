"""Many viewers of everything on one worker, and a steady rate of changes: ours beside Nchan.

Ours counts from the moment just before a commit is announced to Redis by another process, so
Redis, the worker's board and the matching of viewers are in it; Nchan counts from just before
the publishing request is written. Both get the same viewers, the same rates and the same bytes
of payload. Every change is of another home: nothing is conflated. What cannot be delivered at
the offered rate is delivered later, and the rate of delivery is that up to the last arrival.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.benchmarks.crowd import NCHANS, OURS, crowd
from scripts.benchmarks.debian import Missing
from scripts.benchmarks.figures import Figure, Findings, Plot, figure
from scripts.benchmarks.homes import Region, region
from scripts.benchmarks.load import Load, Payloads, distribution, replay, report
from scripts.benchmarks.nchan import PATH, nchan
from scripts.benchmarks.process import resident_bytes
from scripts.benchmarks.program import data_folder, serving

RATES = (20, 100)


@dataclass
class Side:
    """`kilobytes` of resident memory a viewer: with all connected, and after all the changes."""

    kilobytes: float
    kilobytes_after: float = 0.0
    loads: dict[int, Load] = field(default_factory=dict)


async def measure(viewers: int, seconds: float, runs: int) -> Findings:
    found = Findings()
    ours: list[Side] = []
    theirs: list[Side] = []
    changes = {rate: round(rate * seconds) for rate in RATES}
    async with data_folder() as environ, region(environ, sum(changes.values())) as homes:
        for number in range(runs):
            print(f"run {number + 1} of {runs}", file=sys.stderr)
            payloads: dict[int, Payloads] = {}
            ours.append(await _ours(environ, homes, viewers, changes, payloads))
            try:
                theirs.append(await _theirs(viewers, payloads, found.versions))
            except Missing as missing:
                found.notes = [f"Without Nchan: {missing}"]
    found.figures = list(_figures(ours, theirs))
    found.plots = list(_plots(ours, theirs))
    found.notes += _notes(ours, theirs, payloads)
    return found


async def _ours(
    environ: dict[str, str],
    homes: Region,
    viewers: int,
    changes: dict[int, int],
    payloads: dict[int, Payloads],
) -> Side:
    """Keeps the bytes of all changes in `payloads`, by rate."""
    async with serving(environ) as server:
        idle = resident_bytes(server.pid)
        async with crowd([server.address], await server.stream(), OURS, viewers) as watching:
            side = Side((resident_bytes(server.pid) - idle) / viewers / 1000)
            for rate, number in changes.items():
                side.loads[rate] = await report(watching, [server.pid], homes, rate, number)
                payloads[rate] = homes.payloads()
            side.kilobytes_after = (resident_bytes(server.pid) - idle) / viewers / 1000
    return side


async def _theirs(viewers: int, payloads: dict[int, Payloads], versions: dict[str, str]) -> Side:
    async with nchan(viewers) as server:
        versions["Nchan"] = server.version
        idle = resident_bytes(server.pid)
        async with crowd([server.address], PATH, NCHANS, viewers) as watching:
            side = Side((resident_bytes(server.pid) - idle) / viewers / 1000)
            for rate, messages in payloads.items():
                side.loads[rate] = await replay(watching, server, rate, messages)
            side.kilobytes_after = (resident_bytes(server.pid) - idle) / viewers / 1000
    return side


def _figures(ours: Sequence[Side], theirs: Sequence[Side]) -> Iterator[Figure]:
    for rate in RATES:
        yield from _at_rate(
            rate, [side.loads[rate] for side in ours], [side.loads[rate] for side in theirs]
        )
    idle = [side.kilobytes for side in ours], [side.kilobytes for side in theirs]
    yield figure("memory of a viewer", *idle, "kB", "Nchan", at_most=1.3)
    after = [side.kilobytes_after for side in ours], [side.kilobytes_after for side in theirs]
    yield figure("memory of a viewer after the changes", *after, "kB", "Nchan")


def _at_rate(rate: int, ours: Sequence[Load], theirs: Sequence[Load]) -> Iterator[Figure]:
    def beside(name: str, unit: str, of: Callable[[Load], float], **goal: Any) -> Figure:
        name = f"{name} at {rate}/s"
        return figure(name, [*map(of, ours)], [*map(of, theirs)], unit, "Nchan", **goal)

    fast = rate == RATES[-1]
    # Below saturation both deliver what is offered.
    least: dict[str, Any] = {"at_least": 1, "goal": "above"} if fast else {"at_least": 0.99}
    yield beside("delivered", "events/s", lambda load: load.delivered.per_second, **least)
    yield beside("p50", "ms", lambda load: load.delivered.latency_ms(50))
    most = None if fast else 1.0
    yield beside("p99", "ms", lambda load: load.delivered.latency_ms(99), at_most=most)
    yield beside("CPU", "% of a core", lambda load: 100 * load.cpu_seconds / load.delivered.seconds)
    yield beside(
        "CPU for an event", "µs", lambda load: 1e6 * load.cpu_seconds / load.delivered.arrived
    )
    lost = sum(load.delivered.missing for load in ours)
    yield beside("lost", "events", lambda load: load.delivered.missing, goal="0", met=lost == 0)


def _plots(ours: Sequence[Side], theirs: Sequence[Side]) -> Iterator[Plot]:
    for rate in RATES:
        yield Plot(
            f"latency-{rate}",
            f"From change to viewer at {rate} changes a second",
            "milliseconds",
            "per cent of the events",
            {
                name: distribution([side.loads[rate] for side in sides])
                for name, sides in (("Freiplatz", ours), ("Nchan", theirs))
                if sides
            },
            log_x=True,
        )


def _notes(
    ours: Sequence[Side], theirs: Sequence[Side], payloads: dict[int, Payloads]
) -> list[str]:
    sizes = [len(payload) for messages in payloads.values() for payload in messages.values()]
    wire = [sides[-1].loads[RATES[0]].event_bytes for sides in (ours, theirs) if sides]
    framed = " and ".join(f"{size:.0f}" for size in wire)
    busy = max(
        load.client_cpu_seconds / load.delivered.seconds
        for side in (*ours, *theirs)
        for load in side.loads.values()
    )
    notes = [
        (
            f"{sum(sizes) / len(sizes):.0f} bytes of payload an event on both sides;"
            f" {framed} with what frames it."
        ),
        f"The viewers took up to {100 * busy:.0f} % of a core.",
    ]
    if theirs:
        notes.append(
            "Nchan leaves Nagle's algorithm on for its streams, whatever `tcp_nodelay` says: a"
            " message within 40 ms of another may wait until that one is acknowledged. At"
            f" {RATES[0]} changes a second they are {1000 / RATES[0]:.0f} ms apart."
        )
    return notes
