"""CSV to rows: the text that spreadsheets and databases write, whatever separates its cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from msgspec.structs import replace

from providers.imports.errors import UnreadableList
from providers.imports.tables import Line, Table, known_names, table_of

_USUAL = ";,\t|"
# Separators that some databases write. All but the last also stand in ordinary text, so they
# count only where the header, cut by them, names columns that are recognised.
_RARE = "^~¦§\x1f"
_SAMPLE_ROWS = 200
_LONGEST_CELL = 1_000_000
_EXCEL_HINT = re.compile(r"sep=(.)\r?[\n\r]", re.IGNORECASE)


def read_csv(text: str, known: frozenset[str] = frozenset()) -> Table:
    """The rows of a CSV text with any line ends; `known` as `table_of` has it.

    Raises `UnreadableList`.
    """
    text = text.replace("\0", "").lstrip("\ufeff")
    hint = _EXCEL_HINT.match(text)
    separator = hint[1] if hint else _separator(text, known)
    lines = _records(text, separator)
    if hint:
        del lines[0]
    table = table_of(lines, known)
    return replace(table, notes=[f"separator {separator!r}", *table.notes])


def _separator(text: str, known: frozenset[str]) -> str:
    """The one that cuts most rows into the same number of cells, and into most of them."""
    samples = {separator: _records(text, separator, _SAMPLE_ROWS) for separator in _USUAL + _RARE}
    ratings = {separator: _rating(lines) for separator, lines in samples.items()}
    # Nine rows in ten is good enough: then more columns count more than the odd bad row.
    best = max(_USUAL, key=lambda s: (min(ratings[s][0], 0.9), ratings[s][1], ratings[s][0]))
    if _most_known(samples[best], known) >= 2:
        return best
    rare = max(_RARE, key=lambda s: _most_known(samples[s], known))
    return rare if ratings[rare][0] >= 0.9 and _most_known(samples[rare], known) >= 2 else best


def _rating(lines: list[Line]) -> tuple[float, int]:
    """Share of rows with the commonest number of cells, and that number; 0 for one cell."""
    counts = [len(cells) for _, cells in lines if any(cells)]
    if not counts:
        return 0.0, 0
    cells, often = max(Counter(counts).items(), key=lambda item: (item[1], item[0]))
    return (often / len(counts) if cells > 1 else 0.0), cells


def _most_known(lines: list[Line], known: frozenset[str]) -> int:
    return max((known_names(cells, known) for _, cells in lines), default=0)


def _records(text: str, separator: str, most: int | None = None) -> list[Line]:
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
