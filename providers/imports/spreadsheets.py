"""XLSX, ODS and old XLS to rows: the sheet with the homes, checked before it is opened."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
from msgspec.structs import replace

from providers.imports import sheet_cells
from providers.imports.errors import UnreadableList
from providers.imports.tables import Line, Table, header_at, known_names, table_of

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LARGEST_BYTES = 50_000_000
LARGEST_UNPACKED_BYTES = 400_000_000
_MOST_PARTS = 5_000
_SECONDS = 120.0
_SAVE_AS = "Save the list as CSV (UTF-8) or as a new XLSX file and try again."


class Sheet(msgspec.Struct, frozen=True):
    """One sheet, from A1 on."""

    name: str
    visible: bool
    rows: list[list[str]]


_SHEETS = msgspec.json.Decoder(list[Sheet])


def looks_like_spreadsheet(content: bytes) -> bool:
    return content.startswith((_ZIP, _OLE))


def read_spreadsheet(content: bytes, known: frozenset[str] = frozenset()) -> Table:
    """The rows of the sheet with the most columns that are recognised (`known`, as `table_of`
    has it), of equals the longest; hidden sheets only if there are no others.

    Raises `UnreadableList`.
    """
    if len(content) > LARGEST_BYTES:
        raise UnreadableList("The spreadsheet is larger than 50 MB. Split it, or save it as CSV.")
    if content.startswith(_ZIP):
        _check_unpacked(content)
    sheets = [sheet for sheet in _sheets(content) if sheet.rows]
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


def _check_unpacked(content: bytes) -> None:
    """Refuse what would unpack to too much; a file that lies about it meets the limit of
    memory of the process that reads it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise UnreadableList(f"The spreadsheet is damaged. {_SAVE_AS}") from error
    if len(parts) > _MOST_PARTS or sum(p.file_size for p in parts) > LARGEST_UNPACKED_BYTES:
        raise UnreadableList(
            "Unpacked, the spreadsheet is larger than 400 MB. Save the list as CSV and try again."
        )


def _sheets(content: bytes) -> list[Sheet]:
    try:
        # -P: its folder is not searched for modules.
        done = subprocess.run(
            [sys.executable, "-P", str(Path(sheet_cells.__file__))],
            input=content,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableList(f"The spreadsheet takes too long to read. {_SAVE_AS}") from error
    if done.returncode == 0:
        return _SHEETS.decode(done.stdout)
    if b"too many cells" in done.stderr or b"memory allocation" in done.stderr:
        raise UnreadableList(
            "A sheet is too large: a cell far below or far to the right of the list is not"
            f" empty. {_SAVE_AS}"
        )
    if b"assword" in done.stderr or content.startswith(_OLE):
        raise UnreadableList(
            f"The spreadsheet cannot be read: it is protected by a password, or damaged. {_SAVE_AS}"
        )
    raise UnreadableList(f"This is no spreadsheet that can be read. {_SAVE_AS}")


def _lines(sheet: Sheet) -> list[Line]:
    """The rows without the empty columns at the right, which sheets often have."""
    width = max(
        (at for row in sheet.rows for at, cell in enumerate(row, start=1) if cell.strip()),
        default=0,
    )
    return [(number, row[:width]) for number, row in enumerate(sheet.rows, start=1)]


def _columns_known(sheet: Sheet, known: frozenset[str]) -> int:
    return known_names(sheet.rows[header_at(sheet.rows, known)], known)
