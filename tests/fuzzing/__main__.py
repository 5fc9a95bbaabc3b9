"""Tries what strangers may send: `scripts/fuzz TARGET --seconds N [--seed S] [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.fuzzing.api import try_own_api
from tests.fuzzing.engine import Trial, load_targets, try_target

FOLDER = Path(__file__).parents[2] / ".fuzz"
LEAST_SECONDS = 2


def main() -> int:
    targets = load_targets()
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz",
        description="Tries parsers with inputs that are made up. Ends with 1 if one is at fault.",
    )
    parser.add_argument(
        "target",
        choices=[*sorted(targets), "all", "api"],
        help="%(choices)s: all parsers, or the API by Schemathesis",
        metavar="TARGET",
    )
    parser.add_argument("--seconds", type=int, default=60, help="in all, shared by all targets")
    parser.add_argument("--seed", type=int, default=1, help="of what is tried")
    parser.add_argument("--input", type=Path, help="try this file once, instead")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for inputs that are kept")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args()
    if asked.target == "api":
        return try_own_api(seconds=asked.seconds, seed=asked.seed)
    if asked.input is not None:
        targets[asked.target](asked.input.read_bytes())
        return 0
    names = sorted(targets) if asked.target == "all" else [asked.target]
    seconds = max(LEAST_SECONDS, asked.seconds // len(names))
    trials = []
    for number, name in enumerate(names, start=1):
        print(f"{number}/{len(names)} {name}: {seconds} s", file=sys.stderr, flush=True)
        trial = try_target(name, targets[name], asked.folder, seconds=seconds, seed=asked.seed)
        if trial.fault:
            again = f"Again: scripts/fuzz {name} --input {trial.input}"
            print(trial.fault, again, sep="\n", file=sys.stderr)
        trials.append(trial)
    _tell(trials, as_json=asked.json)
    return int(any(trial.fault for trial in trials))


def _tell(trials: list[Trial], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([trial._asdict() for trial in trials], indent=1))
        return
    for trial in trials:
        print(f"{trial.target:15} {trial.runs:12,} runs{'   FAULT' * bool(trial.fault)}")
    runs, seconds = sum(trial.runs for trial in trials), sum(trial.seconds for trial in trials)
    first = trials[0]
    print(f"{'together':15} {runs:12,} runs in {seconds} s, {first.engine}, seed {first.seed}")


if __name__ == "__main__":
    sys.exit(main())
