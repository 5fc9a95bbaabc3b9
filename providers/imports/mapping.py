"""The mapping of a list: which column is which field, and which rows are left out.

A mapping file is JSON or TOML:

    provider = "Kreis Musterstadt"      # for rows that name none
    country = "DE"                      # for rows that name none
    crs = "EPSG:25832"                  # the system of coordinates that are not degrees
    [columns]                           # field = column, "" to leave a field out
    name = "Einrichtung"
    "capacity.short_term" = "KZP-Plätze"
    [leave_out]                         # column = values; such rows are not homes
    Art = ["Eingliederungshilfe"]

What it does not name is still recognised.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from providers.imports.columns import SEVERAL, recognise
from providers.imports.errors import InvalidMapping, MappingNeeded
from providers.imports.names import CAPACITY_FIELDS, COST_FIELDS, FIELDS, OFFER_FIELDS
from providers.imports.positions import SYSTEM_NEEDED
from providers.imports.projections import System, system_in_column, system_named
from providers.imports.tables import Table, fold

# Not care homes in the sense of SGB XI: integration assistance for disabled people (SGB IX).
LEFT_OUT_WORD = "eingliederungshilfe"
# OpenStreetMap says for whom a social facility is.
_OTHER_GROUPS = frozenset(
    {"child", "juvenile", "migrant", "refugee", "drugaddicted", "mentalhealth", "disabled"}
    | {"homeless", "unemployed"}
)
_ABOUT_CARE = ("care_form", "places", "target_group", *CAPACITY_FIELDS, *OFFER_FIELDS, *COST_FIELDS)
_SOUNDS_LIKE_HOME = re.compile(
    r"senior|pfleg|heim\b|\bhaus\b|\bhaus |stift|residen|alten|alters|hospi|wohnen|betreu|zentrum"
    r"|care|nursing|ehpad|foyer|maison|r[ée]sidence|st\. |sankt|\bst\b",
    re.IGNORECASE,
)
_PLACES = ("coordinates", "postcode", "city", "postcode_city", "address")


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """field → column, or columns in order of preference; column → values left out."""

    columns: dict[str, str | list[str]] = {}
    leave_out: dict[str, list[str]] = {}
    provider: str | None = None
    country: str | None = None
    crs: str | None = None

    def system(self) -> System | None:
        """The coordinate system that `crs` names; raises `InvalidMapping` for an unknown one."""
        if self.crs is None:
            return None
        system = system_named(self.crs)
        if system is None:
            raise InvalidMapping(
                f"There is no coordinate system {self.crs!r}. Write for example EPSG:25832"
                " (UTM zone 32), EPSG:31467 (Gauß-Krüger zone 3) or EPSG:2056 (LV95).",
                field="crs",
            )
        return system

    def of(self, field: str) -> list[str]:
        """The columns of a field."""
        columns = self.columns.get(field, [])
        return [columns] if isinstance(columns, str) else columns


def load_mapping(text: str) -> Mapping:
    """A mapping from a file's path, or from `field=column,field=column`.

    Raises `InvalidMapping`.
    """
    if "=" in text and not Path(text).is_file():
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        return _checked({"columns": {a.strip(): b.strip() for a, _, b in pairs}})
    try:
        content = Path(text).read_text("utf-8-sig")
        document = (
            msgspec.json.decode(content)
            if content.lstrip().startswith("{")
            else (tomllib.loads(content))
        )
    except (OSError, ValueError) as error:
        raise InvalidMapping(
            f"The mapping {text!r} cannot be read ({error}). It must be a JSON or TOML file, or"
            " look like name=Heim,postcode=PLZ."
        ) from error
    return _checked(document)


def _checked(document: Any) -> Mapping:
    try:
        mapping = msgspec.convert(document, Mapping)
    except msgspec.ValidationError as error:
        raise InvalidMapping(f"The mapping is not understood: {error}.") from error
    for field in mapping.columns:
        if field not in FIELDS:
            raise InvalidMapping(
                f"There is no field {field!r}. Fields are: {', '.join(FIELDS)}.", field=field
            )
    return mapping


def complete_mapping(table: Table, given: Mapping | None = None) -> Mapping:
    """The mapping for `table`: what is given, and for the rest what can be recognised.

    Raises `InvalidMapping` for a column that the table lacks, and `MappingNeeded` when no
    name or no place is among the columns.
    """
    given = given or Mapping()
    named = {field: _existing(field, given.of(field), table) for field in given.columns}
    used = {column for columns in named.values() for column in columns}
    columns: dict[str, str | list[str]] = {}
    for field, found in recognise(table).items():
        kept = [column for column in found if column not in used]
        if field not in named and kept:
            columns[field] = kept if field in SEVERAL else kept[0]
    for field, found in named.items():
        if found:
            columns[field] = found if len(found) > 1 else found[0]
    leave_out = {_existing(c, [c], table)[0]: values for c, values in given.leave_out.items()}
    mapping = replace(given, columns=columns, leave_out=leave_out)
    mapping.system()
    _check_complete(mapping, table)
    return mapping


def _existing(field: str, columns: list[str], table: Table) -> list[str]:
    """The columns as the table writes them."""
    written = {fold(column): column for column in reversed(table.columns)}
    found = []
    for column in columns:
        if not column:
            continue
        exact = column if column in table.columns else written.get(fold(column))
        if exact is None:
            raise InvalidMapping(
                f"There is no column {column!r} (for {field}). The columns are:"
                f" {', '.join(table.columns[:60])}.",
                field=field,
            )
        found.append(exact)
    return found


def _check_complete(mapping: Mapping, table: Table) -> None:
    missing = [] if mapping.of("name") else ["name"]
    degrees = mapping.of("latitude") and mapping.of("longitude")
    metres = mapping.of("easting") and mapping.of("northing")
    has_address = any(mapping.of(field) for field in _PLACES)
    if not (degrees or metres or has_address):
        missing.append("postcode")
    elif not degrees and not has_address and not _names_system(mapping):
        raise MappingNeeded(
            f'{SYSTEM_NEEDED}, or crs = "EPSG:…" in a mapping.', proposal=render(mapping)
        )
    if missing:
        raise MappingNeeded(
            f"It cannot be told which column holds the {' and the '.join(missing)}. Say it with"
            " --mapping: complete the mapping below and save it to a file, or write for example"
            f" --mapping {','.join(f'{field}=COLUMN' for field in missing)}.\n"
            f"The columns are: {', '.join(table.columns[:60])}.",
            proposal=render(mapping, missing),
        )


def _names_system(mapping: Mapping) -> bool:
    """Whether the system of eastings and northings is told, by whatever way."""
    return (
        mapping.crs is not None
        or bool(mapping.of("crs"))
        or any(system_in_column(column) for column in mapping.of("easting"))
    )


def render(mapping: Mapping, missing: list[str] | None = None) -> str:
    """The mapping as a JSON file."""
    document: dict[str, Any] = {
        "columns": dict.fromkeys(missing or [], "COLUMN?") | dict(mapping.columns)
    }
    if mapping.leave_out:
        document["leave_out"] = mapping.leave_out
    for name in ("provider", "country", "crs"):
        if getattr(mapping, name):
            document[name] = getattr(mapping, name)
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def sounds_like_homes(table: Table, mapping: Mapping) -> bool:
    """Whether a list may be one of care homes: columns speak of care or places, or a tenth of the
    names does. Lists of towns and of districts have names and places too."""
    if any(mapping.of(field) for field in _ABOUT_CARE):
        return True
    names = [row.cells.get(column, "") for column in mapping.of("name") for row in table.rows]
    hits = sum(_SOUNDS_LIKE_HOME.search(name[:200]) is not None for name in names)
    return len(names) < 10 or hits >= 0.1 * len(names)


def left_out(mapping: Mapping, cells: dict[str, str]) -> str | None:
    """Why a row is not a care home, None if it may be one."""
    for column, values in mapping.leave_out.items():
        cell = cells.get(column, "").strip()
        if fold(cell) in {fold(value) for value in values}:
            return f"{column} is {cell!r}"
    for column in mapping.of("care_form"):
        if LEFT_OUT_WORD in fold(cells.get(column, "")):
            return f"{column} is {cells[column].strip()!r} (integration assistance)"
    for column in mapping.of("target_group"):
        groups = {fold(part) for part in cells.get(column, "").split(";") if part.strip()}
        if groups and groups <= _OTHER_GROUPS:
            return f"{column} is {cells[column].strip()!r}"
    return None
