"""What compose.yaml and the Dockerfile say, with the settings filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_REFERENCE = re.compile(r"\$\{([A-Z_]+)(?::([-?])((?:[^${}]|\$\{[^{}]*\})*))?\}")


def fill_in(text: str, environ: Mapping[str, str]) -> str:
    """`${NAME}`, `${NAME:-default}` and `${NAME:?message}` as the Compose Specification has them
    (section Interpolation). Raises `KeyError` for one that is needed and missing."""

    def value(found: re.Match[str]) -> str:
        name, kind, more = found.groups()
        if given := environ.get(name):
            return given
        if kind == "?":
            raise KeyError(f"{name} {more}")
        return fill_in(more or "", environ)

    return _REFERENCE.sub(value, text)


def read_composition(environ: Mapping[str, str]) -> dict[str, Any]:
    """compose.yaml as nested dicts."""
    read = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return dict(json.loads(fill_in(json.dumps(read), environ)))


def in_order(services: Mapping[str, Any]) -> list[str]:
    """Names of services, each behind all on which it depends. Raises `ValueError` for a circle."""
    done: list[str] = []
    while len(done) < len(services):
        ready = [
            name
            for name, service in services.items()
            if name not in done and set(service.get("depends_on", ())) <= set(done)
        ]
        if not ready:
            raise ValueError(f"these wait for each other: {set(services) - set(done)}")
        done += ready
    return done


def instructions(stage: str) -> list[tuple[str, str]]:
    """(name, rest) of each instruction of a stage of the Dockerfile, such as ("USER", "10002")."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: list[tuple[str, str]] = []
    is_there = False
    for line in lines:
        name, _, rest = line.partition(" ")
        if name == "FROM":
            is_there = rest.endswith(f" AS {stage}")
        elif is_there:
            found.append((name, rest.strip()))
    if not found:
        raise ValueError(f"the Dockerfile has no stage {stage}")
    return found
