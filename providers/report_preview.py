"""A file with reports, looked at before anything changes: what each home has now, what it would
have, what looks like a slip, and what would be refused. It is sent as `report_seen.py` has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from providers.plausibility import Doubt, warnings_for
from providers.report_files import LINE, FileReport, read_reports
from providers.report_seen import SeenRow, seen_row
from vacancies.actors import Actor
from vacancies.errors import FreiplatzError
from vacancies.models import CareForm, CareHome, Vacancy


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a file changes about one care form of a home, whose lines in the file are `rows` (the
    header is 1): the free places `before` and `after`, and the lines of the report behind them.

    `details_change` where the count stays and something else does not. A `refusal` says why
    nothing of the home is taken; then there is no care form, as for a home that was full and stays
    so. `name` and `revision` are those of the stored home, None if there is none of that id.
    """

    home_id: str | None
    rows: tuple[int, ...]
    name: str | None = None
    revision: int | None = None
    care_form: CareForm | None = None
    before: int = 0
    after: int = 0
    lines_before: tuple[Vacancy, ...] = ()
    lines_after: tuple[Vacancy, ...] = ()
    warnings: tuple[Doubt, ...] = ()
    refusal: FreiplatzError | None = None

    @property
    def details_change(self) -> bool:
        return Counter(self.lines_before) != Counter(self.lines_after)

    @property
    def is_change(self) -> bool:
        return self.before != self.after or self.details_change


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a file would change, and what to send then: the homes that are not refused."""

    differences: tuple[Difference, ...]
    seen: tuple[SeenRow, ...]


def preview_file(
    content: bytes, homes: Mapping[str, CareHome], *, actor: Actor, at: datetime
) -> Preview:
    """What an uploaded CSV or spreadsheet would change about `homes` (by id; those of the
    provider will do, others are unknown to it) if `actor` sent it at `at`. Changes nothing.

    The content decides of what kind the file is, not its name. Raises `UnreadableList` for a file
    that is refused as a whole. Takes up to seconds for a spreadsheet: call it in a thread.
    """
    reports = read_reports(content)
    found = differences(homes, reports, actor=actor, at=at)
    refused = {each.rows for each in found if each.refusal is not None}
    return Preview(
        differences=tuple(found),
        seen=tuple(
            seen_row(report, homes[report.home_id].revision)
            for report in reports
            if report.home_id is not None and report.rows not in refused
        ),
    )


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
            # Of a home of somebody else nothing is told.
            is_own = home is not None and actor.provider_id in (None, home.provider_id)
            found.append(
                Difference(
                    home_id=report.home_id,
                    rows=report.rows,
                    name=home.profile.name if home and is_own else None,
                    revision=home.revision if home and is_own else None,
                    refusal=error,
                )
            )
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
        lines_before, lines_after = was.get(form, ()), now.get(form, ())
        yield Difference(
            home_id=report.home_id,
            rows=report.rows,
            name=before.profile.name,
            revision=before.revision,
            care_form=form,
            before=sum(line.count for line in lines_before),
            after=sum(line.count for line in lines_after),
            lines_before=lines_before,
            lines_after=lines_after,
            warnings=tuple(d for d in doubts if _form_of(d, after.vacancies) is form),
        )


def _by_form(lines: Sequence[Vacancy]) -> dict[CareForm | None, tuple[Vacancy, ...]]:
    found: dict[CareForm | None, tuple[Vacancy, ...]] = {}
    for line in lines:
        found[line.care_form] = (*found.get(line.care_form, ()), line)
    return found


def _form_of(doubt: Doubt, lines: Sequence[Vacancy]) -> CareForm | None:
    line = LINE.fullmatch(doubt.field)
    return lines[int(line[1])].care_form if line else None
