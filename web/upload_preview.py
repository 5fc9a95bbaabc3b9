"""What a file would change, in the words of the page: a `Change` for each home."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

from providers.report_preview import Difference
from vacancies.errors import FreiplatzError
from vacancies.listings import local_date
from vacancies.models import CareForm, Vacancy
from web import words
from web.cards import line_text
from web.language import Language
from web.report_words import REFUSALS
from web.words import N_

# By the code of the doubt (`providers/plausibility.py`).
DOUBTS = {
    "count_mistyped": N_("Was a digit typed twice, or a zero too many?"),
    "mostly_free": N_("Are these really the free places, and not all places?"),
    "many_free": N_("That is many more than before. Is it right?"),
    "already_over": N_("The last day has passed. These places are not shown."),
    "far_ahead": N_("This is more than a year ahead. Is the year right?"),
    "line_repeated": N_("The same place stands there twice. The numbers are added up."),
}
# By the code of the error; what is not here stands in `report_words.REFUSALS`.
_NOT_YOURS = N_("You report for no home with this id. Check it, or it is closed.")
FILE_REFUSALS = {
    "unknown_home": _NOT_YOURS,
    "foreign_home": _NOT_YOURS,
    "home_closed": N_("This home is closed. Nothing more can be reported for it."),
    "changed_since": N_("This home has changed in between. Choose the file again."),
    "outdated_report": N_("A newer report is known already. Check the time in the file."),
    "observed_in_future": N_("This time is still to come. Check the time in the file."),
}
# By the column that holds the fault.
_NO_COUNT = N_("The number of free places is missing, or cannot be right.")
_NO_DATE = N_("This is no date that can be right. Write it like 24.12.2026.")
FAULTS = {
    "count": _NO_COUNT,
    **dict.fromkeys((form.value for form in CareForm), _NO_COUNT),
    "care_form": N_("The care form is missing, or is not known."),
    "available_from": _NO_DATE,
    "available_until": _NO_DATE,
    "observed_at": N_("This is no time that can be right. Write it like 24.12.2026 08:30."),
    "care_grades": N_("Write care grades like 2,3 or 2-5."),
    "home_id": N_("This is no id of a home."),
}
_OTHER_COLUMN = N_("What stands in the column %(column)s is not known.")
_NO_COLUMN = N_("This row cannot be read: a home or a number is missing.")
_ROW = re.compile(r"rows\[(\d+)\](?:\.([a-z_]+).*)?")


@dataclass(frozen=True, slots=True)
class FormChange:
    """Free places of one care form, before and after. `was` and `will` are its lines, if more
    changes than the count."""

    form: str
    before: str
    after: str
    is_change: bool
    was: list[str]
    will: list[str]
    doubts: list[str]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a home, or why it is refused. `rows` are those of the file, in words."""

    home_id: str | None
    name: str
    rows: str
    forms: list[FormChange] = field(default_factory=list)
    refusal: str = ""

    @property
    def is_change(self) -> bool:
        return any(form.is_change for form in self.forms)

    @property
    def is_odd(self) -> bool:
        return any(form.doubts for form in self.forms)


def changes_in(differences: Sequence[Difference], language: Language) -> list[Change]:
    """One for each home, those that need a look first: refused, odd, changing, and the rest."""
    found = [
        _change(list(of_home), language)
        for _, of_home in groupby(differences, key=lambda each: each.rows)
    ]
    return sorted(found, key=lambda it: (not it.refusal, not it.is_odd, not it.is_change))


def _change(of_home: list[Difference], language: Language) -> Change:
    first = of_home[0]
    return Change(
        home_id=first.home_id,
        name=first.name or first.home_id or language.gettext("No home named"),
        rows=_rows(first.rows, language),
        forms=[_form_change(each, each.care_form, language) for each in of_home if each.care_form],
        refusal=refusal_words(first.refusal, language) if first.refusal else "",
    )


def _rows(numbers: tuple[int, ...], language: Language) -> str:
    shown = ", ".join(map(language.number, numbers[:8])) + (" …" if len(numbers) > 8 else "")
    return language.ngettext("row %(rows)s", "rows %(rows)s", len(numbers), rows=shown)


def _form_change(each: Difference, form: CareForm, language: Language) -> FormChange:
    shows_details = each.details_change and (
        _has_details(each.lines_before) or _has_details(each.lines_after)
    )
    return FormChange(
        form=language.gettext(words.CARE_FORMS[form]),
        before=language.number(each.before),
        after=language.number(each.after),
        is_change=each.is_change,
        was=_lines(each.lines_before, language) if shows_details else [],
        will=_lines(each.lines_after, language) if shows_details else [],
        doubts=[language.gettext(DOUBTS[doubt.code]) for doubt in each.warnings],
    )


def _has_details(lines: Sequence[Vacancy]) -> bool:
    """Whether the lines say more than how many."""
    return any(line != Vacancy(care_form=line.care_form, count=line.count) for line in lines)


def _lines(lines: Sequence[Vacancy], language: Language) -> list[str]:
    today = local_date(datetime.now(UTC))
    found = [line_text(line, language, today) for line in lines if line.count]
    return found or [language.gettext("No free place")]


def refusal_words(error: FreiplatzError, language: Language) -> str:
    """Why nothing is taken, and of which row. English is left only where there are no words of
    ours: those of the API."""
    _ = language.gettext
    place = _ROW.fullmatch(error.field or "")
    if place is None:
        return code_words(error.code, language, error.detail)
    column = place[2]
    if column is None:
        text = _(_NO_COLUMN)
    elif column in FAULTS:
        text = _(FAULTS[column])
    else:
        text = _(_OTHER_COLUMN, column=column)
    return _("Row %(row)s: %(text)s", row=language.number(int(place[1])), text=text)


def code_words(code: str, language: Language, detail: str = "") -> str:
    """Why a home is refused, by the code of the error; else `detail`, the API's English."""
    known = FILE_REFUSALS.get(code) or REFUSALS.get(code)
    return language.gettext(known) if known else detail or code
