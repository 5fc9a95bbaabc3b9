"""A crowd under load: publish at a rate, wait for what arrives, and see what it cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.benchmarks.crowd import Crowd, Delivery, delivery
from scripts.benchmarks.homes import Region
from scripts.benchmarks.nchan import Nchan
from scripts.benchmarks.process import cpu_seconds

Moments = dict[int, float]
Payloads = dict[int, bytes]
Point = tuple[float, float]

SHARES = (1, 5, *range(10, 100, 10), 95, 98, 99, 99.5, 99.9)


@dataclass
class Load:
    """One rate at one side; `event_bytes` is all that a viewer read, for each event."""

    delivered: Delivery
    cpu_seconds: float
    client_cpu_seconds: float
    event_bytes: float


async def report(
    watching: Crowd, pids: Sequence[int], homes: Region, rate: float, changes: int
) -> Load:
    """Ours: homes report, and count from the moment just before the news goes to Redis. What
    was announced is in `homes` afterwards, and nothing else."""
    homes.announced.clear()

    async def act(_: int) -> None:
        await homes.report()

    def moments() -> Moments:
        return {revision: at for revision, (at, _) in homes.announced.items()}

    return await load(watching, pids, rate, changes, act, moments)


async def replay(watching: Crowd, server: Nchan, rate: float, payloads: Payloads) -> Load:
    """Nchan: `payloads` are published, and count from just before each is written."""
    waiting = list(payloads.items())
    published: Moments = {}

    async def act(number: int) -> None:
        revision, payload = waiting[number]
        published[revision] = await server.publish(payload)

    return await load(watching, [server.pid], rate, len(waiting), act, lambda: published)


async def load(
    watching: Crowd,
    pids: Sequence[int],
    rate: float,
    changes: int,
    publish: Callable[[int], Awaitable[None]],
    moments: Callable[[], Moments],
) -> Load:
    """Publish, and wait until all has arrived or nothing comes any more. `moments` are asked
    for afterwards."""
    client = (await watching.ask("reset"))["cpu_seconds"]
    spent = sum(map(cpu_seconds, pids))
    await at_rate(rate, changes, publish)
    state = await watching.ask(f"until {changes * watching.viewers}")
    spent = sum(map(cpu_seconds, pids)) - spent
    published = moments()
    delivered = delivery(await watching.arrivals(), published, watching.viewers)
    return Load(
        delivered, spent, state["cpu_seconds"] - client, state["bytes"] / max(1, delivered.arrived)
    )


async def at_rate(per_second: float, times: int, act: Callable[[int], Awaitable[None]]) -> None:
    """Call `act` at a steady rate, however long each call takes; return when all are done."""
    began = time.monotonic()
    acting = []
    for number in range(times):
        await asyncio.sleep(max(0, began + number / per_second - time.monotonic()))
        acting.append(asyncio.ensure_future(act(number)))
    await asyncio.gather(*acting)


def distribution(loads: Sequence[Load]) -> list[Point]:
    """A curve: (latency in ms, per cent of the events that had arrived by then), the median
    of the runs."""
    runs = [np.percentile(one.delivered.latencies_ms, SHARES) for one in loads]
    return [
        (round(float(latency), 2), float(share))
        for latency, share in zip(np.median(runs, axis=0), SHARES, strict=True)
    ]
