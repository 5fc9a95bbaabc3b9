"""The first sheet of an XLSX workbook as text, without trusting its author.

A workbook is a zip of XML. A small file can take all memory of a process in four ways, and most
are no error that could be caught: parts that unpack to gigabytes; two cells at opposite corners,
since calamine lays out every cell between them (tafia/calamine, issue 693); many cells that show
the same long text, which the file holds once; and a high number of texts that is only announced.
So the parts are unpacked here, up to a limit, and looked through before calamine gets them.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from datetime import date, datetime
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from providers.imports.errors import UnreadableList

LARGEST_UNPACKED_BYTES = 20_000_000
MOST_PARTS = 500
MOST_ROWS = 10_000
MOST_COLUMNS = 200
LARGEST_TEXT_BYTES = 100_000_000

# What the values of cells need; so not pictures, macros, and themes.
_NEEDED = re.compile(
    r"\[Content_Types\]\.xml|(?:xl/)?_rels/[^/]*\.rels"
    r"|xl/(?:workbook|sharedStrings|styles)\.xml|xl/worksheets/[^/]+\.xml"
)
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_ANNOUNCED = re.compile(rb"""uniqueCount\s*=\s*(?:"[^"]*"|'[^']*')""")
_SHARED_TEXT = re.compile(rb"<(?:\w+:)?si[\s/>]")
_PLACED_CELL = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*["']""")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]+)["']""")


def is_workbook(content: bytes) -> bool:
    """Whether `content` is a zip, as XLSX files are."""
    return content.startswith(b"PK\x03\x04")


def read_workbook(content: bytes) -> list[list[str]]:
    """All rows of the first sheet from row 1 on, each cell as one would write it into a CSV:
    dates as 2026-12-24, whole numbers without a point. Raises `UnreadableList`.
    """
    parts = _unpack(content)
    for part in parts.values():
        _check_extent(part)
    longest = max(map(len, _SHARED_TEXT.split(parts.get("xl/sharedStrings.xml", b""))))
    cells = max(len(_CELL.findall(part)) for part in parts.values())
    if longest * cells > LARGEST_TEXT_BYTES:
        raise _too_large()
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(_pack(parts)))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, OSError, ValueError) as error:
        raise _unreadable() from error
    except BaseException as error:
        # A panic of the parser: an error of its own kind, which is no `Exception`.
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable() from error
    return [[_text(cell) for cell in row] for row in rows]


def _unpack(content: bytes) -> dict[str, bytes]:
    """The parts of a workbook. What the archive says of their size is not believed."""
    parts: dict[str, bytes] = {}
    left = LARGEST_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_PARTS:
                raise _too_large()
            for entry in entries:
                if not _NEEDED.fullmatch(entry.filename):
                    continue
                with archive.open(entry) as file:
                    part = file.read(left + 1)
                left -= len(part)
                if left < 0:
                    raise _too_large()
                parts[entry.filename] = part
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise _unreadable() from error
    if "xl/workbook.xml" not in parts:
        raise _unreadable()
    return parts


def _check_extent(part: bytes) -> None:
    """Raise unless every cell says where it is, and that is not far out."""
    cells = len(_CELL.findall(part))
    # Without places calamine counts; other encodings would hide the places from us.
    if b"\0" in part or cells != len(_PLACED_CELL.findall(part)):
        raise _unreadable()
    if len(_ROW.findall(part)) > MOST_ROWS:
        raise _too_large()
    for column, row in _PLACE.findall(part):
        if len(column) > 3 or _number(column) > MOST_COLUMNS:
            raise _too_large()
        if len(row) > 7 or int(row) > MOST_ROWS:
            raise _too_large()


def _number(column: bytes) -> int:
    """The number of a column: A is 1, AA is 27."""
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _pack(parts: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            # Room is made for as many texts as this says; without it calamine counts.
            archive.writestr(name, _ANNOUNCED.sub(b" ", part))
    return packed.getvalue()


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, (date, datetime)) else str(cell)


def _too_large() -> UnreadableList:
    return UnreadableList(
        f"This workbook is too large: more than {MOST_ROWS} rows, {MOST_COLUMNS} columns or"
        f" {LARGEST_UNPACKED_BYTES // 1_000_000} MB. Leave out what is not needed, or save it"
        " as CSV."
    )


def _unreadable() -> UnreadableList:
    return UnreadableList("This is not a workbook that can be read. Save it as CSV and try again.")
