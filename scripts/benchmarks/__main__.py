"""`scripts/bench NAME`: one benchmark a file."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys

import click

from scripts.benchmarks import first_page, ingest, push_to_viewer, start
from scripts.benchmarks.figures import Findings, table
from web.commands.process import run


def machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}"
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure Freiplatz beside what it depends on. Close other programs first."""


def _print(found: Findings, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([figure.as_dict() for figure in found.figures], indent=2))
    else:
        click.echo(machine())
        click.echo(table(found.figures))


@bench.command("push-to-viewer")
@click.option("--viewers", default=100, show_default=True, type=click.IntRange(1, 5_000))
@click.option("--pushes", default=100, show_default=True, type=click.IntRange(10))
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True)
def push_to_viewer_command(viewers: int, pushes: int, runs: int, as_json: bool) -> None:
    """HTTP answer of a push → event at the last viewer, beside a bare fsync."""
    _print(asyncio.run(push_to_viewer.measure(viewers, pushes, runs)), as_json)


@bench.command("first-page")
@click.option("--homes", default=15_000, show_default=True, type=click.IntRange(1))
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True)
def first_page_command(homes: int, runs: int, as_json: bool) -> None:
    """The finder in headless Chromium: server's time, bytes, time to list and map."""
    _print(asyncio.run(first_page.measure(homes, runs)), as_json)


@bench.command("ingest")
@click.option("--seconds", default=2.0, show_default=True, type=click.FloatRange(0.2))
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True)
def ingest_command(seconds: float, runs: int, as_json: bool) -> None:
    """Reports a second: the store, calls of 500, and HTTP, beside the same by hand."""

    async def main() -> None:
        _print(await ingest.measure(seconds, runs), as_json)

    run(main())  # the store is measured in this process, on the loop that serves it


@bench.command("start")
@click.option("--homes", multiple=True, default=[15_000, 100_000], type=click.IntRange(100))
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True)
def start_command(homes: tuple[int, ...], runs: int, as_json: bool) -> None:
    """Restart of a worker: until it is ready, and what its viewers get after it."""
    _print(asyncio.run(start.measure(homes, runs)), as_json)


if __name__ == "__main__":
    sys.exit(bench(prog_name="scripts/bench"))
