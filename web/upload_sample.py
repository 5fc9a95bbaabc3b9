"""A file with reports to begin with: the homes of a person, and what they have free now."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from providers.safe_cells import safe_text
from vacancies.models import CareForm, CareHome
from web import words
from web.language import Language

_HEADER = ("home_id", "name", "care_form", "count")


def sample(homes: Iterable[CareHome], language: Language) -> bytes:
    """CSV as Excel opens it in German: semicolons, and the mark that says UTF-8.

    A line for each care form that a home has places of. A home that has never reported has empty
    cells: sent as they are they are refused, so nothing is said that nobody has said.
    """
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";")
    rows.writerow(_HEADER)
    for home in homes:
        free = _free(home)
        for form in free or [None]:
            name = home.profile.name
            rows.writerow(
                (
                    home.id,
                    safe_text(name),
                    "" if form is None else language.gettext(words.CARE_FORMS[form]),
                    "" if form is None or home.observed_at is None else free[form],
                )
            )
    return text.getvalue().encode("utf-8-sig")


def _free(home: CareHome) -> dict[CareForm, int]:
    free = {form: 0 for form in CareForm if home.profile.capacity.get(form)}
    for line in home.vacancies:
        free[line.care_form] = free.get(line.care_form, 0) + line.count
    return free
