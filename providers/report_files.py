"""Files with reports of many homes, as CSV or XLSX: what stands in them, and what they change.

One row is one line of a report; rows of the same home make one report. A home that has nothing
free has one row with the count 0. Instead of `care_form` and `count` a file may have a column
for each care form, with counts in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from providers.decoding import decode
from providers.imports.errors import UnreadableList
from providers.imports.files import read_rows
from providers.imports.spreadsheets import Limits
from providers.imports.tables import Row, fold
from providers.payloads import MAX_REPORTS, ReportRow
from providers.plausibility import Doubt, warnings_for
from providers.report_cells import FORM_COLUMNS, KNOWN_COLUMNS, Cells, read_lines, read_moment
from vacancies.commands import Actor, Report
from vacancies.errors import FreiplatzError, InvalidInput
from vacancies.models import CareForm, CareHome, Vacancy

# A call has 2 MB, and two of them are read at once; nobody reports with more.
LIMITS = Limits(
    packed_bytes=5_000_000,
    unpacked_bytes=20_000_000,
    cells=500_000,
    characters=10_000_000,
    memory_bytes=512_000_000,
    seconds=15,
)
_LINE = re.compile(r"vacancies\[(\d+)\](?:\.(.+))?")


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of one home, in the lines `rows` of it (the header is 1); or the `fault`
    for which nothing of it can be taken: a part of a report would make the rest look full."""

    home_id: str | None
    rows: tuple[int, ...]
    vacancies: tuple[Vacancy, ...] = ()
    observed_at: datetime | None = None
    fault: FreiplatzError | None = None

    def command(self, actor: Actor) -> Report:
        """The report as `actor` makes it."""
        assert self.home_id is not None
        assert self.fault is None
        return Report(
            home_id=self.home_id,
            vacancies=self.vacancies,
            observed_at=self.observed_at,
            actor=actor,
        )


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a file changes about one care form of a home: `before` and `after` are free places.

    `details_change` where the count stays and something else does not. A `refusal` changes
    nothing; it has no care form, and neither has a home that was full and stays so.
    """

    home_id: str | None
    rows: tuple[int, ...]
    care_form: CareForm | None = None
    before: int = 0
    after: int = 0
    details_change: bool = False
    warnings: tuple[Doubt, ...] = ()
    refusal: FreiplatzError | None = None

    @property
    def is_change(self) -> bool:
        return self.before != self.after or self.details_change


def read_reports(content: bytes) -> list[FileReport]:
    """The homes in a CSV or XLSX file, in the order in which they first appear.

    Rows that belong to no home come by themselves, with their fault.
    Raises `UnreadableList` for a file of another kind, without the columns that are needed, or
    with more than 1,000 homes.
    """
    table = read_rows(content, frozenset(KNOWN_COLUMNS), LIMITS)
    columns: dict[str, str] = {}
    for column in table.columns:
        if (name := KNOWN_COLUMNS.get(fold(column))) is not None:
            columns.setdefault(name, column)
    if "home_id" not in columns or not ("count" in columns or FORM_COLUMNS & columns.keys()):
        raise UnreadableList(
            "The file needs the column home_id, and either care_form and count, or a column for"
            " each care form, such as short_term. German names do as well."
        )
    by_home: dict[str, list[tuple[Row, Cells]]] = {}
    reports: list[FileReport | str] = []
    for row in table.rows:
        cells = {name: row.cells.get(column, "").strip() for name, column in columns.items()}
        home_id = cells.get("home_id", "")
        if row.fault or not home_id:
            reports.append(_nobodys(row))
        elif home_id in by_home:
            by_home[home_id].append((row, cells))
        else:
            by_home[home_id] = [(row, cells)]
            reports.append(home_id)
    if len(reports) > MAX_REPORTS:
        raise UnreadableList(f"A file may hold {MAX_REPORTS} homes. Split it.")
    return [
        _report(entry, by_home[entry]) if isinstance(entry, str) else entry for entry in reports
    ]


def _nobodys(row: Row) -> FileReport:
    detail = f"The row {row.fault}." if row.fault else "home_id is missing in this row."
    fault = InvalidInput(f"{detail} Correct it and send it again.", field=f"rows[{row.number}]")
    return FileReport(home_id=None, rows=(row.number,), fault=fault)


def _report(home_id: str, rows: Sequence[tuple[Row, Cells]]) -> FileReport:
    numbers = tuple(row.number for row, _ in rows)
    try:
        return _decoded(home_id, rows, numbers)
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
        line = _LINE.fullmatch(error.field or "")
        number = origins[int(line[1])] if line else numbers[0]
        raise _placed(error, f"rows[{number}]", line[2] if line else error.field) from error


def _placed(error: InvalidInput, place: str, field: str | None) -> InvalidInput:
    return InvalidInput(error.detail, field=f"{place}.{field}" if field else place)


def differences(
    stored: Mapping[str, CareHome], reports: Sequence[FileReport], *, actor: Actor, at: datetime
) -> list[Difference]:
    """What `reports` would change about the homes in `stored` (by id) if `actor` sent them at
    `at`: one entry for each care form of a home, or one for a home that is refused.

    Pure. The refusals are those of the writer, but for what happens in between.
    """
    found: list[Difference] = []
    for report in reports:
        home = stored.get(report.home_id or "")
        try:
            if report.fault is not None:
                raise report.fault
            after = report.command(actor).decide(home, at)
        except FreiplatzError as error:
            found.append(Difference(home_id=report.home_id, rows=report.rows, refusal=error))
            continue
        assert home is not None
        found += _differences_of(home, after, report, at)
    return found


def _differences_of(
    before: CareHome, after: CareHome, report: FileReport, at: datetime
) -> Iterator[Difference]:
    doubts = warnings_for(before, after.vacancies, at)
    was, now = _by_form(before.vacancies), _by_form(after.vacancies)
    forms: list[CareForm | None] = [*dict.fromkeys([*was, *now])]
    for form in forms or [None]:
        lines, lines_before = now.get(form, []), was.get(form, [])
        yield Difference(
            home_id=report.home_id,
            rows=report.rows,
            care_form=form,
            before=sum(line.count for line in lines_before),
            after=sum(line.count for line in lines),
            details_change=Counter(lines) != Counter(lines_before),
            warnings=tuple(d for d in doubts if _form_of(d, after.vacancies) is form),
        )


def _by_form(lines: Sequence[Vacancy]) -> dict[CareForm | None, list[Vacancy]]:
    found: dict[CareForm | None, list[Vacancy]] = {}
    for line in lines:
        found.setdefault(line.care_form, []).append(line)
    return found


def _form_of(doubt: Doubt, lines: Sequence[Vacancy]) -> CareForm | None:
    line = _LINE.fullmatch(doubt.field)
    return lines[int(line[1])].care_form if line else None
