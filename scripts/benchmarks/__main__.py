"""`scripts/bench NAME`: one benchmark a file."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys

import click

from scripts.benchmarks import first_page, push_to_viewer, search
from scripts.benchmarks.figures import Findings, table


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
        click.echo(", ".join(f"{name} {version}" for name, version in found.versions.items()))
        click.echo(table(found.figures))
        for line in found.notes:
            click.echo(line)


@bench.command("push-to-viewer")
@click.option("--viewers", default=100, show_default=True, type=click.IntRange(1, 5_000))
@click.option("--pushes", default=100, show_default=True, type=click.IntRange(10))
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True)
def push_to_viewer_command(viewers: int, pushes: int, runs: int, as_json: bool) -> None:
    """HTTP answer of a push → event at the last viewer, beside a bare fsync."""
    _print(asyncio.run(push_to_viewer.measure(viewers, pushes, runs)), as_json)


@bench.command("first-page")
@click.option("--homes", default=3_000, show_default=True, type=click.IntRange(1))
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True)
def first_page_command(homes: int, runs: int, as_json: bool) -> None:
    """The finder in headless Chromium: time to the list, and to the map."""
    _print(asyncio.run(first_page.measure(homes, runs)), as_json)


@bench.command("search")
@click.option(
    "--homes",
    "sizes",
    multiple=True,
    default=(20_000, 200_000, 1_000_000),
    show_default=True,
    type=click.IntRange(1_000),
    help="How many homes; may be given several times.",
)
@click.option("--served", default=12_000, show_default=True, help="Homes of the served demo.")
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True)
def search_command(sizes: tuple[int, ...], served: int, runs: int, as_json: bool) -> None:
    """The nearest 50 homes with a free place, beside PostGIS and Redis; a search over HTTP."""
    _print(asyncio.run(search.measure(sizes, served, runs)), as_json)


if __name__ == "__main__":
    sys.exit(bench(prog_name="scripts/bench"))
