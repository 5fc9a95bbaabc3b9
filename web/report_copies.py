"""Where else a home's report stands, in words: for the report page and the provider's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from vacancies.database import borrowed
from vacancies.listings import local_date
from vacancies.models import CareHome
from web.language import Language
from web.pages import current_language
from web.portals.copies import Copy, select_copies
from web.portals.links import Link, select_links
from web.state import state
from web.webhooks.words import host_of
from web.words import N_

# By the code of the error there.
REFUSALS = {
    "unknown_home": N_("this home is not known there"),
    "foreign_home": N_("this home belongs to another provider there"),
    "home_closed": N_("this home is closed there"),
    "exceeds_capacity": N_("these are more places than the home has there"),
    "observed_in_future": N_("one of the two clocks is wrong"),
}


@dataclass(frozen=True, slots=True)
class CopyWords:
    """How it stands with a home's report at `host`. `why` is what the other side says itself, in
    its own language."""

    host: str
    text: str
    mood: str  # as the marks of `noted` have it
    why: str = ""

    @property
    def icon(self) -> str:
        return {"well": "fresh", "refused": "stop"}.get(self.mood, "ageing")


async def copies_of(home: CareHome) -> list[CopyWords]:
    """One for each place to which the home's reports are passed on, for its report page."""
    async with borrowed(state().deployment.pool) as connection:
        links = await select_links(connection, home.provider_id)
        pairs = [
            (link, await select_copies(connection, link.webhook.id, [home.id])) for link in links
        ]
    now, language = datetime.now(UTC), current_language()
    found = [copy_words(link, copies[0], language, now) for link, copies in pairs]
    return [words for words in found if words is not None]


def copy_words(link: Link, copy: Copy, language: Language, now: datetime) -> CopyWords | None:
    """None where there is nothing to say: nothing was reported, or the report came from there or
    another portal itself."""
    _ = language.gettext
    host, verdict = host_of(link.webhook), copy.verdict
    if copy.is_void and verdict is not None:
        return CopyWords(host, _("what you have taken back here still stands there"), "refused")
    if copy.report is None:
        return None
    if copy.is_due or verdict is None or copy.settled_at is None:
        return CopyWords(host, _waiting(link, language), "")
    if verdict.outcome == "refused":
        text = _(REFUSALS[verdict.code]) if verdict.code in REFUSALS else verdict.field or ""
        why = "" if verdict.code in REFUSALS else verdict.detail or ""
        words = _("refused: %(why)s", why=text) if text else _("refused")
        return CopyWords(host, words, "refused", why)
    if verdict.outcome == "newer":
        return CopyWords(host, _("something newer is known there"), "well")
    at = copy.settled_at
    is_today = local_date(at) == local_date(now)
    time = language.clock(at) if is_today else language.moment(at)
    return CopyWords(host, _("taken at %(time)s", time=time), "well")


def _waiting(link: Link, language: Language) -> str:
    _ = language.gettext
    if link.webhook.reason == "owner":
        return _("waits: your provider has paused it")
    if link.trouble == "key":
        return _("waits: the key of your provider is not valid there")
    if link.webhook.state != "active":
        return _("waits: it was given up, and your provider must resume it")
    if link.trouble:
        return _("waits: it cannot be reached")
    return _("waits")
