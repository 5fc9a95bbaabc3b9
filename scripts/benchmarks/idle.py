"""Many viewers to whom nothing happens but heartbeats, every 15 s: ours beside Nchan's pings."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass

from scripts.benchmarks.crowd import NCHANS, OURS, Crowd, crowd
from scripts.benchmarks.debian import Missing
from scripts.benchmarks.figures import Findings, figure
from scripts.benchmarks.nchan import PATH, nchan
from scripts.benchmarks.process import cpu_seconds, resident_bytes
from scripts.benchmarks.program import data_folder, serving

INTERVAL_SECONDS = 15


@dataclass
class Side:
    share: float  # per cent of a core
    kilobytes: float  # resident, a viewer
    beats: float  # a viewer


async def measure(viewers: int, intervals: int, runs: int) -> Findings:
    found = Findings()
    ours: list[Side] = []
    theirs: list[Side] = []
    async with data_folder() as environ:
        for number in range(runs):
            print(f"run {number + 1} of {runs}", file=sys.stderr)
            async with serving(environ) as server:
                idle = resident_bytes(server.pid)
                path = await server.stream()
                async with crowd([server.address], path, OURS, viewers) as watching:
                    ours.append(await _side(watching, server.pid, idle, intervals))
            try:
                async with nchan(viewers) as other:
                    found.versions["Nchan"] = other.version
                    idle = resident_bytes(other.pid)
                    async with crowd([other.address], PATH, NCHANS, viewers) as watching:
                        theirs.append(await _side(watching, other.pid, idle, intervals))
            except Missing as missing:
                found.notes = [f"Without Nchan: {missing}"]
    share = [side.share for side in ours]
    beats = [side.beats for side in ours]
    found.figures = [
        figure(
            "CPU",
            share,
            [side.share for side in theirs],
            "% of a core",
            "Nchan",
            goal="under 10",
            met=max(share) < 10,
        ),
        figure(
            "memory of a viewer",
            [side.kilobytes for side in ours],
            [side.kilobytes for side in theirs],
            "kB",
            "Nchan",
            at_most=1.3,
        ),
        figure(
            "heartbeats of a viewer",
            beats,
            [side.beats for side in theirs],
            "",
            "Nchan",
            goal=f"{intervals}",
            met=min(beats) > 0.9 * intervals,  # the window may cut off a tick
        ),
    ]
    return found


async def _side(watching: Crowd, pid: int, idle: int, intervals: int) -> Side:
    await watching.ask("reset")
    began, spent = time.monotonic(), cpu_seconds(pid)
    await asyncio.sleep(intervals * INTERVAL_SECONDS)
    spent, seconds = cpu_seconds(pid) - spent, time.monotonic() - began
    beats = (await watching.ask("count"))["beats"] / watching.viewers
    memory = (resident_bytes(pid) - idle) / watching.viewers / 1000
    return Side(100 * spent / seconds, memory, beats)
