"""What the report page gives to its browser client (client/src/report.ts)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from providers.report_form import Row
from web.language import Language
from web.pages import link
from web.reporter import Reporter
from web.staff import csrf_token
from web.words import CARE_FORMS, N_, labels

# By the name under which the client asks for them.
_TEXTS = {
    "unchanged": N_("Unchanged: report it so"),
    "report": N_("Report %(summary)s"),
    "summary": N_("To be reported: %(summary)s"),
    "none": N_("full"),
    "sending": N_("Sending …"),
    "sent": N_("Reported at %(time)s."),
    "undo": N_("Undo (%(seconds)s)"),
    "undoName": N_("Undo"),
    "undoFailed": N_("This can no longer be undone. Please report the right numbers."),
    "undoOffline": N_("No network: nothing was undone. Please report the right numbers."),
    "notSent": N_("Not sent yet. Kept since %(time)s, sent as soon as there is network."),
    "kept": N_("Your report from %(time)s is kept on this device until then."),
    "tryNow": N_("Try now"),
    "discard": N_("Do not send it"),
    "offline": N_("No network. You can report all the same."),
    "conflict": N_("Somebody else has reported in between. What is right?"),
    "mine": N_("Yours"),
    "theirs": N_("Stored now"),
    "reportMine": N_("Report mine all the same"),
    "keepTheirs": N_("Keep what is stored"),
    "refused": N_("This was not stored."),
    "sure": N_("Yes, report it so"),
    "correct": N_("Change the numbers"),
    "dead": N_("This link is over. Open the newest mail, or ask for a new link."),
    "signedOut": N_("You are no longer signed in. Sign in, and your report is sent."),
    "signIn": N_("Sign in"),
}


def client_start(
    reporter: Reporter,
    rows: Sequence[Row],
    homes: Sequence[dict[str, Any]],
    undo_seconds: int,
    language: Language,
    *,
    is_typed: bool,
) -> dict[str, Any]:
    """JSON for the client: where to report, as whom, what the rows hold beside what they show, its
    words. `is_typed`: the page shows what somebody has entered, and none of it is stored."""
    words = client_words(language)
    if reporter.is_signed_in:
        words["texts"]["dead"] = language.gettext("You may no longer report for this home.")
    return {
        "person": str(reporter.staff_id),
        "csrf": csrf_token() if reporter.is_signed_in else "",
        "signIn": reporter.sign_in,
        "homeId": reporter.home.id,
        "name": reporter.home.profile.name,
        "address": link(reporter.address),
        "revision": reporter.home.revision,
        "undoSeconds": undo_seconds,
        "isTyped": is_typed,
        "lines": {row.key: msgspec.to_builtins(row.line) for row in rows},
        "homes": [home | {"href": link(home["href"])} for home in homes],
        "words": words,
    }


def client_words(language: Language) -> dict[str, Any]:
    """All that the client says; placeholders are left open."""
    ngettext = language.plural_forms  # the name by which the extraction finds the texts
    return {
        "tag": language.tag,
        "careForms": labels(language, CARE_FORMS),
        "texts": {name: language.gettext(text) for name, text in _TEXTS.items()},
        "plurals": {
            "watching": ngettext(
                "%(num)s person who is searching sees it.",
                "%(num)s people who are searching see it.",
            ),
            "othersWait": ngettext(
                "%(num)s report for another home waits on this device.",
                "%(num)s reports for other homes wait on this device.",
            ),
        },
    }
