"""What the report page shows of a home, and what is sent from it: no HTTP, no I/O.

A row of the page is a line of the report, or a care form that has none at present. Its key is
the care form, with a number where a form has several lines: `short_term`, `short_term.2`. What
the page does not show of a line (care grades, focuses) stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from providers.payloads import MAX_PLACES, Line, Moment, StopBody, VacancyLine
from providers.plausibility import Doubt, warnings_for
from vacancies.actors import Actor
from vacancies.command import Command
from vacancies.commands import Amend, Confirm, Report
from vacancies.errors import FreiplatzError, InvalidInput
from vacancies.models import CareForm, CareHome, Need, Profile, Vacancy, WaitingList

# Offered where nothing is known of a home: what most of them have.
_USUAL = (CareForm.LONG_TERM, CareForm.SHORT_TERM)
_UNCHANGED = msgspec.UNSET
CLOCK_TOLERANCE = timedelta(minutes=2)


class Doubtful(FreiplatzError):
    """What is to be reported looks like a slip: the page asks before it is stored."""

    code = "doubtful"

    def __init__(self, doubts: Sequence[Doubt], lines: Sequence[Vacancy]) -> None:
        super().__init__(" ".join(doubt.detail for doubt in doubts))
        self.doubts = doubts
        self.lines = lines


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the page. `most` is how many places it may name, `is_more` that the home does
    not offer the form as far as we know: it stands behind "further care forms"."""

    key: str
    line: Vacancy
    most: int
    is_more: bool = False


class AmendBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Members of the profile that the page changes; what is left out stays as it is."""

    admission_stop: StopBody | msgspec.UnsetType | None = _UNCHANGED
    waiting_list: WaitingList | msgspec.UnsetType | None = _UNCHANGED
    weekend_admission: bool | msgspec.UnsetType = _UNCHANGED
    person: Line | msgspec.UnsetType | None = _UNCHANGED
    hours: Line | msgspec.UnsetType | None = _UNCHANGED


class PageReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page sends as JSON. `unchanged` confirms the last report; `observed_at` is when
    the person pressed the button; `if_match` the revision that was shown; `sure` says that a
    likely slip is none, or that nobody is there to be asked."""

    if_match: int | None = None
    observed_at: Moment | None = None
    unchanged: bool = False
    sure: bool = False
    vacancies: tuple[VacancyLine, ...] | None = None
    amend: AmendBody = AmendBody()


def rows_of(home: CareHome, wanted: Mapping[CareForm, int] | None = None) -> list[Row]:
    """The rows for `home`, what it offers first. `wanted` says how many places of a form are to
    be reported, whatever was before: they go into its first row."""
    wanted = wanted or {}
    capacity = home.profile.capacity
    offered = {*capacity, *(line.care_form for line in home.vacancies)} or {*_USUAL}
    rows = []
    for form in CareForm:
        lines = [line for line in home.vacancies if line.care_form is form]
        lines = lines or [Vacancy(care_form=form, count=0)]
        if form in wanted:
            lines = [replace(line, count=0) for line in lines]
            lines[0] = replace(lines[0], count=wanted[form])
        for number, line in enumerate(lines, start=1):
            rows.append(
                Row(
                    key=form.value if number == 1 else f"{form.value}.{number}",
                    line=line,
                    most=capacity.get(form) or MAX_PLACES,
                    is_more=form not in offered and form not in wanted,
                )
            )
    return sorted(rows, key=lambda row: row.is_more)


def read_form(home: CareHome, fields: Mapping[str, str]) -> PageReport:
    """A form that was sent, for the home as it was shown; raises `InvalidInput`."""
    rows = rows_of(home)
    lines = [_line(row, fields) for row in rows]
    # Whoever has changed a number and then presses the largest button means the number.
    is_same = lines == [msgspec.to_builtins(row.line) for row in rows]
    body: dict[str, Any] = {
        "unchanged": fields.get("do") == "unchanged" and is_same,
        "sure": fields.get("do") == "sure",
        "amend": _amended(fields),
    }
    if if_match := fields.get("if_match", ""):
        body["if_match"] = _number(if_match, "if_match")
    body["vacancies"] = [line for line in lines if line["count"]]
    try:
        return msgspec.convert(body, PageReport, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"This cannot be reported: {error}.", field="form") from error


def typed_rows(home: CareHome, fields: Mapping[str, str]) -> list[Row]:
    """The rows as somebody has filled them in: a form that was refused does not lose them. What
    is no value at all is as it is stored."""
    rows = []
    for row in rows_of(home):
        try:
            line = msgspec.convert(_line(row, fields), Vacancy, strict=False)
        except (InvalidInput, msgspec.ValidationError):
            line = row.line
        rows.append(replace(row, line=line, is_more=row.is_more and line.count == 0))
    return rows


