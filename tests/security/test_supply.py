"""What we build on: all of it pinned by hash, and the bill of materials says what that is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from importlib.metadata import distributions
from pathlib import Path

import pytest

from scripts.materials import read_all, read_python

ROOT = Path(__file__).parents[2]
# What is there before anything is installed.
BEFORE = {"pip"}


def test_everything_is_pinned_by_hash() -> None:
    materials = read_all(ROOT)
    assert len(materials) > 200
    assert [each.url for each in materials if not each.hashes] == []


def test_no_lock_file_names_a_registry() -> None:
    """Else that one alone could say what the name of a package stands for."""
    for path in ROOT.glob("requirements*.txt"):
        assert "://" not in path.read_text(), path
    packages = json.loads((ROOT / "web" / "client" / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_what_runs_here_is_what_is_pinned() -> None:
    """In just that version. (What was pinned once may still lie about.)"""
    pinned: dict[str, set[str]] = {}
    for each in read_all(ROOT):
        if each.kind == "pypi":
            pinned.setdefault(each.name, set()).add(each.version)
    here = {
        str(each.metadata["Name"]).lower().replace("_", "-").replace(".", "-"): each.version
        for each in distributions(path=[str(Path(sys.prefix) / _site_packages())])
    }
    met = here.keys() & pinned.keys() - BEFORE
    assert len(met) > 100
    assert {name: here[name] for name in met if here[name] not in pinned[name]} == {}


def _site_packages() -> str:
    return f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def test_what_is_not_pinned_is_named() -> None:
    for text in ("aiohttp>=3.12\n", "aiohttp @ https://example.org/a.whl\n", "-e .\n"):
        with pytest.raises(ValueError, match="not pinned"):
            read_python(text, "required")
    (loose,) = read_python("aiohttp==3.12.0\n", "required")
    assert loose.hashes == ()


def test_the_bill_of_materials(tmp_path: Path) -> None:
    """As scripts/audit --sbom writes it, without a network."""
    path = tmp_path / "sbom.json"
    script = str(ROOT / "scripts" / "materials.py")
    subprocess.run([sys.executable, script, path], check=True, capture_output=True)
    bill = json.loads(path.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "freiplatz"
    components = {each["purl"]: each for each in bill["components"]}
    assert len(components) == len(bill["components"]) == len(read_all(ROOT))
    scopes = {name: each["scope"] for name, each in components.items()}
    assert next(s for n, s in scopes.items() if n.startswith("pkg:pypi/quart@")) == "required"
    assert next(s for n, s in scopes.items() if n.startswith("pkg:npm/leaflet@")) == "required"
    assert next(s for n, s in scopes.items() if n.startswith("pkg:pypi/pytest@")) == "excluded"
    assert next(s for n, s in scopes.items() if n.startswith("pkg:npm/vite@")) == "excluded"
    lengths = {"SHA-256": 64, "SHA-512": 128}
    kinds: Counter[str] = Counter()
    for component in bill["components"]:
        for each in component["hashes"]:
            assert len(each["content"]) == lengths[each["alg"]], component["name"]
            kinds[each["alg"]] += 1
    assert min(kinds.values()) > 50
