"""What was measured last, one entry a benchmark: `docs/performance/results.json`.

The page is rendered from here, so that one part can be measured again while the rest stays.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from scripts.benchmarks.figures import Findings
from scripts.benchmarks.machine import machine, versions


class Result(msgspec.Struct):
    """`failed` says why the last attempt gave nothing; the findings are then those of `day`."""

    day: date
    command: str
    machine: str
    versions: dict[str, str]
    findings: Findings
    failed: str | None = None


Results = dict[str, Result]


def result(command: str, findings: Findings) -> Result:
    today = datetime.now(UTC).date()
    return Result(today, command, machine(), versions() | findings.versions, findings)


def load(path: Path) -> Results:
    return msgspec.json.decode(path.read_bytes(), type=Results) if path.exists() else {}


def save(path: Path, results: Results) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.encode(results, enc_hook=_plain, order="sorted")
    path.write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")


def _plain(value: object) -> object:
    """numpy's numbers."""
    if hasattr(value, "item"):
        return value.item()
    raise NotImplementedError(f"{value!r} has no place in JSON")
