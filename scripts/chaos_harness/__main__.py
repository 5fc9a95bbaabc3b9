"""Breaks what a running Freiplatz stands on, and looks what was lost: `scripts/chaos`."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path

import click

from scripts.chaos_harness.abilities import enter_namespaces, find_abilities, prepare


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", default=60.0, show_default=True, help="How long faults come.")
@click.option("--seed", default=1, show_default=True, help="What is drawn: same seed, same plan.")
@click.option("--viewers", default=100, show_default=True, type=click.IntRange(1))
@click.option("--rate", default=30.0, show_default=True, help="Reports a second.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option("--keep", type=click.Path(path_type=Path), help="Leave ledger and logs there.")
@click.option("--inside", is_flag=True, hidden=True)
def chaos(
    seconds: float,
    seed: int,
    viewers: int,
    rate: float,
    as_json: bool,
    keep: Path | None,
    inside: bool,
) -> None:
    """Run two web processes, Postgres, Valkey and viewers, push reports, break everything that can
    be broken here, and say what was lost. Exits with 1 if anything was.

    As root, networks are cut and a disk is filled too, in namespaces of the harness's own.
    """
    if not inside:
        prepare()
    refusal = enter_namespaces(sys.argv[1:], inside)
    # Not before: it loads libraries that start threads.
    from scripts.chaos_harness.trial import run_trial, say

    folder = keep or Path(tempfile.mkdtemp(prefix="freiplatz-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = asyncio.run(
            run_trial(seconds, seed, viewers, rate, folder, find_abilities(refusal), say)
        )
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    found = outcome.as_dict()
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(found)
    sys.exit(0 if outcome.is_good else 1)


def _show(found: dict[str, object]) -> None:
    what, not_done = found.pop("what"), found.pop("not_done")
    by_kind, answers = found.pop("by_kind"), found.pop("answers")
    for name, value in found.items():
        print(f"{name.replace('_', ' ')}: {value}")
    for title, table in (("faults done", by_kind), ("answers", answers), ("not done", not_done)):
        assert isinstance(table, dict)
        for name, value in table.items():
            print(f"{title}: {name}: {value}")
    assert isinstance(what, list)
    for line in what:
        print(f"WRONG: {line}")


if __name__ == "__main__":
    chaos(prog_name="scripts/chaos")
