"""Files with reports of many homes, as CSV or XLSX: what stands in them.

One row is one line of a report; rows of the same home make one report. A home that has nothing
free has one row with the count 0. Instead of `care_form` and `count` a file may have a column
for each care form, with counts in it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from providers.decoding import decode
from providers.imports.errors import UnreadableList
from providers.imports.files import read_rows
from providers.imports.spreadsheets import Limits
from providers.imports.tables import Row, Table, fold
from providers.payloads import MAX_REPORTS, ReportRow
from providers.report_cells import (
    FORM_COLUMNS,
    HOME_COLUMNS,
    KNOWN_COLUMNS,
    Cells,
    read_lines,
    read_moment,
)
from vacancies.actors import Actor
from vacancies.commands import Report
from vacancies.errors import FreiplatzError, InvalidInput
from vacancies.models import Vacancy

# A call has 2 MB, and two of them are read at once; nobody reports with more.
LIMITS = Limits(
    lines=100_000,
    packed_bytes=5_000_000,
    unpacked_bytes=20_000_000,
    cells=500_000,
    characters=10_000_000,
    memory_bytes=512_000_000,
    seconds=15,
)
LINE = re.compile(r"vacancies\[(\d+)\](?:\.(.+))?")


# Spreadsheets block for seconds: they must not hold the threads that all others need.
_READERS = ThreadPoolExecutor(2, thread_name_prefix="report-files")
Found = TypeVar("Found")


async def read_aside(read: Callable[[], Found]) -> Found:
    """What `read` returns, which reads a file; in a thread that only such calls share."""
    return await asyncio.get_running_loop().run_in_executor(_READERS, read)


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of one home, in the lines `rows` of it (the header is 1); or the `fault`
    for which nothing of it can be taken: a part of a report would make the rest look full."""

    home_id: str | None
    rows: tuple[int, ...]
    vacancies: tuple[Vacancy, ...] = ()
    observed_at: datetime | None = None
    fault: FreiplatzError | None = None

    def command(self, actor: Actor, if_match: frozenset[int] | None = None) -> Report:
        """The report as `actor` makes it, only on one of those revisions if they are given."""
        assert self.home_id is not None
        assert self.fault is None
        return Report(
            home_id=self.home_id,
            vacancies=self.vacancies,
            observed_at=self.observed_at,
            if_match=if_match,
            actor=actor,
        )


def read_reports(content: bytes) -> list[FileReport]:
    """The homes in a CSV or XLSX file, in the order in which they first appear.

    Rows that belong to no home come by themselves, with their fault.
    Raises `UnreadableList` for a file of another kind, without the columns that are needed, or
    with more than 1,000 homes.
    """
    table = read_rows(content, frozenset(KNOWN_COLUMNS), LIMITS)
    columns = _columns(table)
    by_home: dict[str, list[tuple[Row, Cells]]] = {}
    strays: list[tuple[str, Row, FreiplatzError]] = []
    reports: list[FileReport | str] = []
    above = ""
    for row in table.rows:
        cells = {name: row.cells.get(column, "").strip() for name, column in columns.items()}
        home_id = cells.get("home_id", "")
        if row.fault or not home_id:
            nobodys, fault = _nobodys(row)
            reports.append(nobodys)
            if row.fault or any(cells.values()):
                strays.append((above, row, fault))
            continue
        if home_id not in by_home:
            by_home[home_id] = []
            reports.append(home_id)
        by_home[home_id].append((row, cells))
        above = home_id
    if len(reports) > MAX_REPORTS:
        raise UnreadableList(f"A file may hold {MAX_REPORTS} homes. Split it.")
    faults: dict[str, FreiplatzError] = {}
    for above, row, fault in strays:
        named = {cell.strip() for cell in row.raw} & by_home.keys()
        faults |= dict.fromkeys(named or {above}, fault)
    return [
        _report(entry, by_home[entry], faults.get(entry)) if isinstance(entry, str) else entry
        for entry in reports
    ]


def _columns(table: Table) -> dict[str, str]:
    """What is said → the column that says it. Raises `UnreadableList` where two columns say the
    same: "Anzahl" beside "Frei" may be all places, and are never to be told as free ones."""
    columns: dict[str, str] = {}
    for column in table.columns:
        name = KNOWN_COLUMNS.get(fold(column))
        if name is None:
            continue
        if name in columns and name != "home_id":
            raise UnreadableList(
                f"The columns {columns[name]!r} and {column!r} both mean {name}. Leave one out, or"
                " name it otherwise."
            )
        if name not in columns or _home_rank(column) < _home_rank(columns[name]):
            columns[name] = column
    if "home_id" not in columns or not ("count" in columns or FORM_COLUMNS & columns.keys()):
        raise UnreadableList(
            "The file needs the column home_id, and either care_form and count, or a column for"
            " each care form, such as short_term. German names do as well."
        )
    return columns


def _home_rank(column: str) -> int:
    return HOME_COLUMNS.index(fold(column))


def _nobodys(row: Row) -> tuple[FileReport, FreiplatzError]:
    """A row that says of no home that it means it. It may belong to one that its cells name, or to
    the one above (cells that are merged in a spreadsheet are empty below): nothing is taken of
    those, since without a row the rest would look full."""
    detail = f"The row {row.fault}." if row.fault else "home_id is missing in this row."
    fault = InvalidInput(f"{detail} Correct it and send it again.", field=f"rows[{row.number}]")
    return FileReport(home_id=None, rows=(row.number,), fault=fault), fault


def _report(
    home_id: str, rows: Sequence[tuple[Row, Cells]], fault: FreiplatzError | None
) -> FileReport:
    numbers = tuple(row.number for row, _ in rows)
    try:
        found = _decoded(home_id, rows, numbers)
        return found if fault is None else FileReport(home_id=home_id, rows=numbers, fault=fault)
    except InvalidInput as error:
        return FileReport(home_id=home_id, rows=numbers, fault=error)


def _decoded(
    home_id: str, rows: Sequence[tuple[Row, Cells]], numbers: tuple[int, ...]
) -> FileReport:
    """By the rules of JSON reports, so that a file can say nothing that those cannot."""
    lines: list[Any] = []
    origins: list[int] = []  # the row of each line
    moments: set[str] = set()
    for row, cells in rows:
        try:
            found = read_lines(cells)
            if text := cells.get("observed_at"):
                moments.add(read_moment(text))
        except InvalidInput as error:
            raise _placed(error, f"rows[{row.number}]", error.field) from error
        lines += found
        origins += [row.number] * len(found)
    if len(moments) > 1:
        raise InvalidInput(
            "The rows of this home were observed at different times. Send the last state only.",
            field=f"rows[{numbers[-1]}].observed_at",
        )
    body = {"home_id": home_id, "vacancies": lines, "observed_at": next(iter(moments), None)}
    try:
        report = decode(msgspec.json.encode(body), ReportRow)
        return FileReport(
            home_id=home_id,
            rows=numbers,
            vacancies=report.lines(),
            observed_at=report.observed(),
        )
    except InvalidInput as error:
        line = LINE.fullmatch(error.field or "")
        number = origins[int(line[1])] if line else numbers[0]
        raise _placed(error, f"rows[{number}]", line[2] if line else error.field) from error


def _placed(error: InvalidInput, place: str, field: str | None) -> InvalidInput:
    return InvalidInput(error.detail, field=f"{place}.{field}" if field else place)
