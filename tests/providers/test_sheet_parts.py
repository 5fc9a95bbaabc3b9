"""Workbooks that mean harm: looked through before a library lays them out."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

from providers.imports import sheet_cells
from providers.imports.errors import UnreadableList
from providers.imports.files import read_rows
from providers.imports.sheet_parts import TooLarge, checked
from providers.imports.spreadsheets import LISTS, Limits
from providers.report_files import LIMITS
from tests.providers.spreadsheets import workbook

SPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"


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
    return b'<worksheet xmlns="%b" xmlns:x="%b"><sheetData>%b</sheetData></worksheet>' % (
        SPACE,
        SPACE,
        cells,
    )


def check(content: bytes, limits: Limits = LIMITS) -> bytes:
    return checked(content, msgspec.to_builtins(limits))


def rows_of(content: bytes) -> list[list[str]]:
    """What the process that reads spreadsheets says of the first sheet."""
    limits = msgspec.json.encode(LIMITS).decode()
    command = [sys.executable, "-P", str(Path(sheet_cells.__file__)), limits]
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    rows: list[list[str]] = msgspec.json.decode(done.stdout)[0]["rows"]
    return rows


@pytest.mark.parametrize(
    "cells",
    [
        b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>',
        b"<row r='999'><c r = 'xfd999'><v>2</v></c></row>",
        b"<row r='999'><c s=' r=\"A2\"' r='XFD999'><v>2</v></c></row>",
        b"<row r='999'><c s='1'r='XFD999'><v>2</v></c></row>",
        b'<row r="999999"><c r="A2"><v>2</v></c></row>',
        b"<row>" + b"<c><v>1</v></c>" * 5_000 + b"</row>" + b"<row/>" * 200,  # counted
        b'<x:row r="1048576"><x:c r="XFD1048576"><v>2</v></x:c></x:row>',
        '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'.encode("utf-16"),
        b'<row r="9"><c r="AAAAAAAAA9"><v>2</v></c></row>',
        b'<row r="9"><c r="A99999999999999999999"><v>2</v></c></row>',
    ],
)
def test_cells_at_opposite_corners_are_not_laid_out(cells: bytes) -> None:
    good = workbook(["home_id", "day"], ["a", 1])
    near = b'<row r="1"><c r="A1"><v>1</v></c><c r="T1"><v>1</v></c></row>'
    bad = repacked(good, xl__worksheets__sheet1=sheet(near + cells))
    with pytest.raises(TooLarge):
        check(bad)
    with pytest.raises(UnreadableList, match="too large"):
        read_rows(bad, frozenset(), LIMITS)
    # The case is right but for what is meant.
    assert rows_of(repacked(good, xl__worksheets__sheet1=sheet(near)))[0][0] == "1"


def test_cells_that_only_have_a_look_are_passed_over() -> None:
    """People format whole columns; what is empty there does not make a sheet large."""
    good = workbook(["home_id", "day"], ["a", 1])
    rows = b'<row r="1"><c r="A1"><v>7</v></c><c r="B1" s="1"/><c r="C1"><v>8</v></c></row>'
    rows += b'<row r="2"><c r="A2" s="1"/><c r="B2"><v>9</v></c></row>'
    rows += b'<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    content = repacked(good, xl__worksheets__sheet1=sheet(rows.replace(b' r="1048576"', b"")))
    assert rows_of(content) == [["7", "", "8"], ["", "9", ""]]


def test_cells_without_a_place_stand_one_after_the_other() -> None:
    good = workbook(["home_id", "day"], ["a", 1])
    rows = b"<row><c><v>7</v></c><c/><c><v>8</v></c></row><row><c/><c><v>9</v></c></row>"
    content = repacked(good, xl__worksheets__sheet1=sheet(rows))
    assert rows_of(content) == [["7", "", "8"], ["", "9", ""]]


def test_a_zip_bomb_is_not_unpacked() -> None:
    good = workbook(["home_id", "day"], ["a", 1])
    bomb = repacked(good, xl__sharedStrings=b" " * 300_000_000)
    assert len(bomb) < 400_000
    for limits in (LIMITS, LISTS):
        with pytest.raises(TooLarge):
            check(bomb, limits)
        with pytest.raises(UnreadableList, match="too large"):
            read_rows(bomb, frozenset(), limits)
    # One that says it is small ends where it says so, and its checksum is wrong.
    size = (300_000_000).to_bytes(4, "little")
    assert bomb.count(size) == 2
    with pytest.raises(UnreadableList, match="no spreadsheet"):
        read_rows(bomb.replace(size, (1_000).to_bytes(4, "little")), frozenset(), LIMITS)
    for cut in (100, len(good) // 2, len(good) - 10):
        with pytest.raises(UnreadableList):
            read_rows(good[:cut], frozenset(), LIMITS)


def test_pictures_do_not_count() -> None:
    good = workbook(["home_id", "day"], ["a", 1])
    added = io.BytesIO(good)
    with zipfile.ZipFile(added, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.emf", b"\0" * 30_000_000)
        archive.writestr("xl/theme/theme9.xml", b" " * 30_000_000)
    assert rows_of(added.getvalue()) == [["home_id", "day"], ["a", "1"]]


TEXTS = b'<sst xmlns="%b" count="%d" uniqueCount="4294967295"><si><t>%b</t></si></sst>'


@pytest.mark.parametrize(
    "value",
    [b"<v>0</v>", b"<v> +0 </v>", b"<v><![CDATA[0]]></v>", b"<v>&#48;</v>", b"<x:v >0</x:v>"],
)
def test_a_long_text_in_many_cells_is_not_laid_out(value: bytes) -> None:
    good = workbook(["home_id", "day"], ["a", 1])
    cells = b"".join(
        b'<row r="%d"><c r="A%d" t="s">%b</c></row>' % (row, row, value) for row in range(1, 5_001)
    )
    parts = {"xl__worksheets__sheet1": sheet(cells)}
    bomb = repacked(good, xl__sharedStrings=TEXTS % (SPACE, 5_000, b"x" * 5_000_000), **parts)
    assert len(bomb) < 100_000
    with pytest.raises(TooLarge):
        check(bomb)
    with pytest.raises(UnreadableList, match="too large"):
        read_rows(bomb, frozenset(), LIMITS)


def test_a_long_text_once_is_no_reason() -> None:
    """Nor a high number of texts that is only announced."""
    good = workbook(["home_id", "day"], ["a", 1])
    cells = b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>' + b"".join(
        b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (row, row, row) for row in range(2, 5_001)
    )
    parts = {"xl__worksheets__sheet1": sheet(cells)}
    content = repacked(good, xl__sharedStrings=TEXTS % (SPACE, 1, b"x" * 30_000), **parts)
    assert rows_of(content)[:2] == [["x" * 30_000], ["2"]]


def test_looking_through_takes_linear_time() -> None:
    good = workbook(["home_id", "day"], ["a", 1])
    for piece in (b"<c ", b"<c r", b" r=", b" r ", b"<v>", b'uniqueCount="', b"<si", b"<c r='A1'"):
        content = repacked(good, xl__worksheets__sheet1=piece * (2_000_000 // len(piece)))
        with pytest.raises(UnreadableList) as error:
            read_rows(content, frozenset(), LIMITS)
        assert "too long" not in error.value.detail
