"""Workbooks that mean harm."""

from __future__ import annotations

import io
import zipfile

import pytest

from providers.imports.errors import UnreadableList
from providers.workbooks import MOST_ROWS, read_workbook
from tests.providers.spreadsheets import workbook


def repacked(content: bytes, **parts: bytes) -> bytes:
    """`content` with other parts in place of those of the same name (`_` for `/`)."""
    changed = {name.replace("__", "/") + ".xml": part for name, part in parts.items()}
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, changed.get(name, old.read(name)))
    return packed.getvalue()


def sheet(cells: bytes) -> bytes:
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<worksheet xmlns="%b" xmlns:x="%b"><sheetData>%b</sheetData></worksheet>' % (
        space,
        space,
        cells,
    )


def test_a_workbook_that_would_take_all_memory_is_refused() -> None:
    good = workbook(["home_id", "day"], ["a", 1])
    far = b'<row r="1"><c r="A1"><v>1</v></c></row>'
    corner = b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    cases = (
        far + corner,
        far + b"<row r='9'><c r = 'xfd9'><v>2</v></c></row>",
        far + b"<row r='2'><c s=' r=\"A2\"' r='XFD2'><v>2</v></c></row>",
        far + b'<row r="999999"><c r="A2"><v>2</v></c></row>',
        b"<row>" + b"<c><v>1</v></c>" * 500 + b"</row>",  # cells that are counted
        b"<row/>" * (MOST_ROWS + 1) + far,
        far + corner.replace(b"<row", b"<x:row").replace(b"<c ", b"<x:c "),
        far + corner.decode().encode("utf-16"),
    )
    for cells in cases:
        with pytest.raises(UnreadableList):
            read_workbook(repacked(good, xl__worksheets__sheet1=sheet(cells)))
    # The cases are right but for what is meant.
    assert read_workbook(repacked(good, xl__worksheets__sheet1=sheet(far))) == [["1"]]


def test_a_zip_bomb_is_not_unpacked() -> None:
    good = workbook(["home_id", "day"], ["a", 1])
    bomb = repacked(good, xl__sharedStrings=b" " * 300_000_000)
    assert len(bomb) < 400_000
    with pytest.raises(UnreadableList, match="too large"):
        read_workbook(bomb)
    # One that says it is small ends where it says so, and its checksum is wrong.
    size = (300_000_000).to_bytes(4, "little")
    assert bomb.count(size) == 2
    with pytest.raises(UnreadableList, match="not a workbook"):
        read_workbook(bomb.replace(size, (1_000).to_bytes(4, "little")))
    for cut in (100, len(good) // 2, len(good) - 10):
        with pytest.raises(UnreadableList):
            read_workbook(good[:cut])


def test_a_long_text_in_many_cells_is_not_laid_out() -> None:
    good = workbook(["home_id", "day"], ["a", 1])
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    texts = b'<sst xmlns="%b" count="%d" uniqueCount="4294967295"><si><t>%b</t></si></sst>'
    cells = b"".join(
        b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row) for row in range(1, 5_001)
    )
    parts = {"xl__worksheets__sheet1": sheet(cells)}
    bomb = repacked(good, xl__sharedStrings=texts % (space, 5_000, b"x" * 5_000_000), **parts)
    assert len(bomb) < 100_000
    with pytest.raises(UnreadableList, match="too large"):
        read_workbook(bomb)
    short = repacked(good, xl__sharedStrings=texts % (space, 5_000, b"x" * 100), **parts)
    assert read_workbook(short) == [["x" * 100]] * 5_000
