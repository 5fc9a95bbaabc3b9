"""The audit trail of a home in words, for those who may report for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from providers.staff import membership_for, select_memberships
from providers.trail import Entry, select_trail
from vacancies.database import borrowed
from vacancies.listings import local_date
from vacancies.models import AdmissionStop, WaitingList
from web import words
from web.account import is_admin
from web.cards import line_text
from web.language import Language
from web.numbers import whole_number
from web.pages import current_language, link, message_page, page
from web.report_words import way_words
from web.staff import require_staff
from web.state import state
from web.words import N_

trail = Blueprint("trail", __name__)

MEMBERS = {
    "name": N_("Name changed"),
    "point": N_("Position changed"),
    "precision": N_("Position changed"),
    "address": N_("Address changed"),
    "contact": N_("Contact changed"),
    "capacity": N_("Number of licensed places changed"),
    "costs": N_("Costs changed"),
    "focuses": N_("What the home specialises in changed"),
    "languages": N_("Languages that are spoken changed"),
    "ownership": N_("Who runs the home changed"),
    "quality_url": N_("Address of the quality results changed"),
    "needs": N_("What the home can cope with changed"),
}
OTHER_MEMBER = N_("Details changed")


@trail.get("/homes/<home_id>/trail")
async def show(home_id: str) -> Response:
    found = await require_staff()
    listing = state().board.get(home_id)
    async with borrowed(state().deployment.pool) as connection:
        membership = await membership_for(connection, found.staff.id, home_id) if listing else None
        if listing is None or membership is None:
            return await _not_yours()
        entries, before = await select_trail(connection, home_id, _before())
        memberships = await select_memberships(connection, found.staff.id)
    language = current_language()
    path = f"/homes/{home_id}/trail"
    return await page(
        "trail.html",
        is_private=True,
        is_admin=is_admin(memberships),
        staff=found.staff,
        home=listing,
        entries=[in_words(entry, language) for entry in entries],
        next_address=link(path, MultiDict({"before": str(before)})) if before else "",
        first_address=link(path) if _before() else "",
    )


def _before() -> int | None:
    return whole_number(request.args.get("before", ""))


async def _not_yours() -> Response:
    """The same for homes that do not exist: who may not report learns nothing."""
    _ = current_language().gettext
    return await message_page(
        403,
        _("You may not report for this home"),
        _("Ask an admin of its provider to invite you."),
        [(_("To your account"), link("/account"))],
    )


def in_words(entry: Entry, language: Language) -> dict[str, Any]:
    """When, who, by which way, and what, for people."""
    _ = language.gettext
    if entry.kind == "confirmation":
        what = [_("Still so")]
    elif entry.kind == "amendment":
        what = _amended(entry.amended, language)
    elif entry.kind == "undo":
        what = [_("Taken back. As before:"), *_lines(entry, language)]
    else:
        what = _lines(entry, language)
    return {
        "at": entry.reported_at.isoformat(),
        "when": language.moment(entry.reported_at),
        "who": entry.who,
        "way": way_words(entry.via, entry.portal, language),
        "what": what,
    }


def _lines(entry: Entry, language: Language) -> list[str]:
    """Every line of a report, as it came: those who report see all of it."""
    today = local_date(entry.reported_at)
    lines = [line_text(line, language, today) for line in entry.vacancies if line.count > 0]
    return lines or [language.gettext("No free place")]


def _amended(members: dict[str, Any], language: Language) -> list[str]:
    special: dict[str, Callable[[Any], str]] = {
        "admission_stop": lambda value: _stop(value, language),
        "waiting_list": lambda value: _waiting(value, language),
    }
    said = [
        special[name](value)
        if name in special
        else language.gettext(MEMBERS.get(name, OTHER_MEMBER))
        for name, value in members.items()
    ]
    return list(dict.fromkeys(said))


def _stop(value: Any, language: Language) -> str:
    _ = language.gettext
    if value is None:
        return _("Admissions again")
    stop = msgspec.convert(value, AdmissionStop)
    reason = _(words.STOP_REASONS[stop.reason])
    if stop.until is None:
        return _("No admissions: %(reason)s", reason=reason)
    day = language.day(stop.until, date.min)
    return _("No admissions until %(day)s: %(reason)s", day=day, reason=reason)


def _waiting(value: Any, language: Language) -> str:
    if value is None:
        return language.gettext("Waiting list not known")
    return language.gettext(words.WAITING_LISTS[WaitingList(value)])
