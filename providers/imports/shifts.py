"""Rows whose cells have moved to other columns, though their number is right.

A cell is judged only by what can be told for certain: a postcode, an e-mail address, an address
on the web, a telephone number, a plain number, words. A row is refused if at least two of its
cells cannot be what their columns hold and one of them evidently belongs to another column of the
list; a single odd cell ("siehe Homepage" under Telefon) is somebody's remark. Numbers are told by
their company: from a cell on that its column cannot hold, all have moved up to the empty last one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from providers.imports.amounts import read_amount, read_euros, read_places
from providers.imports.cells import clean_text, read_flag
from providers.imports.mapping import Mapping
from providers.imports.names import CAPACITY_FIELDS, COST_FIELDS, OFFER_FIELDS
from providers.imports.tables import Row, Table

Kind = Literal["postcode", "email", "website", "phone", "number", "words"]

_POSTCODE = re.compile(r"(?:[A-Z]{1,3}\s?[-–]\s?)?\d{5}")
_ANY_POSTCODE = re.compile(
    r"(?:[A-Z]{1,3}\s?[-–]\s?)?\d{4,6}([.,]0+)?|\d{1,2}[.,' ]\d{3}|(?=\D*\d)[A-Z0-9][A-Z0-9 -]{1,9}"
    r"|(?:[A-Z]{1,2}-)?\d{4,5}\s+\D.*"
)
_EMAIL = re.compile(r"\S+@\S+\.\S+")
_WEBSITE = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_PHONE = re.compile(r"(?:\+|00?[1-9]|\(\+?0)[\d\s()/.–-]{5,}")
_FEWEST_JUDGED = 10
# Contacts are mixed up by people, row by row; that alone is no shift.
_CONTACTS = frozenset({"phone", "email", "website"})


def kind_of(cell: str) -> Kind:
    """What a cell evidently is."""
    if _POSTCODE.fullmatch(cell):
        return "postcode"
    if _EMAIL.search(cell):
        return "email"
    if _WEBSITE.match(cell):
        return "website"
    if _PHONE.fullmatch(cell) and sum(c.isdigit() for c in cell) >= 6 and "." not in cell[:4]:
        return "phone"
    return "number" if read_amount(cell) is not None else "words"


def _is_street(cell: str) -> bool:
    return kind_of(cell) == "words" or (kind_of(cell) == "number" and len(cell) < 4)


def _is_place_count(cell: str) -> bool:
    return kind_of(cell) in ("number", "words") or read_places(cell) is not None


def _is_coordinate(cell: str) -> bool:
    return any(c.isdigit() for c in cell) and kind_of(cell) not in ("email", "website")


_FITS: dict[str, Callable[[str], bool]] = {
    "name": lambda cell: kind_of(cell) in ("words", "number", "website"),
    "street": _is_street,
    "house_number": lambda cell: any(c.isdigit() for c in cell) and kind_of(cell) != "postcode",
    "postcode": lambda cell: _ANY_POSTCODE.fullmatch(cell) is not None,
    "city": lambda cell: kind_of(cell) == "words",
    "phone": lambda cell: (
        any(c.isdigit() for c in cell) and kind_of(cell) not in ("postcode", "email", "website")
    ),
    "email": lambda cell: "@" in cell,
    "website": lambda cell: "." in cell and kind_of(cell) in ("website", "words"),
    "country": lambda cell: kind_of(cell) == "words",
    "places": _is_place_count,
    **dict.fromkeys(("latitude", "longitude", "easting", "northing"), _is_coordinate),
    **dict.fromkeys(CAPACITY_FIELDS, _is_place_count),
    **dict.fromkeys(OFFER_FIELDS, lambda cell: read_flag(cell) is not None),
    **dict.fromkeys(COST_FIELDS, lambda cell: kind_of(cell) not in ("email", "website", "phone")),
}
# What a column holds that is filled as it should be.
_WELL: dict[str, Callable[[str], bool]] = _FITS | {
    "phone": lambda cell: sum(c.isdigit() for c in cell) >= 5,
    **dict.fromkeys(("places", *CAPACITY_FIELDS), lambda cell: read_places(cell) is not None),
    **dict.fromkeys(COST_FIELDS, lambda cell: read_euros(cell) is not None),
}
# The columns to which a kind of cell belongs for certain.
_AT_HOME: dict[Kind, str] = {
    "postcode": "postcode",
    "email": "email",
    "website": "website",
    "phone": "phone",
}


class Shape:
    """What the columns of a table hold, and which rows contradict it."""

    def __init__(self, table: Table, mapping: Mapping) -> None:
        self._columns = {
            field: column
            for field in _FITS
            for column in mapping.of(field)[:1]
            if _holds(table, column, _FITS[field])
        }
        self._order = table.columns
        self._fields = {column: field for field, column in self._columns.items()}

    def fault(self, row: Row) -> str | None:
        """Why the cells of `row` must have moved, None if they may stand where they belong."""
        wrong = {
            field: cell
            for field, column in self._columns.items()
            if (cell := clean_text(row.cells.get(column))) is not None and not _FITS[field](cell)
        }
        if (column := self._moved_from(row)) is not None:
            return (
                f"The cells have shifted: a cell is missing in front of the column {column!r} or"
                " in it, and those after it stand one too far to the left."
            )
        if len(wrong) < 2 or wrong.keys() <= _CONTACTS:
            return None
        for field, cell in wrong.items():
            home = _AT_HOME.get(kind_of(cell))
            if home is not None and home != field and home in self._columns:
                others = ", ".join(self._columns[name] for name in wrong if name != field)
                return (
                    f"The cells have shifted: {cell[:40]!r} stands in the column"
                    f" {self._columns[field]!r}, and {others} do not fit either."
                )
        return None

    def _moved_from(self, row: Row) -> str | None:
        """The first column whose cell cannot be its own and, like two cells or more from there
        on, is one that the next column holds, up to the last one, which is empty."""
        cells = [clean_text(row.cells.get(column)) for column in self._order]
        if cells[-1] is not None:
            return None
        start = next((at for at, cell in enumerate(cells) if not self._fits(at, cell)), None)
        if start is None:
            return None
        moved = [(at + 1, cell) for at, cell in enumerate(cells[:-1]) if at >= start and cell]
        told = sum(self._order[at] in self._fields for at, _ in moved)
        is_moved = told >= 2 and all(self._fits(at, cell) for at, cell in moved)
        return self._order[start] if is_moved else None

    def _fits(self, at: int, cell: str | None) -> bool:
        field = self._fields.get(self._order[at])
        return cell is None or field is None or _WELL[field](cell)


def _holds(table: Table, column: str, fits: Callable[[str], bool]) -> bool:
    """Whether the cells of `column` are mostly what its name says; few cells prove nothing."""
    cells = [cell for row in table.rows[:500] if (cell := clean_text(row.cells.get(column)))]
    return len(cells) < _FEWEST_JUDGED or sum(map(fits, cells)) >= 0.6 * len(cells)
