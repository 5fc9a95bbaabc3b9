"""Whatever a parser is given, it reads or refuses it: a short run of `scripts/fuzz all`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 36
PLANTED = """
import sys
from pathlib import Path
from tests.fuzzing.engine import try_target
from tests.fuzzing.target import Target

def parse(data):
    if data[:1] > b"a":
        raise KeyError("planted")
    raise ValueError("refused")

trial = try_target("planted", Target(parse, (ValueError,), (b"a",)), Path(sys.argv[1]),
                   seconds=30, seed=1)
assert "planted" in trial.fault, trial
assert Path(trial.input).read_bytes()[:1] > b"a", trial
"""


@pytest.mark.slow
def test_no_parser_is_at_fault(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzzing", "all", "--json"),
            *(f"--seconds={SECONDS}", f"--folder={tmp_path}"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    trials = json.loads(done.stdout)
    assert len(trials) > 15
    # More runs than there are seeds: something was tried.
    assert [trial["target"] for trial in trials if trial["runs"] < 4] == []


def test_a_fault_is_found(tmp_path: Path) -> None:
    """The one above can fail: a fault in a target ends with the input that led to it."""
    subprocess.run([sys.executable, "-c", PLANTED, tmp_path], cwd=ROOT, check=True)
