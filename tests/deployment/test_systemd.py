"""deploy/systemd: what systemd itself says of the units."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.deployment_trial.composition import ROOT

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
MOST_EXPOSURE = 2.0  # of 10, as `systemd-analyze security` reckons: below 2 is "OK", its best

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian: systemd)"
)


def said(*arguments: str | Path) -> str:
    run = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )
    return run.stdout + run.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_hold_what_systemd_knows(unit: Path, tmp_path: Path) -> None:
    # The programs are not here: any other that can be run takes their place.
    text = re.sub(
        r"/(opt/freiplatz/\.venv/bin/freiplatz|usr/local/bin/caddy)", "/bin/true", unit.read_text()
    )
    copy = tmp_path / unit.name
    copy.write_text(text)
    assert said("verify", "--man=no", copy) == ""
    copy.write_text(text.replace("PrivateTmp=", "PrivateTemp="))
    assert "PrivateTemp" in said("verify", "--man=no", copy)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_can_do_little(unit: Path) -> None:
    found = re.search(
        r"Overall exposure level for \S+: ([0-9.]+)",
        said("security", "--offline=true", "--no-pager", unit),
    )
    assert found
    assert float(found[1]) < MOST_EXPOSURE
