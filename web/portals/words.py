"""Links to other deployments of Freiplatz in the words of the pages."""

from __future__ import annotations

from typing import Any

from vacancies.errors import FreiplatzError
from web.language import Language
from web.portals.links import Link
from web.webhooks.words import Fault, host_of, state_icon, state_words
from web.words import N_

FAULTS = {
    "address": N_("This address cannot be used. It begins with https:// and is another Freiplatz."),
    "key": N_("This is no key for reports. It begins with fp_ and comes from the other Freiplatz."),
    "ids": N_("These ids cannot be."),
}
TROUBLES = {
    "key": N_(
        "The key is not valid there. Have the people there make a new one, and enter it below."
    ),
    "strange": N_("What answers there is no Freiplatz. Remove it, and add the right address."),
}


def fault_words(error: FreiplatzError, language: Language) -> Fault:
    """What is wrong in the form; `why` is English."""
    if error.code == "too_many_webhooks":
        text = language.gettext("There are as many as possible. Remove one that is not needed.")
        return Fault("", text)
    field = error.field if error.field in FAULTS else "address"
    return Fault(field, language.gettext(FAULTS[field]), error.detail)


def link_row(link: Link, language: Language) -> dict[str, Any]:
    """A link as the pages show it."""
    icon = state_icon(link.webhook)
    return {
        "id": link.webhook.id,
        "host": host_of(link.webhook),
        "state": state_words(link.webhook, language),
        "trouble": language.gettext(TROUBLES[link.trouble]) if link.trouble in TROUBLES else "",
        "icon": icon,
        "mood": {"fresh": "well", "stale": "refused"}.get(icon, ""),
    }
