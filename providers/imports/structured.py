"""JSON to rows: a list of objects, one in an envelope, JSON lines, or GeoJSON."""

from __future__ import annotations

import json
from typing import Any

from providers.imports.errors import UnreadableList
from providers.imports.geometry import position_of
from providers.imports.positions import geometry_cells
from providers.imports.tables import Row, Table

_DEEPEST = 4


def looks_like_json(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def read_json(text: str) -> Table:
    """The rows of a JSON text; raises `UnreadableList`."""
    document = _load(text)
    notes = ["JSON"]
    system = ""
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        notes = ["GeoJSON"]
        found: Any = document.get("features")
        system = _system(document)
    else:
        found, path = _longest_list(document, "", 0)
        if path:
            notes.append(f"rows taken from {path!r}")
    if not isinstance(found, list) or not found:
        raise UnreadableList("There is no list of homes in this JSON file.")
    rows = [_row(number, item, system) for number, item in enumerate(found, start=1)]
    columns = list(dict.fromkeys(name for row in rows for name in row.cells))
    if not columns:
        raise UnreadableList("The list in this JSON file holds no objects.")
    return Table(columns=columns, rows=rows, notes=notes)


def _load(text: str) -> Any:
    text = text.lstrip("\ufeff")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            if len(lines) > 1:
                return [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            pass
        raise UnreadableList(f"This is not valid JSON: {error}.") from error


def _longest_list(document: Any, path: str, depth: int) -> tuple[list[Any], str]:
    """The longest list of objects in `document`, and where it was."""
    if isinstance(document, list):
        # A single object among strings would do: its neighbours are refused as rows.
        return (document, path) if any(isinstance(item, dict) for item in document) else ([], path)
    best: tuple[list[Any], str] = ([], path)
    if isinstance(document, dict) and depth < _DEEPEST:
        for key, value in document.items():
            found = _longest_list(value, f"{path}.{key}".lstrip("."), depth + 1)
            if len(found[0]) > len(best[0]):
                best = found
    return best


def _system(collection: dict[str, Any]) -> str:
    """The name of the coordinate system in a `crs` member, as GeoJSON of 2008 had it."""
    try:
        return str(collection["crs"]["properties"]["name"])
    except (KeyError, TypeError):
        return ""


def _row(number: int, item: Any, system: str) -> Row:
    if not isinstance(item, dict):
        return Row(number, {}, "is not an object")
    cells: dict[str, str] = {}
    if item.get("type") == "Feature":
        properties = item.get("properties")
        if isinstance(properties, dict):
            _flatten(properties, "", cells, 0)
        identifier = item.get("id")
        # GeoServer makes up ids ("homes.fid-5f2a_…") anew for each answer.
        if not cells.get("id") and isinstance(identifier, (str, int)):
            cells |= {} if ".fid-" in f".{identifier}" else {"id": str(identifier)}
    else:
        _flatten(item, "", cells, 0)
    if position := position_of(item.get("geometry")):
        cells |= geometry_cells(*position, system)
    return Row(number, cells)


def _flatten(value: dict[str, Any], path: str, cells: dict[str, str], depth: int) -> None:
    for key, member in value.items():
        name = f"{path}.{key}" if path else str(key)
        if name == "geometry":
            continue
        if isinstance(member, dict):
            if depth < _DEEPEST:
                _flatten(member, name, cells, depth + 1)
        else:
            cells[name] = _text(member)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value if not isinstance(item, (dict, list)))
    return str(value)
