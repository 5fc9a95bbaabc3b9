"""What a page of planning shows, as a spreadsheet; and the counted history behind it, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from providers.safe_cells import safe_cell
from vacancies.models import StopReason
from web.language import Language
from web.planning.comparisons import place_name
from web.planning.section import Section
from web.planning.table import Kind, Table

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv; charset=utf-8; header=present"
SHEET_NAME_LENGTH = 31
_FORMATS: dict[Kind, str] = {"text": "@", "whole": "#,##0", "number": "#,##0.0", "share": "0.0%"}
HEADER = (
    *("step", "first_day", "days", "municipality", "name", "care_form", "size"),
    *("homes", "told", "fresh", "current", "age_hours"),
    *("licensed", "counted", "taken", "free", "coming"),
    *(f"stop_{code}" for code in StopReason),
    "unstaffed",
)


def spreadsheet(about: Sequence[tuple[str, str]], sections: Sequence[Section]) -> bytes:
    """XLSX: a sheet that says what it is `about`, and one for each section. Numbers are numbers,
    and no text is ever a formula. Takes a while: not for the loop."""
    target = io.BytesIO()
    book = Workbook(target, {"in_memory": True})
    formats = {kind: book.add_format({"num_format": code}) for kind, code in _FORMATS.items()}
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    front = book.add_worksheet("Freiplatz")
    front.set_column(0, 0, 30)
    front.set_column(1, 1, 90)
    for number, (label, text) in enumerate(about):
        front.write_string(number, 0, label, bold)
        front.write_string(number, 1, text)
    for section in sections:
        sheet = book.add_worksheet(section.table.title[:SHEET_NAME_LENGTH])
        _fill(sheet, section.table, formats, bold)
    book.close()
    return target.getvalue()


def _fill(sheet: Worksheet, table: Table, formats: Mapping[Kind, Format], bold: Format) -> None:
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, len(table.columns), 16)
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, column.label, bold)
    for number, row in enumerate(table.rows, 1):
        for place, (value, column) in enumerate(zip(row, table.columns, strict=True)):
            if isinstance(value, str):
                sheet.write_string(number, place, value)
            elif value is not None:
                sheet.write_number(number, place, value, formats[column.kind])


def history(rows: Iterable[dict[str, Any]], names: Mapping[str, str], language: Language) -> bytes:
    """CSV as Excel opens it in German: semicolons, and the mark that says UTF-8. Whole numbers
    only, so no comma is in question; docs/planning.md describes the columns."""
    text = io.StringIO()
    table = csv.writer(text, delimiter=";")
    table.writerow(HEADER)
    for row in rows:
        name = safe_cell(place_name(row["municipality"], names, language))
        cells = {**row, "name": name}
        table.writerow([cells[column] for column in HEADER])
    return text.getvalue().encode("utf-8-sig")
