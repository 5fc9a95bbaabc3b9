"""What the report page shows of a home, and what is sent from it: pure, no HTTP.

A row of the page is a line of the report, or a care form that has none at present. Its key is
the care form, with a number where a form has several lines: `short_term`, `short_term.2`. What
the page does not show of a line (care grades, focuses) stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from providers.payloads import MAX_PLACES, Line, Moment, StopBody, VacancyLine
from vacancies.commands import Actor, Amend, Command, Confirm, Report
from vacancies.errors import InvalidInput
from vacancies.models import CareForm, CareHome, Need, Profile, Vacancy, WaitingList

# Offered where nothing is known of a home: what most of them have.
_USUAL = (CareForm.LONG_TERM, CareForm.SHORT_TERM)
_UNCHANGED = msgspec.UNSET


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
    the person pressed the button; `if_match` the revision that was shown."""

    if_match: int | None = None
    observed_at: Moment | None = None
    unchanged: bool = False
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
    body: dict[str, Any] = {"unchanged": fields.get("do") == "unchanged" and is_same, "amend": {}}
    if if_match := fields.get("if_match", ""):
        body["if_match"] = _number(if_match, "if_match")
    body["vacancies"] = [line for line in lines if line["count"]]
    # A box that is not ticked is not sent: this says that it was on the page.
    if fields.get("more") == "1":
        reason, until = fields.get("stop.reason", ""), fields.get("stop.until", "")
        body["amend"] = {
            "admission_stop": {"reason": reason, "until": until or None} if reason else None,
            "waiting_list": fields.get("waiting_list") or None,
            "weekend_admission": "weekend_admission" in fields,
            "person": fields.get("contact.person", "").strip() or None,
            "hours": fields.get("contact.hours", "").strip() or None,
        }
    try:
        return msgspec.convert(body, PageReport, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"This cannot be reported: {error}.", field="form") from error


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
    try:
        observed_at = report.observed_at + (datetime.now(UTC) - client_now)
    except OverflowError:
        raise InvalidInput("This time cannot be.", field="observed_at") from None
    return replace(report, observed_at=observed_at)


def commands_for(home: CareHome, report: PageReport, actor: Actor) -> list[Command]:
    """What the report asks for, to be committed together; raises `InvalidInput`."""
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
