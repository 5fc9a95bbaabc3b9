"""The rows of a call or a file that reports for many homes, each by itself: a bad one does not sink
the rest."""

from __future__ import annotations

from functools import partial

import msgspec

from providers.answers import Entry, entry_of
from providers.decoding import decode
from providers.payloads import ReportRow, ReportsBody
from providers.report_files import read_aside, read_reports
from vacancies.actors import Actor
from vacancies.commands import Report
from vacancies.errors import FreiplatzError


async def read_entries(content: bytes, actor: Actor, *, is_file: bool) -> list[Entry]:
    """What stands in JSON, or in a file (CSV or XLSX), as reports of `actor`.

    Raises `InvalidJson`, `InvalidInput` or `UnreadableList` if nothing of it can be read.
    """
    if is_file:
        # A large file, or one in a rare encoding, must not hold up the loop.
        found = await read_aside(partial(read_reports, content))
        return [entry_of(report, actor) for report in found]
    rows = decode(content, ReportsBody).reports
    return [_entry(number, raw, actor) for number, raw in enumerate(rows)]


def _entry(number: int, raw: msgspec.Raw, actor: Actor) -> Entry:
    place = f"reports[{number}]"
    try:
        row = decode(raw, ReportRow)
        command = Report(
            home_id=row.home_id,
            vacancies=row.lines(),
            observed_at=row.observed(),
            actor=actor,
        )
    except FreiplatzError as error:
        return Entry(home_id=_home_id_of(raw), place=place, fault=error)
    return Entry(home_id=row.home_id, place=place, command=command)


def _home_id_of(raw: msgspec.Raw) -> str | None:
    """The id in a row that is wrong otherwise, to find the row again."""
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    home_id = found.get("home_id") if isinstance(found, dict) else None
    return home_id if isinstance(home_id, str) else None
