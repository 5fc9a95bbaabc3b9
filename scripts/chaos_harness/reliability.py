"""Measures what docs/reliability.md promises beside the faults: `scripts/reliability`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import click

from scripts.chaos_harness import half_load, stopping, without_redis


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def reliability() -> None:
    """Measure what Freiplatz does without Redis, when it stops, and at steady load."""


_as_json = click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")


@reliability.command("without-redis")
@click.option("--pushes", default=300, show_default=True, type=click.IntRange(1))
@click.option("--screens", default=20, show_default=True, type=click.IntRange(0))
@_as_json
def measure_without_redis(pushes: int, screens: int, as_json: bool) -> None:
    """Push to stream and to the screen of a browser, and what is refused, while Redis is killed,
    and then while it hangs. Exits with 1 if anything was refused or has not arrived."""
    found = []
    for how in without_redis.SHUTDOWNS:
        click.echo(f"Redis {how}: {pushes} pushes, {screens} looks at a screen.", err=True)
        found.append(asyncio.run(without_redis.measure(how, pushes, screens)))
    rows = [
        {
            "redis": one.redis,
            "pushes": one.pushes,
            "reads": sum(one.reads.values()),
            "refused": len(one.refused),
            "not arrived": one.missing,
            "to stream ms": _spread(one.stream_ms),
            "to screen ms": _spread(one.screen_ms),
            "what": one.refused[:5],
        }
        for one in found
    ]
    _show(rows, as_json)
    sys.exit(1 if any(one.refused or one.missing for one in found) else 0)


@reliability.command("stop")
@click.option("--streams", default=500, show_default=True, type=click.IntRange(1))
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1))
@_as_json
def measure_stop(streams: int, runs: int, as_json: bool) -> None:
    """Seconds from SIGTERM to the end of the process, with open streams."""
    rows = []
    for workers in (1, 2):
        click.echo(f"{workers} process(es), {streams} streams, {runs} runs.", err=True)
        took = asyncio.run(stopping.measure(streams, workers, runs))
        rows.append(
            {
                "processes": workers,
                "streams": streams,
                "seconds": f"median {median(took):.2f}, longest {max(took):.2f}",
            }
        )
    _show(rows, as_json)


@reliability.command("half-load")
@click.option("--minutes", default=20.0, show_default=True, type=click.FloatRange(3))
@click.option("--viewers", default=100, show_default=True, type=click.IntRange(1))
@_as_json
def measure_half_load(minutes: float, viewers: int, as_json: bool) -> None:
    """Memory, tasks and connections while two processes take half of the pushes that they can."""
    click.echo(f"{minutes:g} minutes, {viewers} viewers of everything.", err=True)
    found = asyncio.run(half_load.measure(minutes, viewers))
    if as_json:
        click.echo(json.dumps({"rows": found.rows(), **asdict(found)}))
        return
    click.echo(
        f"{found.full:.0f} pushes a second at most, {found.half:.0f} taken: {found.pushes} in all,"
        f" {len(found.failed)} failed; {found.streams} streams"
    )
    for name, early, late, highest in found.rows():
        click.echo(f"{name:22} {early:9.1f} early {late:9.1f} late {highest:9.1f} highest")


def _spread(values: list[float]) -> str:
    if not values:
        return "not measured"
    p99 = values[int(len(values) * 0.99)]
    return f"p50 {median(values):.0f}, p99 {p99:.0f}, longest {values[-1]:.0f}"


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo("; ".join(f"{name}: {value}" for name, value in row.items() if value != []))


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[2])
    reliability(prog_name="scripts/reliability")