def typed_profile(profile: Profile, fields: Mapping[str, str]) -> Profile:
    """The same for what the page changes beside the places."""
    try:
        amend = msgspec.convert(_amended(fields), AmendBody, strict=True)
        return replace(profile, **_changes(profile, amend))
    except (InvalidInput, msgspec.ValidationError):
        return profile


def _amended(fields: Mapping[str, str]) -> dict[str, Any]:
    """What a form says beside the places."""
    # A box that is not ticked is not sent: this says that it was on the page.
    if fields.get("more") != "1":
        return {}
    reason, until = fields.get("stop.reason", ""), fields.get("stop.until", "")
    return {
        "admission_stop": {"reason": reason, "until": until or None} if reason else None,
        "waiting_list": fields.get("waiting_list") or None,
        "weekend_admission": "weekend_admission" in fields,
        "person": fields.get("contact.person", "").strip() or None,
        "hours": fields.get("contact.hours", "").strip() or None,
    }


def _line(row: Row, fields: Mapping[str, str]) -> dict[str, Any]:
    line: dict[str, Any] = msgspec.to_builtins(row.line)
    for name in ("sex", "room", "available_from", "available_until"):
        if (value := fields.get(f"{name}.{row.key}")) is not None:
            line[name] = value or None
    for name in ("sex", "room"):
        line[name] = line[name] or "any"
    line["count"] = _number(fields.get(f"count.{row.key}", str(row.line.count)), row.key)
    return line


def _number(text: str, field: str) -> int:
    text = text.strip() or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput(f"{text!r} is not a whole number.", field=field)
    return int(text)


def by_our_clock(report: PageReport, client_now: datetime | None) -> PageReport:
    """The report with the time at which its button was pressed told by our clock. `client_now`
    is what the sender's clock says now: phones whose clock is wrong must be able to report."""
    if client_now is None or report.observed_at is None:
        return report
    wrong_by = datetime.now(UTC) - client_now
    # So much may be the way here: a report that was slow must not look newer than its correction.
    if abs(wrong_by) < CLOCK_TOLERANCE:
        return report
    try:
        observed_at = report.observed_at + wrong_by
    except OverflowError:
        raise InvalidInput("This time cannot be.", field="observed_at") from None
    return replace(report, observed_at=observed_at)


def commands_for(home: CareHome, report: PageReport, actor: Actor) -> list[Command]:
    """What the report asks for, to be committed together; raises `InvalidInput` and `Doubtful`."""
    if_match = None if report.if_match is None else frozenset({report.if_match})
    commands: list[Command] = []
    if report.unchanged:
        commands.append(
            Confirm(home_id=home.id, observed_at=report.observed_at, if_match=if_match, actor=actor)
        )
    elif report.vacancies is not None:
        lines = tuple(
            line.vacancy(f"vacancies[{number}]") for number, line in enumerate(report.vacancies)
        )
        if not report.sure and (doubts := warnings_for(home, lines, datetime.now(UTC))):
            raise Doubtful(doubts, lines)
        commands.append(
            Report(
                home_id=home.id,
                vacancies=lines,
                observed_at=report.observed_at,
                if_match=if_match,
                actor=actor,
            )
        )
    if changes := _changes(home.profile, report.amend):
        # After a report of the same call the revision is another: that one was compared.
        match = None if commands else if_match
        commands.append(Amend(home_id=home.id, changes=changes, if_match=match, actor=actor))
    if not commands:
        raise InvalidInput("There is nothing to report in this.", field="vacancies")
    return commands


def _changes(profile: Profile, amend: AmendBody) -> dict[str, Any]:
    """The members of the profile that are to become another value."""
    wanted: dict[str, Any] = {}
    if amend.admission_stop is not msgspec.UNSET:
        wanted["admission_stop"] = amend.admission_stop and amend.admission_stop.stop()
    if amend.waiting_list is not msgspec.UNSET:
        wanted["waiting_list"] = amend.waiting_list
    if amend.weekend_admission is not msgspec.UNSET:
        needs = {*profile.needs} - {Need.WEEKEND_ADMISSION}
        needs |= {Need.WEEKEND_ADMISSION} if amend.weekend_admission else set()
        wanted["needs"] = tuple(sorted(needs))
    contact = profile.contact
    if amend.person is not msgspec.UNSET:
        contact = replace(contact, person=amend.person)
    if amend.hours is not msgspec.UNSET:
        contact = replace(contact, hours=amend.hours)
    wanted["contact"] = contact
    return {name: value for name, value in wanted.items() if value != getattr(profile, name)}
