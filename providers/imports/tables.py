"""Rows of cells to a table: where the header is, what columns are called, which rows shifted."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import msgspec

from providers.imports.errors import UnreadableList

LARGEST_BYTES = 200_000_000
_HEADER_SEARCH = 30
# What hardly ever is a column's name: a number of five digits or a decimal, an address of
# mail or web, a telephone number.
_DATA = re.compile(
    r"\d{5}|\d+[.,]\d{3,}|[^@\s]+@[^@\s]+\.\w+|https?://\S+|www\.\S+|[+(]?0\d[\d\s()/.-]{5,}"
)
# How spreadsheets write a number that is to stay text.
_QUOTED = re.compile(r'="(.*)"|\'([0-9+].*)', re.DOTALL)

Line = tuple[int, list[str]]  # row number, cells


class Row(msgspec.Struct, frozen=True):
    """`number` as a spreadsheet shows it (the header is row 1); in JSON and GML, from 1.

    `fault` says why the row as such cannot be used; then `cells` is empty, and `raw` has its
    cells as they stand there.
    """

    number: int
    cells: dict[str, str]
    fault: str | None = None
    raw: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of a list as text. `notes` say how it was read."""

    columns: list[str]
    rows: list[Row]
    notes: list[str] = []


def table_of(lines: Sequence[Line], known: frozenset[str]) -> Table:
    """The table in `lines`, of which some may stand above its header.

    `known` are the folded names of columns that are recognised: by them the header is told.
    A list without a header gets made-up names. Rows with another number of cells than the
    header have shifted: they carry a fault. Raises `UnreadableList`.
    """
    lines = [line for line in lines if any(cell.strip() for cell in line[1])]
    if not lines:
        raise UnreadableList("There are no rows in this file.")
    at = header_at([cells for _, cells in lines], known)
    first = lines[at][1]
    notes = []
    if not known_names(first, known) and any(_DATA.fullmatch(cell.strip()) for cell in first):
        below = lines[at:]
        columns = _unique([""] * max(len(cells) for _, cells in below))
        notes.append("the list has no header; columns are numbered")
    else:
        below = lines[at + 1 :]
        header = [" ".join(cell.split()) for cell in first]
        while header and not header[-1]:
            header.pop()  # a trailing separator in every line
        columns = _unique(header)
    # A separator at the end of every line is a habit of some programs, not a shift.
    usual = Counter(len(cells) for _, cells in below).most_common(1)
    rows = [_row(number, cells, columns, usual[0][0]) for number, cells in below]
    if not rows:
        raise UnreadableList("There is a header in this file, but no row below it.")
    if at:
        notes.append(f"{at} line(s) above the header were skipped")
    return Table(columns=columns, rows=rows, notes=notes)


def header_at(lines: Sequence[list[str]], known: frozenset[str]) -> int:
    """The index of the row with the most known column names; 0 if none has two."""
    hits = [known_names(cells, known) for cells in lines[:_HEADER_SEARCH]]
    best = max(range(len(hits)), key=lambda index: (hits[index], -index))
    return best if hits[best] >= 2 else 0


def known_names(cells: Sequence[str], known: frozenset[str]) -> int:
    """How many different cells are names of columns that are recognised."""
    return len({name for cell in cells if (name := fold(cell)) in known})


def fold(name: str) -> str:
    """A column name for comparison: "Straße / Nr." becomes "strassenr", "Téléphone"
    "telephone"."""
    plain = name.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    plain = unicodedata.normalize("NFKD", plain)
    return "".join(c for c in plain if c.isascii() and c.isalnum())


def _unique(header: list[str]) -> list[str]:
    """Column names, made up where they are missing, numbered where they repeat."""
    columns: list[str] = []
    taken: set[str] = set()
    for index, name in enumerate(header, start=1):
        name = name or f"column {index}"
        while name in taken:
            name = f"{name} ({index})"
        taken.add(name)
        columns.append(name)
    return columns


def _row(number: int, cells: list[str], columns: list[str], usual: int) -> Row:
    if len(cells) == usual > len(columns) and not any(map(str.strip, cells[len(columns) :])):
        cells = cells[: len(columns)]
    if len(cells) == len(columns):
        return Row(number, dict(zip(columns, map(_unquoted, cells), strict=True)))
    if any("\n" in cell or "\r" in cell for cell in cells) and len(cells) < len(columns):
        fault = "runs over several lines: a quotation mark in it is not closed"
    elif len(cells) < len(columns):
        fault = f"has {len(cells)} cells instead of {len(columns)}: cells are missing"
    else:
        fault = f"has {len(cells)} cells instead of {len(columns)}: the columns are shifted"
    return Row(number, {}, fault, tuple(cells))


def _unquoted(cell: str) -> str:
    match = _QUOTED.fullmatch(cell.strip())
    return cell if match is None else match[1] if match[1] is not None else match[2]
