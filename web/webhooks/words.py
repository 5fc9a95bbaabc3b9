"""Webhooks in the words of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from vacancies.board import Board
from vacancies.errors import FreiplatzError
from web.language import Language
from web.webhooks.deliveries import Delivery
from web.webhooks.endpoints import Webhook
from web.words import N_

EVENTS = {
    "listing.changed": N_("Home changed"),
    "listing.gone": N_("Home no longer listed"),
    "ping": N_("Test"),
    "reports": N_("Reports"),
}
OUTCOMES = {
    "delivered": N_("Delivered"),
    "refused": N_("Not accepted"),
    "address": N_("No public address has this name"),
    "connection": N_("No connection"),
    "tls": N_("The certificate is not valid"),
    "timeout": N_("No answer in time"),
}
# By the field of the form that holds the fault.
FAULTS = {
    "address": N_("This address cannot be called. It begins with https:// and is public."),
    "contact": N_("This is no e-mail address. Please check it."),
    "search": N_("This search is not understood."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with which field (empty: with none); `why` is the API's English, where it
    says more."""

    field: str
    text: str
    why: str = ""


def fault_words(error: FreiplatzError, language: Language) -> Fault:
    if error.code == "too_many_webhooks":
        text = language.gettext("There are as many as possible. Remove one that is not needed.")
        return Fault("", text)
    # What a search raises names its own parameter, such as a place.
    field = error.field if error.field in FAULTS else "search"
    why = "" if field == "contact" else error.detail
    return Fault(field, language.gettext(FAULTS[field]), why)


def host_of(webhook: Webhook) -> str:
    """Where it goes; the rest of the address may hold a secret."""
    return urlsplit(webhook.address).hostname or ""


def state_words(webhook: Webhook, language: Language) -> str:
    _ = language.gettext
    if webhook.state == "active":
        if webhook.failing_since is None:
            return _("Running")
        return _(
            "Failing since %(since)s. Next try: %(next)s",
            since=language.moment(webhook.failing_since),
            next=language.moment(webhook.next_attempt_at),
        )
    if webhook.reason == "gone":
        return _("Stopped: the receiver wants no more (410)")
    if webhook.reason == "failing":
        return _("Stopped: nothing was accepted for three days")
    return _("Paused")


def state_icon(webhook: Webhook) -> str:
    if webhook.state != "active":
        return "stop"
    return "fresh" if webhook.failing_since is None else "stale"


@dataclass(frozen=True, slots=True)
class Try:
    """One try in words."""

    at: str  # ISO 8601
    when: str
    what: str
    home: str
    how: str
    is_delivered: bool


def delivery_words(delivery: Delivery, board: Board, language: Language) -> Try:
    _ = language.gettext
    listing = board.get(delivery.home_id) if delivery.home_id else None
    how = [_(OUTCOMES[delivery.outcome])]
    if delivery.status is not None:
        how.append(_("answer %(status)s", status=delivery.status))
    how.append(_("%(number)s ms", number=language.number(delivery.duration_ms)))
    if delivery.attempt > 1:
        how.append(_("try %(number)s", number=language.number(delivery.attempt)))
    return Try(
        at=delivery.sent_at.isoformat(),
        when=language.moment(delivery.sent_at),
        what=_(EVENTS[delivery.event]),
        home=listing.profile.name if listing else delivery.home_id or "",
        how=" · ".join(how),
        is_delivered=delivery.outcome == "delivered",
    )
