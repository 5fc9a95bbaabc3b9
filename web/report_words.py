"""The words of the report page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from providers.plausibility import Doubt
from providers.report_form import Row
from vacancies.actors import Via
from vacancies.models import Vacancy
from web import words
from web.language import Language
from web.words import N_

# The way by which a report came.
VIA: dict[Via, str] = {
    "api": N_("by the care software"),
    "link": N_("by a link"),
    "page": N_("on the page, signed in"),
    "import": N_("from a list"),
    "desk": N_("by the municipality"),
    "portal": N_("from another portal"),
    "operator": N_("by the operator"),
}
# By the code of the error.
REFUSALS = {
    "exceeds_capacity": N_("That is more than the home has places. Please check the numbers."),
    "invalid_field": N_("One of the entries cannot be. Please check the numbers and the dates."),
    "nothing_to_confirm": N_("This home has not reported yet. Please enter the free places."),
    "unavailable": N_("The server does not answer. Nothing was stored. Please try again."),
    "outcome_unknown": N_("The connection broke. Please open the page again and look."),
    "overloaded": N_("Too many are reporting just now. Please try again in a moment."),
}


# What looks like a slip, by the code of the doubt.
DOUBTS = {
    "count_mistyped": N_("%(form)s: %(count)s places. Is that number right?"),
    "mostly_free": N_("%(form)s: %(count)s places. Are so many really free?"),
    "many_free": N_("%(form)s: %(count)s places. Are so many really free?"),
    "already_over": N_("%(form)s: the last day has passed. Is the date right?"),
    "far_ahead": N_("%(form)s: free only in more than a year. Is the date right?"),
    "line_repeated": N_("%(form)s stands here twice with the same details. Is that right?"),
}
_LINE = re.compile(r"vacancies\[(\d+)\]")


def way_words(via: Via, portal: str | None, language: Language) -> str:
    """The way by which a report came; `portal` is where it was passed on from."""
    if portal:
        return language.gettext("from the portal %(name)s", name=portal)
    return language.gettext(VIA[via])


def doubt_words(doubt: Doubt, lines: Sequence[Vacancy], language: Language) -> str:
    """What to ask somebody who has entered `lines`."""
    found = _LINE.match(doubt.field)
    line = lines[int(found[1])] if found else None
    text = DOUBTS.get(doubt.code)
    if text is None or line is None:
        return doubt.detail
    form = language.gettext(words.CARE_FORMS[line.care_form])
    return language.gettext(text, form=form, count=language.number(line.count))


def summary(rows: Iterable[Row], language: Language) -> str:
    """What would be reported, in a few words: "2 short-term care, 1 day care"."""
    counts: dict[str, int] = {}
    for row in rows:
        if row.line.count:
            name = language.gettext(words.CARE_FORMS[row.line.care_form])
            counts[name] = counts.get(name, 0) + row.line.count
    if not counts:
        return language.gettext("full")
    return ", ".join(f"{language.number(count)} {name}" for name, count in counts.items())
