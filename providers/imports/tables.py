"""Bytes to rows: encodings, separators, and the CSV that spreadsheets write."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence

import msgspec
from charset_normalizer import from_bytes

from providers.imports.errors import UnreadableList

LARGEST_BYTES = 200_000_000
_SEPARATORS = ";,\t|"
_SAMPLE_ROWS = 200
_HEADER_SEARCH = 10
_LONGEST_CELL = 1_000_000

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Row(msgspec.Struct, frozen=True):
    """`number` as a spreadsheet shows it (the header is row 1); in JSON, from 1.

    `fault` says why the row as such cannot be used.
    """

    number: int
    cells: dict[str, str]
    fault: str | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of a list as text. `notes` say how it was read."""

    columns: list[str]
    rows: list[Row]
    notes: list[str] = []


def decode_text(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding.

    Strict UTF-8 first, because other text hardly ever passes for it; then Windows-1252,
    which is what German offices save; guessing only for the rest.
    Raises `UnreadableList`.
    """
    if len(content) > LARGEST_BYTES:
        raise UnreadableList("The file is larger than 200 MB. Split it.")
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode(content, encoding), encoding
    binary = b"\0" in content[:10_000]
    if not binary:
        for encoding in ("utf-8", "cp1252"):
            try:
                return content.decode(encoding), encoding
            except UnicodeDecodeError:
                continue
    best = from_bytes(content[:1_000_000]).best()
    if best is None or (binary and not best.encoding.startswith(("utf_16", "utf_32"))):
        raise UnreadableList(
            "This is not a text file. Save the list as CSV (UTF-8) or JSON and try again."
        )
    return _decode(content, best.encoding), best.encoding


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableList(
            f"The file cannot be read as {encoding}. Save it as UTF-8 and try again."
        ) from error


def read_csv(text: str, known: frozenset[str] | None = None) -> Table:
    """The rows of a CSV text.

    `known(column)`-like knowledge comes as `known`: folded names of columns that are
    recognised, by which the header is told from lines above it. Rows with another number
    of cells than the header have shifted: they carry a fault.
    Raises `UnreadableList`.
    """
    text = text.replace("\0", "")
    separator = _separator(text)
    lines = [line for line in _records(text, separator) if any(cell.strip() for cell in line[1])]
    if not lines:
        raise UnreadableList("There are no rows in this file.")
    at = _header_at([cells for _, cells in lines[:_HEADER_SEARCH]], known or frozenset())
    header = [cell.strip() for cell in lines[at][1]]
    while header and not header[-1]:
        header.pop()  # a trailing separator in every line
    columns = _unique(header)
    below = lines[at + 1 :]
    # A separator at the end of every line is a habit of some programs, not a shift.
    usual = Counter(len(cells) for _, cells in below).most_common(1)
    rows = [_row(number, cells, columns, usual[0][0]) for number, cells in below]
    if not rows:
        raise UnreadableList("There is a header in this file, but no row below it.")
    notes = [f"separator {separator!r}"]
    if at:
        notes.append(f"{at} line(s) above the header were skipped")
    return Table(columns=columns, rows=rows, notes=notes)


def _separator(text: str) -> str:
    """The one that cuts most rows into the same number of cells, and into most of them."""

    def rating(separator: str) -> tuple[float, int]:
        sample = [len(c) for _, c in _records(text, separator, most=_SAMPLE_ROWS) if any(c)]
        if not sample:
            return 0.0, 0
        cells, often = max(Counter(sample).items(), key=lambda item: (item[1], item[0]))
        return (often / len(sample) if cells > 1 else 0.0), cells

    ratings = {separator: rating(separator) for separator in _SEPARATORS}
    # Nine rows in ten is good enough: then more columns count more than the odd bad row.
    return max(_SEPARATORS, key=lambda s: (min(ratings[s][0], 0.9), ratings[s][1], ratings[s][0]))


def _records(text: str, separator: str, most: int | None = None) -> list[tuple[int, list[str]]]:
    """(row number, cells), including empty rows."""
    csv.field_size_limit(_LONGEST_CELL)
    found = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        for number, cells in enumerate(reader, start=1):
            found.append((number, cells))
            if most is not None and number >= most:
                break
    except csv.Error as error:
        raise UnreadableList(
            f"The table cannot be read: {error}. Look for a quotation mark that is not closed."
        ) from error
    return found


def _header_at(lines: Sequence[list[str]], known: frozenset[str]) -> int:
    """The index of the row with the most known column names; 0 if none has two."""
    hits = [sum(fold(cell) in known for cell in cells) for cells in lines]
    best = max(range(len(lines)), key=lambda index: (hits[index], -index))
    return best if hits[best] >= 2 else 0


def fold(name: str) -> str:
    """A column name for comparison: "Straße / Nr." becomes "strassenr"."""
    plain = name.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return "".join(c for c in plain if c.isascii() and c.isalnum())


def _unique(header: list[str]) -> list[str]:
    """Column names, made up where they are missing, numbered where they repeat."""
    columns: list[str] = []
    for index, name in enumerate(header, start=1):
        name = name or f"column {index}"
        columns.append(name if name not in columns else f"{name} ({index})")
    return columns


def _row(number: int, cells: list[str], columns: list[str], usual: int) -> Row:
    if len(cells) == usual > len(columns) and not any(map(str.strip, cells[len(columns) :])):
        cells = cells[: len(columns)]
    if len(cells) == len(columns):
        return Row(number, dict(zip(columns, cells, strict=True)))
    if len(cells) < len(columns):
        fault = f"has {len(cells)} cells instead of {len(columns)}: cells are missing"
    else:
        fault = f"has {len(cells)} cells instead of {len(columns)}: the columns are shifted"
    return Row(number, {}, fault)
