"""Eighty places tonight: who has them, how far away, and whom to call. From public data, so beyond
the border of the municipality too."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import msgspec
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from providers.safe_cells import safe_cell
from vacancies.errors import AmbiguousPlace, FreiplatzError, InvalidParameter, UnknownPlace
from vacancies.evacuation import BEDS, Plan, Stay, plan_evacuation
from vacancies.listings import local_date
from vacancies.models import CareForm, HomeStatus, Point
from web.cards import freshness_text, no_offer_text, phone_href, stop_text
from web.desk.access import require_desk
from web.desk.pages import desk_page
from web.language import Language
from web.numbers import whole_number
from web.pages import NO_TRACE, current_language, link
from web.parameters import parse_query
from web.problems import status_of
from web.state import state
from web.words import CARE_FORMS, N_

evacuation = Blueprint("desk_evacuation", __name__)

MOST_PLACES = 2_000
RADII_KM = (10, 25, 50, 100, 200)
_RADIUS_KM = "50"
_FIELDS = ("places", "place", "home", "radius_km", "care_form")
_HEADER = (
    N_("Group"),
    N_("Home"),
    N_("Street and number"),
    N_("Postcode"),
    N_("Town"),
    N_("Telephone"),
    N_("Person to ask"),
    N_("Kilometres"),
    N_("Free"),
    N_("Together"),
    N_("Last report"),
)
GROUPS = {
    "sure": N_("Free, reported lately"),
    "unsure": N_("Free, reported a while ago: call first"),
    "calls": N_("More homes to call: ask for emergency beds"),
}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: so many places around `centre`. `without` is the home that is emptied."""

    places: int
    centre: Point
    label: str
    radius_km: float
    forms: tuple[CareForm, ...]
    without: str | None


@evacuation.get("/desk/<key>/evacuation")
async def show(key: str) -> Response:
    """The form, and the list once it is filled in: `?places=80&place=33330`, or `home=` with the
    id of the home that is emptied. `?format=csv` is the same as a table."""
    at = await require_desk(key)
    language = current_language()
    wish, wrong, status = None, "", 200
    if request.args.get("places"):
        try:
            wish = await _wish()
        except FreiplatzError as error:
            wrong, status = _in_words(error, language), status_of(error)
    groups, plan = [], None
    if wish is not None:
        plan = _plan(wish)
        if request.args.get("format") == "csv":
            return _table(plan, language)
        groups = [(language.gettext(GROUPS[n]), n, _rows(s, language)) for n, s in _groups(plan)]
    emptied = state().board.get(request.args.get("home", ""))
    return await desk_page(
        "desk_evacuation.html",
        at,
        status,
        wish=wish,
        wrong=wrong,
        groups=groups,
        found=plan.total if plan else 0,
        moment=language.moment(datetime.now(UTC)),
        emptied=emptied,
        typed=request.args,
        radii=[(str(km), language.distance(km)) for km in RADII_KM],
        radius_km=request.args.get("radius_km") or _RADIUS_KM,
        forms=[(form, language.gettext(CARE_FORMS[form])) for form in CareForm],
        chosen=wish.forms if wish else request.args.getlist("care_form") or BEDS,
        table=link(f"/desk/{key}/evacuation", _asked()),
        base=f"/desk/{key}/evacuation",
    )


def _table(plan: Plan, language: Language) -> Response:
    """The same list for a spreadsheet: with semicolons and a byte order mark, as those of offices
    here read it without being asked."""
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";")
    rows.writerow(map(language.gettext, _HEADER))
    for name, stays in _groups(plan):
        group = language.gettext(GROUPS[name])
        for stay, row in zip(stays, _rows(stays, language), strict=True):
            profile = stay.listing.profile
            address, contact = profile.address, profile.contact
            where = (profile.name, address.street, address.postcode, address.city)
            how = (contact.phone, contact.person)
            numbers = (language.number(stay.km, 1), stay.free or "", stay.total or "")
            cells = (*map(safe_cell, (*where, *how)), *numbers, row["freshness_text"])
            rows.writerow((group, *cells))
    response = Response("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="evacuation.csv"'
    response.headers["Cache-Control"] = NO_TRACE
    return response


async def _wish() -> Wish:
    """Raises `InvalidParameter`, `UnknownPlace` and `AmbiguousPlace`."""
    places = whole_number(request.args.get("places", "").strip(), 5) or 0
    if not 0 < places <= MOST_PLACES:
        raise InvalidParameter("How many places are needed? At most 2,000.", field="places")
    search = MultiDict(
        [(n, v) for n in ("place", "radius_km", "care_form") for v in request.args.getlist(n)]
    )
    search.setdefault("radius_km", _RADIUS_KM)
    without = request.args.get("home") or None
    listing = state().board.get(without) if without else None
    if without and (listing is None or listing.profile.status is not HomeStatus.OPEN):
        raise InvalidParameter("There is no such home.", field="home")
    if listing is not None:
        search.pop("place", None)
    query = await parse_query(search, state().geocoder)
    if listing is None and not query.centres:
        raise InvalidParameter("Where? Enter a place.", field="place")
    return Wish(
        places=places,
        centre=listing.profile.point if listing else query.centres[0],
        label=listing.profile.name if listing else request.args.get("place", "").strip(),
        radius_km=query.radius_km,
        forms=query.care_forms or BEDS,
        without=without,
    )


def _plan(wish: Wish) -> Plan:
    return plan_evacuation(
        state().board,
        wish.centre,
        wish.places,
        local_date(datetime.now(UTC)),
        forms=wish.forms,
        radius_km=wish.radius_km,
        without=wish.without,
    )


def _groups(plan: Plan) -> list[tuple[str, list[Stay]]]:
    return [("sure", plan.sure), ("unsure", plan.unsure), ("calls", plan.calls)]


def _rows(stays: list[Stay], language: Language) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [_row(stay, language, now) for stay in stays]


def _row(stay: Stay, language: Language, now: datetime) -> dict[str, Any]:
    listing, profile = stay.listing, stay.listing.profile
    address, contact = profile.address, profile.contact
    town = " ".join(filter(None, (address.postcode, address.city)))
    stop = stop_text(listing, language, local_date(now))
    return {
        "name": profile.name,
        "href": link(f"/homes/{listing.id}"),
        "place": ", ".join(filter(None, (address.street, town))),
        "km": language.distance(stay.km),
        "phone": contact.phone or "",
        "phone_href": phone_href(contact.phone),
        "person": ", ".join(filter(None, (contact.person, contact.hours))),
        "free": language.number(stay.free) if stay.free else "",
        "total": language.number(stay.total) if stay.total else "",
        "freshness": listing.freshness.value,
        "freshness_text": freshness_text(listing, language, now),
        "note": stop or ("" if stay.free else no_offer_text(listing, language)),
    }


def _asked() -> MultiDict[str, str]:
    """What the address asks for, as a table."""
    asked = [(name, v) for name in _FIELDS for v in request.args.getlist(name)]
    return MultiDict([*asked, ("format", "csv")])


def _in_words(error: FreiplatzError, language: Language) -> str:
    _ = language.gettext
    if isinstance(error, AmbiguousPlace):
        names = "; ".join(str(place["label"]) for place in error.candidates[:5])
        return _("There are several such places. Enter one of these: %(names)s", names=names)
    if isinstance(error, UnknownPlace) or error.field == "place":
        return _("We do not know this place. Try a postcode or a town.")
    if error.field == "places":
        return _("Enter how many places are needed, at most 2,000.")
    return _("We cannot use one of your entries")
