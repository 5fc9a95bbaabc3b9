"""Spreadsheets: the right sheet, header and cells, and files that would break the process."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.imports.entries import Entry, Reader
from providers.imports.errors import UnreadableList
from providers.imports.files import read_table
from providers.imports.mapping import complete_mapping
from providers.imports.spreadsheets import LISTS
from providers.imports.tables import Table

Fill = Callable[[xlsxwriter.Workbook], None]


def workbook(fill: Fill) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        fill(book)
    return content.getvalue()


def simple(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet("Heime")
    sheet.write_row(0, 0, ["Name", "PLZ", "Ort"])
    sheet.write_row(1, 0, ["Haus A", 1067, "Dresden"])


def first(table: Table) -> Entry:
    entry = Reader(table, complete_mapping(table), "P").read(table.rows[0])
    assert isinstance(entry, Entry), entry
    return entry


def test_the_sheet_with_the_homes() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        cover = book.add_worksheet("Deckblatt")
        cover.merge_range("A1:F1", "Pflegeheime im Kreis Musterstadt")
        cover.write_column(2, 0, [f"Hinweis {number}" for number in range(40)])
        legend = book.add_worksheet("Legende")
        legend.write_row(0, 0, ["Kürzel", "Bedeutung"])
        homes = book.add_worksheet("Einrichtungen 2026")
        homes.merge_range("B2:G2", "Liste der Einrichtungen, Stand:")
        homes.write(1, 7, date(2026, 1, 31), book.add_format({"num_format": "dd.mm.yyyy"}))
        homes.write_row(
            4, 1, ["Einrichtung", "Straße", "PLZ", "Ort", "Telefon", "Plätze", "EEE", "seit"]
        )
        postcode = book.add_format({"num_format": "00000"})
        homes.write_row(5, 1, ["Haus A", "Weg 1", None, "Dresden", "0351 123456", 80, 1234.5])
        homes.write(5, 3, 1067, postcode)
        homes.write_datetime(5, 8, datetime(2001, 5, 1), book.add_format({"num_format": "yyyy"}))  # noqa: DTZ001
        homes.write_row(7, 1, ["Haus B", "Weg 2", "01069", "Dresden"])
        archive = book.add_worksheet("Alt")
        archive.write_row(0, 0, ["Einrichtung", "Straße", "PLZ", "Ort", "Telefon", "Plätze"])
        for number in range(1, 30):
            archive.write_row(number, 0, [f"Alt {number}", "Weg", 1067, "Dresden", "1", 1])
        archive.hide()

    table = read_table(workbook(fill))
    assert [row.number for row in table.rows] == [6, 8]
    assert "sheet 'Einrichtungen 2026'" in table.notes
    entry = first(table)
    assert (entry.name, entry.address.postcode) == ("Haus A", "01067")
    assert entry.costs == {"care_eur": 1234.5}
    assert sum(entry.capacity.values()) == 80
    assert table.rows[0].cells["seit"] == "2001-05-01"


def test_sheets_that_look_alike_are_named() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        for name, count in (("Nord", 2), ("Süd", 3)):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Name", "PLZ"])
            for number in range(1, count + 1):
                sheet.write_row(number, 0, [f"Haus {number}", "33330"])

    table = read_table(workbook(fill))
    assert table.notes[:2] == ["sheet 'Süd'", "not read, but it looks alike: 'Nord'"]


def test_cells_of_all_kinds() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Name", "PLZ", "a", "b", "c", "d", "e"])
        sheet.write_row(1, 0, ["Haus A", 33330.0, 51.25, True])
        sheet.write_formula(1, 4, "=1/0", None, "#DIV/0!")
        sheet.write_formula(1, 5, '="Weg "&1', None, "Weg 1")
        moment = datetime(2026, 1, 2, 10, 30)  # noqa: DTZ001
        sheet.write_datetime(1, 6, moment, book.add_format({"num_format": 22}))

    (row,) = read_table(workbook(fill)).rows
    assert list(row.cells.values()) == [
        "Haus A", "33330", "51.25", "true", "", "Weg 1", "2026-01-02T10:30:00",
    ]  # fmt: skip


def repacked(change: Callable[[str, bytes], bytes]) -> bytes:
    """The simple workbook with its parts changed."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(simple))) as before,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            after.writestr(name, change(name, before.read(name)))
    return content.getvalue()


def test_a_cell_far_out_does_not_take_the_memory() -> None:
    """A table is dense in the library: 2 kB that ask for 500 GB and abort the process."""
    far = b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData>'
    content = repacked(lambda _, part: part.replace(b"</sheetData>", far))
    assert len(content) < 10_000
    with pytest.raises(UnreadableList, match="too large"):
        read_table(content)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w") as part:
                for _ in range(LISTS.unpacked_bytes // 4_000_000):
                    part.write(b"\0" * 1_000_000)
    assert len(content.getvalue()) < 2_000_000
    with pytest.raises(UnreadableList, match="too large"):
        read_table(content.getvalue())


def test_a_file_that_lies_about_its_size() -> None:
    """The sizes in the directory are made small; what is inside is not."""
    bomb = bytearray(
        repacked(lambda name, part: b"<a>" + b" " * 40_000_000 if "sheet1" in name else part)
    )
    for entry in range(len(bomb)):
        if bomb[entry : entry + 4] == b"PK\x01\x02" and b"sheet1" in bomb[entry : entry + 90]:
            bomb[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    with pytest.raises(UnreadableList):
        read_table(bytes(bomb))


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + b"x" * 100,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2_000,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 2_000,
        workbook(lambda book: book.add_worksheet().write(0, 0, "")),
        workbook(simple)[:-200],
    ],
)
def test_what_is_no_spreadsheet_with_rows(content: bytes) -> None:
    with pytest.raises(UnreadableList):
        read_table(content)


def test_another_archive_is_no_spreadsheet() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("heime.csv", "Name;PLZ\nHaus A;33330\n")
    with pytest.raises(UnreadableList, match="no spreadsheet"):
        read_table(content.getvalue())


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 5_000), st.integers(0, 255))
def test_damaged_spreadsheets_are_read_or_refused(at: int, byte: int) -> None:
    content = bytearray(workbook(simple))
    content[at % len(content)] = byte
    try:
        table = read_table(bytes(content))
    except UnreadableList:
        return
    assert table.columns


ODS_CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"><office:body>
<office:spreadsheet><table:table table:name="Heime">
<table:table-row>{header}</table:table-row><table:table-row>{row}</table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"""


def test_open_document() -> None:
    def cells(*values: str) -> str:
        return "".join(
            f'<table:table-cell office:value-type="string"><text:p>{value}</text:p>'
            "</table:table-cell>"
            for value in values
        )

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<m:file-entry m:full-path="/"'
            ' m:media-type="application/vnd.oasis.opendocument.spreadsheet"/></m:manifest>',
        )
        archive.writestr(
            "content.xml",
            ODS_CONTENT.format(header=cells("Name", "PLZ"), row=cells("Haus Ä", "01067")),
        )
    entry = first(read_table(content.getvalue()))
    assert (entry.name, entry.address.postcode) == ("Haus Ä", "01067")
