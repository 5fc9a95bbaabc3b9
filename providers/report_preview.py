"""A file with reports, looked at before anything changes: what each home has now, what it would
have, what looks like a slip, and what would be refused; and then sent as it was looked at.

For a page on which a provider uploads a file:

    shown = preview_file(content, homes, actor=actor, at=now)       # nothing has changed
    done = await send_file(writer, content, actor=actor, seen=seen)  # seen: {home_id: revision}
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from providers.plausibility import Doubt, warnings_for
from providers.report_files import LINE, FileReport, read_reports
from vacancies.commands import Actor, Outcome
from vacancies.errors import ChangedSince, FreiplatzError
from vacancies.models import CareForm, CareHome, Vacancy
from vacancies.writer import Writer


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


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a home of a file that was sent: its state now, or the `refusal`."""

    home_id: str | None
    rows: tuple[int, ...]
    home: CareHome | None = None
    refusal: FreiplatzError | None = None


def preview_file(
    content: bytes, homes: Mapping[str, CareHome], *, actor: Actor, at: datetime
) -> list[Difference]:
    """What an uploaded CSV or spreadsheet would change about `homes` (by id; those of the
    provider will do, others are unknown to it) if `actor` sent it at `at`. Changes nothing.

    The content decides of what kind the file is, not its name. Raises `UnreadableList` for a file
    that is refused as a whole. Takes up to seconds for a spreadsheet: call it in a thread.
    """
    return differences(homes, read_reports(content), actor=actor, at=at)


async def send_file(
    writer: Writer, content: bytes, *, actor: Actor, seen: Mapping[str, int] | None = None
) -> list[Sent]:
    """Send the reports in a file, each home by itself, in the order of the file.

    With `seen`, revisions by id as the preview had them, a home that has changed since, or that
    was not in the preview, is refused (`ChangedSince`): what is taken is what was looked at.
    Raises `UnreadableList`, and what `Writer.submit` raises.
    """
    reports = await asyncio.to_thread(read_reports, content)
    refused = [_refusal(report, seen) for report in reports]
    commands = [
        report.command(actor, None if seen is None else frozenset({seen[report.home_id or ""]}))
        for report, refusal in zip(reports, refused, strict=True)
        if refusal is None
    ]
    outcomes = iter((await writer.submit(commands)).outcomes if commands else ())
    return [
        _sent(report, next(outcomes) if refusal is None else Outcome(error=refusal))
        for report, refusal in zip(reports, refused, strict=True)
    ]


def _refusal(report: FileReport, seen: Mapping[str, int] | None) -> FreiplatzError | None:
    if report.fault is None and seen is not None and report.home_id not in seen:
        return ChangedSince("This home was not in the preview. Look at the file again.")
    return report.fault


def _sent(report: FileReport, outcome: Outcome) -> Sent:
    return Sent(home_id=report.home_id, rows=report.rows, home=outcome.home, refusal=outcome.error)


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
