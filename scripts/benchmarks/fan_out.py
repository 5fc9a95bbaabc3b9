"""Many viewers of everything on one worker, and a steady rate of changes: ours beside Nchan.

Ours counts from the moment just before a commit is announced to Redis by another process, so
Redis, the worker's board and the matching of viewers are in it; Nchan counts from just before
the publishing request is written. Both get the same viewers, the same rates and the same bytes
of payload. Every change is of another home: nothing is conflated. What cannot be delivered at
the offered rate is delivered later, and the rate of delivery is that up to the last arrival.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import aiohttp

from scripts.benchmarks.crowd import NCHANS, OURS, Crowd, Delivery, crowd, delivery
from scripts.benchmarks.debian import Missing
from scripts.benchmarks.figures import Figure, Findings, figure
from scripts.benchmarks.homes import Region, at_rate, region
from scripts.benchmarks.nchan import PATH, nchan
from scripts.benchmarks.process import cpu_seconds, resident_bytes
from scripts.benchmarks.program import data_folder, serving

STREAM = "/api/v1/vacancies/stream"
RATES = (20, 100)

Moments = dict[int, float]
Payloads = dict[int, bytes]


@dataclass
class Load:
    """One rate at one side; `event_bytes` is all that a viewer read, for each event."""

    delivered: Delivery
    cpu_seconds: float
    client_cpu_seconds: float
    event_bytes: float


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
        path = f"{STREAM}?since={await cursor(server.url)}"
        async with crowd([server.address], path, OURS, viewers) as watching:
            side = Side((resident_bytes(server.pid) - idle) / viewers / 1000)
            for rate, number in changes.items():
                homes.announced.clear()

                async def report(_: int) -> None:
                    await homes.report()

                def moments() -> Moments:
                    return {key: at for key, (at, _) in homes.announced.items()}

                side.loads[rate] = await load(watching, server.pid, rate, number, report, moments)
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
                waiting = list(messages.items())
                published: Moments = {}

                async def post(number: int) -> None:
                    revision, payload = waiting[number]
                    published[revision] = await server.publish(payload)

                side.loads[rate] = await load(
                    watching, server.pid, rate, len(waiting), post, lambda: published
                )
            side.kilobytes_after = (resident_bytes(server.pid) - idle) / viewers / 1000
    return side


async def cursor(url: str) -> str:
    """From now on: viewers that begin here are sent changes only."""
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{url}/api/v1/vacancies?limit=1") as answer,
    ):
        found: str = (await answer.json(content_type=None))["cursor"]
        return found


async def load(
    watching: Crowd,
    pid: int,
    rate: float,
    changes: int,
    publish: Callable[[int], Awaitable[None]],
    moments: Callable[[], Moments],
) -> Load:
    """Publish, and wait until all has arrived or nothing comes any more."""
    client = (await watching.ask("reset"))["cpu_seconds"]
    spent = cpu_seconds(pid)
    await at_rate(rate, changes, publish)
    state = await watching.ask(f"until {changes * watching.viewers}")
    spent = cpu_seconds(pid) - spent
    published = moments()
    delivered = delivery(await watching.arrivals(), published, list(published), watching.viewers)
    return Load(
        delivered, spent, state["cpu_seconds"] - client, state["bytes"] / max(1, delivered.arrived)
    )


def _figures(ours: Sequence[Side], theirs: Sequence[Side]) -> Iterator[Figure]:
    def both(of: Callable[[Side], float]) -> tuple[list[float], list[float]]:
        return [of(side) for side in ours], [of(side) for side in theirs]

    for rate in RATES:

        def of(take: Callable[[Load], float], rate: int = rate) -> Callable[[Side], float]:
            return lambda side: take(side.loads[rate])

        fast = rate == RATES[-1]
        yield figure(
            f"delivered at {rate} changes/s",
            *both(of(lambda load: load.delivered.per_second)),
            "events/s",
            "Nchan",
            at_least=1 if fast else 0.99,
            goal="above" if fast else "all that is offered",
        )
        yield figure(
            f"p50 at {rate}/s", *both(of(lambda load: load.delivered.latency_ms(50))), "ms", "Nchan"
        )
        yield figure(
            f"p99 at {rate}/s",
            *both(of(lambda load: load.delivered.latency_ms(99))),
            "ms",
            "Nchan",
            at_most=None if fast else 1,
        )
        yield figure(
            f"share of a core at {rate}/s",
            *both(of(lambda load: 100 * load.cpu_seconds / load.delivered.seconds)),
            "%",
            "Nchan",
        )
        yield figure(
            f"CPU of a delivered event at {rate}/s",
            *both(of(lambda load: 1e6 * load.cpu_seconds / load.delivered.arrived)),
            "µs",
            "Nchan",
        )
        missing, their_missing = both(of(lambda load: load.delivered.missing))
        yield figure(
            f"missing at {rate}/s",
            missing,
            their_missing,
            "events",
            "Nchan",
            goal="0",
            met=not any(missing),
        )
    memory = both(lambda side: side.kilobytes)
    yield figure("memory of a viewer", *memory, "kB", "Nchan", at_most=1.3)
    after = both(lambda side: side.kilobytes_after)
    yield figure("the same after the changes", *after, "kB", "Nchan")


def _notes(
    ours: Sequence[Side], theirs: Sequence[Side], payloads: dict[int, Payloads]
) -> list[str]:
    sizes = [len(payload) for messages in payloads.values() for payload in messages.values()]
    wire = [side[-1].loads[RATES[0]].event_bytes for side in (ours, theirs) if side]
    busy = max(
        load.client_cpu_seconds / load.delivered.seconds
        for side in (*ours, *theirs)
        for load in side.loads.values()
    )
    return [
        f"{sum(sizes) / len(sizes):.0f} bytes of payload an event on both sides;"
        f" {' and '.join(f'{size:.0f}' for size in wire)} with what frames it.",
        f"The viewers took up to {100 * busy:.0f} % of a core.",
    ]
