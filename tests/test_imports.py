"""Imports go one way: web → providers → vacancies, and the domain knows no web framework."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What a package must not import, by the first part of the name.
FORBIDDEN = {
    "vacancies": {"providers", "web", "quart", "hypercorn", "werkzeug", "flask", "jinja2"},
    "providers": {"web"},
    "web": set[str](),
}


def imported(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every import, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import stays in its package unless it climbs out of it.
            yield node.lineno, node.module or "" if node.level == 0 else package


def files() -> list[Path]:
    """Every module of the three packages."""
    found = (path for package in FORBIDDEN for path in (ROOT / package).rglob("*.py"))
    return sorted(path for path in found if "node_modules" not in path.parts)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for line, name in imported(path.read_text(encoding="utf-8"), package)
        if name.split(".")[0] in FORBIDDEN[package]
    ]
    assert not wrong


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert readers <= {"vacancies/config.py"}


def test_an_import_the_wrong_way_is_seen() -> None:
    source = "def late():\n    from web.app import create_app\nimport providers.api as api"
    assert set(imported(source, "vacancies")) == {(2, "web.app"), (3, "providers.api")}
