"""XLSX, ODS and old XLS to rows: the sheet with the homes, checked before it is opened."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import msgspec
from msgspec.structs import replace

from providers.imports import sheet_cells
from providers.imports.errors import UnreadableList
from providers.imports.tables import Line, Table, header_at, known_names, table_of

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_AS = "Save the list as CSV (UTF-8) or as a new XLSX file and try again."
# A process takes two of these at most: each may use all the memory that it is allowed.
_AT_ONCE = threading.BoundedSemaphore(2)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a table may hold: a CSV so many lines, a spreadsheet so much packed, unpacked, and
    in all its sheets; and how much the process that reads that may take."""

    lines: int
    packed_bytes: int
    unpacked_bytes: int
    cells: int
    characters: int
    memory_bytes: int
    seconds: float


# For an operator's lists; one of 15,000 homes takes a tenth.
LISTS = Limits(
    lines=2_000_000,
    packed_bytes=50_000_000,
    unpacked_bytes=150_000_000,
    cells=5_000_000,
    characters=100_000_000,
    memory_bytes=1_500_000_000,
    seconds=120,
)


class Sheet(msgspec.Struct, frozen=True):
    """One sheet, from A1 on."""

    name: str
    visible: bool
    rows: list[list[str]]


_SHEETS = msgspec.json.Decoder(list[Sheet])


def looks_like_spreadsheet(content: bytes) -> bool:
    return content.startswith((_ZIP, _OLE))


def read_spreadsheet(
    content: bytes, known: frozenset[str] = frozenset(), limits: Limits = LISTS
) -> Table:
    """The rows of the sheet with the most columns that are recognised (`known`, as `table_of`
    has it), of equals the longest; hidden sheets only if there are no others.

    Raises `UnreadableList`.
    """
    if len(content) > limits.packed_bytes:
        raise _too_large(limits)
    sheets = [sheet for sheet in _sheets(content, limits) if sheet.rows]
    sheets = [sheet for sheet in sheets if sheet.visible] or sheets
    if not sheets:
        raise UnreadableList("There are no rows in this spreadsheet.")
    rated = [(_columns_known(sheet, known), len(sheet.rows)) for sheet in sheets]
    best = max(range(len(sheets)), key=lambda index: rated[index])
    table = table_of(_lines(sheets[best]), known)
    notes = [f"sheet {sheets[best].name!r}"]
    others = [
        sheet.name
        for index, sheet in enumerate(sheets)
        if index != best and rated[index][0] == rated[best][0] >= 2 and len(sheet.rows) > 1
    ]
    if others:
        notes.append(f"not read, but it looks alike: {', '.join(map(repr, others[:10]))}")
    return replace(table, notes=[*notes, *table.notes])


def _sheets(content: bytes, limits: Limits) -> list[Sheet]:
    reader = str(Path(sheet_cells.__file__))
    try:
        with _AT_ONCE:
            # -P: its folder is not searched for modules before the libraries.
            done = subprocess.run(
                [sys.executable, "-P", reader, msgspec.json.encode(limits).decode()],
                input=content,
                capture_output=True,
                timeout=limits.seconds,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise UnreadableList(f"The spreadsheet takes too long to read. {_SAVE_AS}") from error
    if done.returncode == 0:
        return _SHEETS.decode(done.stdout)
    if b"too large" in done.stderr or b"memory allocation" in done.stderr:
        raise _too_large(limits)
    if b"assword" in done.stderr or content.startswith(_OLE):
        raise UnreadableList(
            f"The spreadsheet cannot be read: it is protected by a password, or damaged. {_SAVE_AS}"
        )
    raise UnreadableList(f"This is no spreadsheet that can be read. {_SAVE_AS}")


def _too_large(limits: Limits) -> UnreadableList:
    return UnreadableList(
        f"The spreadsheet is too large: more than {limits.packed_bytes // 1_000_000} MB, unpacked"
        f" more than {limits.unpacked_bytes // 1_000_000} MB, or more than {limits.cells:,} cells."
        f" Perhaps a cell far below or far to the right of the list is not empty. {_SAVE_AS}"
    )


def _lines(sheet: Sheet) -> list[Line]:
    """The rows without the empty columns at the right, which sheets often have."""
    width = max(
        (at for row in sheet.rows for at, cell in enumerate(row, start=1) if cell.strip()),
        default=0,
    )
    return [(number, row[:width]) for number, row in enumerate(sheet.rows, start=1)]


def _columns_known(sheet: Sheet, known: frozenset[str]) -> int:
    return known_names(sheet.rows[header_at(sheet.rows, known)], known)
