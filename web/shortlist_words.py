"""The texts of the client of the shortlist, from the same catalogue as the pages."""

from __future__ import annotations

from typing import Any

from web.language import Language
from web.words import N_

_TEXTS = {
    "changed": N_("%(name)s has new information."),
    "removed": N_("%(name)s is no longer on your list."),
    "undo": N_("Undo"),
    "copied": N_("The link is copied."),
    "copyYourself": N_("Please copy the marked address."),
    "foreign": N_("This is not your own list."),
    "allMine": N_("All these homes are on your list too."),
    "added": N_("The homes are on your list."),
    "addedSome": N_("Your list is full. Not all homes found room."),
    "printed": N_("Printed on %(moment)s."),
    "notePrinted": N_("Note: %(note)s"),
}


def shortlist_words(language: Language) -> dict[str, Any]:
    """All that the client of the page says."""
    ngettext = language.plural_forms  # the name by which the extraction finds the texts
    return {
        "tag": language.tag,
        "careForms": {},
        "texts": {name: language.gettext(text) for name, text in _TEXTS.items()},
        "plurals": {
            "take": ngettext("Put %(num)s home on my list", "Put %(num)s homes on my list"),
            "mine": ngettext("To my own list (%(num)s home)", "To my own list (%(num)s homes)"),
        },
    }
