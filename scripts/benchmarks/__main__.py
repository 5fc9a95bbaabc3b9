"""`scripts/bench NAME`: one benchmark a file, listed in `benchmark.py`."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click

from scripts.benchmarks import results
from scripts.benchmarks.benchmark import BENCHMARKS, SENTENCES, Benchmark
from scripts.benchmarks.figures import Findings, table
from scripts.benchmarks.machine import machine, versions

PAGE = Path("docs/performance.md")
FOLDER = Path("docs/performance")
RESULTS = FOLDER / "results.json"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure Freiplatz beside what people would otherwise use. Close other programs first."""


def _command(benchmark: Benchmark) -> click.Command:
    def run(as_json: bool, **options: Any) -> None:
        found = benchmark.measure(**options)
        if as_json:
            figures = [figure.as_dict() for figure in found.figures]
            click.echo(json.dumps(figures, indent=2, default=lambda value: value.item()))
            return
        click.echo(machine())
        known = versions() | found.versions
        click.echo(", ".join(f"{name} {version}" for name, version in known.items()))
        click.echo(table(found.figures))
        for note in found.notes:
            click.echo(note)

    options = [
        click.Option(
            [f"--{name.replace('_', '-')}"],
            default=default,
            show_default=True,
            type=float if isinstance(default, float) else click.IntRange(1),
            multiple=isinstance(default, tuple),
        )
        for name, default in benchmark.options.items()
    ]
    as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print the figures as JSON.")
    return click.Command(
        benchmark.name, callback=run, params=[*options, as_json], help=benchmark.sentence
    )


for _one in BENCHMARKS:
    bench.add_command(_command(_one))


@bench.command("all")
@click.option("--only", multiple=True, type=click.Choice(list(SENTENCES)), help="Repeatable.")
def measure_all(only: tuple[str, ...]) -> None:
    """Measure everything and write docs/performance.md; with --only a part, the rest stays."""
    known = results.load(RESULTS)
    failed = []
    for benchmark in BENCHMARKS:
        if only and benchmark.name not in only:
            continue
        click.echo(f"== {benchmark.name}: {benchmark.sentence}", err=True)
        command = f"scripts/bench {benchmark.name}"
        try:
            known[benchmark.name] = results.result(command, _apart(benchmark))
        except Exception as error:
            traceback.print_exc()
            failed.append(benchmark.name)
            entry = known.setdefault(benchmark.name, results.result(command, Findings()))
            entry.failed = f"{type(error).__name__}: {error}".partition("\n")[0]
        results.save(RESULTS, known)  # what is measured stays, whatever comes next
    _write(known)
    if failed:
        raise SystemExit(f"These failed: {', '.join(failed)}.")


def _apart(benchmark: Benchmark) -> Findings:
    """Measured in a process of its own: none inherits the memory of the one before."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(benchmark.measure).result()


@bench.command("page")
def write_page() -> None:
    """Write docs/performance.md anew from what was measured last."""
    _write(results.load(RESULTS))


def _write(known: results.Results) -> None:
    from scripts.benchmarks import page  # draws: not needed for measuring

    page.write(PAGE, FOLDER, SENTENCES, known)
    click.echo(f"{PAGE} is written.", err=True)


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[2])
    sys.exit(bench(prog_name="scripts/bench"))
