"""The table of homes: what waits for somebody stands first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from providers.desk_homes import (
    PAGE_HOMES,
    STATES,
    DeskHome,
    State,
    count_homes,
    select_desk_homes,
)
from vacancies.listings import local_date, own_listing
from vacancies.models import CareForm, CareHome, HomeStatus, Standing
from web.cards import freshness_text, stop_text
from web.cursor import Cursor
from web.desk.access import AtDesk, require_desk
from web.desk.pages import desk_page
from web.language import Language
from web.numbers import whole_number
from web.pages import current_language, link
from web.parameters import parse_query
from web.state import state
from web.words import CARE_FORMS, N_

homes = Blueprint("desk_homes", __name__)

STATE_WORDS: dict[State, str] = {
    "open": N_("All homes"),
    "waiting": N_("Waits for your approval"),
    "wrong": N_("Readers say that something is wrong"),
    "silent": N_("Not reported in time"),
    "nobody": N_("Nobody reports"),
    "stopped": N_("Admission stop"),
    "frozen": N_("Reports frozen"),
    "declined": N_("Does not take part"),
    "refused": N_("Not approved"),
    "closed": N_("Closed"),
}
STANDING_WORDS = {
    Standing.FROZEN: STATE_WORDS["frozen"],
    Standing.DECLINED: STATE_WORDS["declined"],
    Standing.WAITING: STATE_WORDS["waiting"],
    Standing.REFUSED: STATE_WORDS["refused"],
}
_MOST_LETTERS = 100
_MOST_PAGE = 1_000


@homes.get("/desk/<key>")
async def show(key: str) -> Response:
    """`?state=silent` filters, `?name=` searches names and places, `?page=2` goes on."""
    at = await require_desk(key)
    chosen: State = next((each for each in STATES if each == request.args.get("state")), "open")
    name = " ".join(request.args.get("name", "").split())[:_MOST_LETTERS]
    number = min(whole_number(request.args.get("page", ""), 4) or 1, _MOST_PAGE)
    # Before the homes are read: what comes meanwhile is told once more, and not missed.
    client = await _client(at)
    async with at.reading() as connection:
        counts = await count_homes(connection, name)
        found = await select_desk_homes(connection, chosen, name, number)
    language, now = current_language(), datetime.now(UTC)

    def address(**changes: str) -> str:
        values = {"state": chosen if chosen != "open" else "", "name": name} | changes
        return link(f"/desk/{key}", MultiDict(values))

    is_last = number * PAGE_HOMES >= counts[chosen]
    return await desk_page(
        "desk.html",
        at,
        chosen=chosen,
        chosen_words=language.gettext(STATE_WORDS[chosen]),
        name=name,
        total=counts[chosen],
        first=(number - 1) * PAGE_HOMES + 1,
        filters=[
            (language.gettext(STATE_WORDS[each]), counts[each], address(state=each), each == chosen)
            for each in STATES
            if counts[each] or each in ("open", chosen)
        ],
        rows=[_row(at, each, language, now) for each in found],
        before=address(page=str(number - 1)) if number > 1 else "",
        after="" if is_last else address(page=str(number + 1)),
        everything=link(f"/desk/{key}"),
        map=link("/", MultiDict({"municipality": key, "include_full": "true"})),
        client=client,
    )


async def _client(at: AtDesk) -> dict[str, Any]:
    """What the client starts from: a stream of the municipality's homes, from this state on."""
    search, board, language = _stream_of(at.key), state().board, current_language()
    ngettext = language.plural_forms  # the name by which the extraction finds the texts
    query = await parse_query(MultiDict(search), state().geocoder)
    return {
        "search": urlencode(search),
        "cursor": str(Cursor(query.fingerprint(), board.epoch, board.revision)),
        "words": {
            "tag": language.tag,
            "careForms": {},
            "texts": {},
            "plurals": {
                "changed": ngettext(
                    "%(num)s home has changed: show", "%(num)s homes have changed: show"
                )
            },
        },
    }


def _stream_of(key: str) -> dict[str, str]:
    return {"municipality": key, "include_full": "true"}


def home_page(key: str, home_id: str) -> str:
    """The path of a home at that desk."""
    return f"/desk/{key}/homes/{quote(home_id, safe='')}"


def _row(at: AtDesk, found: DeskHome, language: Language, now: datetime) -> dict[str, Any]:
    home, _ = found.home, language.gettext
    listing, profile = own_listing(home), home.profile
    address = profile.address
    return {
        "id": home.id,
        "name": profile.name,
        "href": link(home_page(at.key, home.id)),
        "place": " ".join(filter(None, (address.postcode, address.city))),
        "freshness": listing.freshness.value,
        "freshness_text": freshness_text(listing, language, now),
        "free": free_words(home, language),
        "capacity": sum(profile.capacity.values()),
        "people": people_words(found, language),
        "notes": notes(found, language),
        "is_ours": at.desk.owns(profile.municipality),
    }


def free_words(home: CareHome, language: Language) -> str:
    """What it has reported last, also where the public does not see it."""
    free: dict[CareForm, int] = {}
    for line in home.vacancies:
        free[line.care_form] = free.get(line.care_form, 0) + line.count
    known = [
        f"{language.number(free[form])} {language.gettext(CARE_FORMS[form])}"
        for form in CareForm
        if free.get(form)
    ]
    if not known and home.observed_at is not None:
        return language.gettext("full")
    return ", ".join(known)


def people_words(found: DeskHome, language: Language) -> str:
    if found.people:
        return language.ngettext("%(num)s person", "%(num)s people", found.people)
    if found.home.observed_at is None:
        return language.gettext("nobody invited")
    return language.gettext("nobody invited, reports otherwise")


def notes(found: DeskHome, language: Language) -> list[str]:
    """What is special about it, in a few words each."""
    home, _ = found.home, language.gettext
    listing = own_listing(home)
    stop = stop_text(listing, language, local_date(home.evaluated_at))
    said = [
        language.ngettext("%(num)s correction", "%(num)s corrections", found.corrections)
        if found.corrections
        else "",
        _(STANDING_WORDS[home.standing]) if home.standing in STANDING_WORDS else "",
        stop,
        _("Closed") if home.profile.status is HomeStatus.CLOSED else "",
        _("Merged into another home") if home.profile.status is HomeStatus.MERGED else "",
    ]
    return list(filter(None, said))
