"""The words of the report page, and those that its client needs."""

from __future__ import annotations

from collections.abc import Iterable

from providers.report_form import Row
from vacancies.commands import Via
from web import words
from web.language import Language
from web.words import N_

# The way by which a report came.
VIA: dict[Via, str] = {
    "api": N_("by the care software"),
    "link": N_("by a link"),
    "page": N_("on this page"),
    "import": N_("from a list"),
    "operator": N_("by the operator"),
}
# By the code of the error.
REFUSALS = {
    "exceeds_capacity": N_("That is more than the home has places. Please check the numbers."),
    "nothing_to_confirm": N_("This home has not reported yet. Please enter the free places."),
    "unavailable": N_("The server does not answer. Nothing was stored. Please try again."),
    "outcome_unknown": N_("The connection broke. Please open the page again and look."),
    "overloaded": N_("Too many are reporting just now. Please try again in a moment."),
}

# By the name under which the client asks for them (client/src/report*.ts).
_CLIENT_TEXTS = {
    "unchanged": N_("Unchanged: report it so"),
    "report": N_("Report %(summary)s"),
    "sending": N_("Sending …"),
    "sent": N_("Reported at %(time)s."),
    "undone": N_("Taken back at %(time)s."),
    "undo": N_("Undo (%(seconds)s)"),
    "notSent": N_("Not sent yet. Kept since %(time)s, sent as soon as there is network."),
    "offline": N_("No network. You can report all the same."),
    "conflict": N_("Somebody else has reported in between."),
    "mine": N_("Yours"),
    "theirs": N_("Stored now"),
    "reportMine": N_("Report mine all the same"),
    "keepTheirs": N_("Keep what is stored"),
    "refused": N_("This was not stored:"),
    "dead": N_("This link is over. Open the newest mail, or ask for a new link."),
    "none": N_("full"),
}


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


def client_words(language: Language) -> dict[str, object]:
    """Texts for the client, its placeholders left open."""
    return {
        "texts": {name: language.gettext(text) for name, text in _CLIENT_TEXTS.items()},
        "forms": {form.value: language.gettext(name) for form, name in words.CARE_FORMS.items()},
        "language": language.tag,
    }
