"""What we build on, from the lock files: whether all of it is pinned by hash, and as a bill of
materials (CycloneDX 1.6, JSON). `scripts/audit` runs it; it needs nothing but Python.

    python scripts/materials.py           says what is not pinned; ends with 1 if anything is not
    python scripts/materials.py FILE      writes the bill of materials
"""

from __future__ import annotations

import base64
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

ROOT = Path(__file__).parent.parent
# The scope of what a file pins: what runs, and what only builds and tests.
PYTHON = {
    "requirements.txt": "required",
    "requirements-dev.txt": "excluded",
    "requirements-node.txt": "excluded",
    "requirements-audit.txt": "excluded",
}
CLIENT = "web/client/package-lock.json"
_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)[^\\]*")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Material:
    """One package in one version. `hashes` are (algorithm, hexadecimal)."""

    kind: str  # as in package URLs: pypi or npm
    name: str
    version: str
    scope: str
    hashes: tuple[tuple[str, str], ...]

    @property
    def url(self) -> str:
        name = quote(self.name, safe="/")
        return f"pkg:{self.kind}/{name}@{quote(self.version, safe='')}"


def read_python(text: str, scope: str) -> list[Material]:
    """What a file of pip pins. Raises `ValueError` for a line that pins nothing."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        line = line.partition(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        pin = _PIN.match(line)
        if pin is None or "://" in line:
            raise ValueError(f"not pinned: {line[:60]}")
        hashes = tuple(("SHA-256", each) for each in _HASH.findall(line))
        name = re.sub(r"[-_.]+", "-", pin[1]).lower()
        found.append(Material("pypi", name, pin[2].strip(), scope, hashes))
    return found


def read_client(text: str) -> list[Material]:
    """What npm's lock file pins."""
    found = []
    for path, entry in json.loads(text)["packages"].items():
        if not path:
            continue  # ourselves
        algorithm, _, digest = entry.get("integrity", "").partition("-")
        hexadecimal = base64.b64decode(digest).hex()
        hashes = ((f"SHA-{algorithm[3:]}", hexadecimal),) if digest else ()
        scope = "excluded" if entry.get("dev") else "required"
        name = path.rpartition("node_modules/")[2]
        found.append(Material("npm", name, entry["version"], scope, hashes))
    return found


def read_all(root: Path = ROOT) -> list[Material]:
    """Everything, each version once; what runs wins over what only tests."""
    found: dict[str, Material] = {}
    for name, scope in PYTHON.items():
        for each in read_python((root / name).read_text(encoding="utf-8"), scope):
            found.setdefault(each.url, each)
    for each in read_client((root / CLIENT).read_text(encoding="utf-8")):
        found.setdefault(each.url, each)
    return sorted(found.values(), key=lambda each: each.url)


def bill_of(materials: list[Material], version: str, now: datetime) -> dict[str, object]:
    """CycloneDX 1.6 (ECMA-424)."""
    us = f"pkg:generic/freiplatz@{version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": now.replace(microsecond=0).isoformat(),
            "component": {
                "type": "application",
                "bom-ref": us,
                "name": "freiplatz",
                "version": version,
                "purl": us,
                "licenses": [{"license": {"id": "EUPL-1.2"}}],
            },
        },
        "components": [
            {
                "type": "library",
                "bom-ref": each.url,
                "name": each.name,
                "version": each.version,
                "scope": each.scope,
                "purl": each.url,
                "hashes": [{"alg": kind, "content": content} for kind, content in each.hashes],
            }
            for each in materials
        ],
    }


def main() -> int:
    try:
        materials = read_all()
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if loose := [each.url for each in materials if not each.hashes]:
        sys.stderr.write(f"Without a hash: {' '.join(loose)}\n")
        return 1
    if len(sys.argv) > 1:
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        bill = bill_of(materials, version, datetime.now(UTC))
        Path(sys.argv[1]).write_text(json.dumps(bill, indent=1) + "\n")
    sys.stderr.write(f"{len(materials)} packages, each pinned by hash.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
