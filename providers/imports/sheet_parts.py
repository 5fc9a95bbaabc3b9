"""The parts of a packed spreadsheet, looked through before a library lays them out in memory.

A small file can ask for all memory in four ways: parts that unpack to gigabytes; two cells at
opposite corners, since every cell between them is laid out (tafia/calamine, issue 693); many cells
that show the same long text, which the file holds once; and a high number of texts that is only
announced. Runs in the process of `sheet_cells`, and imports nothing of ours.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

_ZIP = b"PK\x03\x04"
_MOST_PARTS = 5_000
# What the values of cells need; so not pictures, macros, caches of pivot tables, themes.
_NEEDED = re.compile(r".*\.(?:xml|rels)|mimetype", re.IGNORECASE | re.DOTALL)
_UNNEEDED = re.compile(
    r"xl/(?:media|drawings|charts|theme|embeddings|pivotcache|pivottables|externallinks"
    r"|printersettings|ctrlprops|comments\d*|threadedcomments|persons)[/.].*|customxml/.*"
    r"|docprops/.*",
    re.IGNORECASE | re.DOTALL,
)
_ROW_OR_CELL = re.compile(rb"<(?:\w{1,20}:)?(row|c)[\s/>]")
_EMPTY_CELL = re.compile(rb"<(?:\w{1,20}:)?c\s[^<>]{0,200}/>")
# The place of a cell ("B7") or of a row ("7").
_PLACE = re.compile(rb"""(?<![\w:.-])r\s*=\s*["']([A-Za-z]*)([0-9]+)["']""")
_ANNOUNCED = re.compile(rb"""uniqueCount\s*=\s*(?:"[^"<>]*"|'[^'<>]*')""")
_SHARED_TEXT = re.compile(rb"<(?:\w{1,20}:)?si[\s/>]")
# With no character reference in it, which could be a digit in disguise.
_VALUE = re.compile(rb"<(?:\w{1,20}:)?v>((?:[^<&]|&(?!#)){0,2000})</")


class TooLarge(Exception):
    """More than the limits allow."""


def checked(content: bytes, limits: Mapping[str, int]) -> bytes:
    """`content`, or, of a packed spreadsheet, an archive of the parts that are needed.

    `limits`: `unpacked_bytes`, `cells` and `characters` of all sheets. Raises `TooLarge`, and
    what `zipfile` raises for damaged archives.
    """
    if not content.startswith(_ZIP):
        return content
    parts = _unpack(content, limits["unpacked_bytes"])
    texts = next((name for name in parts if name.lower() == "xl/sharedstrings.xml"), None)
    lengths = [len(text) for text in _SHARED_TEXT.split(parts[texts])[1:]] if texts else []
    characters = limits["characters"]
    for name, part in parts.items():
        if name == texts:
            # Room is made for as many texts as are announced; without that they are counted.
            parts[name] = _ANNOUNCED.sub(b" ", part)
        elif re.match(r"xl/.*sheet", name, re.IGNORECASE) and not name.endswith(".rels"):
            parts[name] = part = _without_empty_cells(part)
            _check_extent(part, limits["cells"])
            characters -= _shown(part, lengths)
            if characters < 0:
                raise TooLarge
    return _pack(parts)


def _unpack(content: bytes, left: int) -> dict[str, bytes]:
    """The parts that are needed. What the archive says of their size is not believed."""
    parts: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if len(entries) > _MOST_PARTS:
            raise TooLarge
        for entry in entries:
            if not _NEEDED.fullmatch(entry.filename) or _UNNEEDED.fullmatch(entry.filename):
                continue
            with archive.open(entry) as file:
                part = file.read(left + 1)
            left -= len(part)
            if left < 0:
                raise TooLarge
            parts[entry.filename] = part
    return parts


def _without_empty_cells(part: bytes) -> bytes:
    """Without cells that have a look and no value: people format far more than they fill. Only
    where every cell says its place, since others take theirs from the one before."""
    if _cells(part) != _placed_cells(part):
        return part
    return _EMPTY_CELL.sub(b"", part)


def _cells(part: bytes) -> int:
    return sum(1 for tag in _ROW_OR_CELL.finditer(part) if tag[1] == b"c")


def _placed_cells(part: bytes) -> int:
    return sum(1 for place in _PLACE.finditer(part) if place[1])


def _check_extent(part: bytes, most_cells: int) -> None:
    """Raise `TooLarge` if the rectangle from A1 to the last cell has too many.

    Places are looked for anywhere in the text, whatever they belong to: more of them only makes
    the rectangle larger. Cells without one follow those before, so they are counted.
    """
    if b"\0" in part:
        raise TooLarge  # another encoding, which would hide the places
    columns = rows = 0
    for place in _PLACE.finditer(part):
        if len(place[1]) > 3 or len(place[2]) > 7:
            raise TooLarge
        columns, rows = max(columns, _number(place[1])), max(rows, int(place[2]))
    cells = longest = in_row = row_tags = 0
    for tag in _ROW_OR_CELL.finditer(part):
        in_row = in_row + 1 if tag[1] == b"c" else 0
        longest = max(longest, in_row)
        cells += tag[1] == b"c"
        row_tags += tag[1] != b"c"
    if cells != _placed_cells(part):
        columns, rows = columns + longest, rows + row_tags
    if columns * rows > most_cells or cells > most_cells:
        raise TooLarge


def _number(column: bytes) -> int:
    """The number of a column: A is 1, AA is 27, and none is 0."""
    number: int = 0
    for letter in column.upper():
        number = number * 26 + int(letter) - ord("A") + 1
    return number


def _shown(part: bytes, lengths: list[int]) -> int:
    """Bytes of shared texts that the cells of `part` show, at most: where no value can be read,
    it may be the number of any of them in disguise."""
    if not lengths:
        return 0
    shown = 0
    cells = _cells(part)
    for value in _VALUE.finditer(part):
        cells -= 1
        text = value[1].strip().removeprefix(b"+")
        if text.isdigit() and len(text) < 10 and int(text) < len(lengths):
            shown += lengths[int(text)]
    return shown + max(0, cells) * max(lengths)


def _pack(parts: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()
