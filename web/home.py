"""A home's page: all that the public may know of it, and what to do next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from providers.federation.neighbours import select_neighbour
from vacancies.errors import InvalidParameter
from vacancies.geojson import public_origin
from vacancies.listings import local_date
from vacancies.models import CareForm, HomeStatus, Listing, Standing
from vacancies.reliability import select_reliability
from web.advice import advice_at
from web.cards import Card, card, safe_website
from web.client_start import client_start
from web.cursor import Cursor
from web.details import (
    directions,
    free_lines,
    labellers,
    reliability_text,
    run_by,
    spoken,
    summary,
    validity_text,
)
from web.language import Language
from web.linked_data import linked_data
from web.own_share import Situation, own_share_view, read_situation
from web.pages import current_language, link, message_page, page
from web.parameters import parse_query
from web.state import state

home_pages = Blueprint("home", __name__)

# A stream has an area: this one is some ten metres around the home, in degrees.
_AROUND = 0.0001


def home_path(home_id: str) -> str:
    return f"/homes/{quote(home_id)}"


@home_pages.get("/homes/<home_id>")
@home_pages.get("/homes/<origin>/<home_id>")
async def home(home_id: str, origin: str | None = None) -> Response:
    """The page. `?grade=3&since=2` asks for one's own share of the price. Of a home of a neighbour
    the id is both parts; it has no other pages here: whatever is wrong is put right there."""
    home_id = home_id if origin is None else f"{origin}/{home_id}"
    listing = state().board.get(home_id)
    if listing is None or listing.profile.status is not HomeStatus.OPEN:
        return await no_home(listing)
    try:
        situation = read_situation(request.args)
    except InvalidParameter:
        return await _wrong_situation(home_id)
    return await _page(listing, situation)


async def _page(listing: Listing, situation: Situation) -> Response:
    language, now = current_language(), datetime.now(UTC)
    view, profile = card(listing, None, language, now), listing.profile
    found = await select_reliability(state().deployment.pool, listing.id, now)
    share = own_share_view(listing, situation, language, local_date(now))
    return await page(
        "home.html",
        home=listing,
        advice=await advice_at(profile.point, profile.municipality),
        card=view,
        path=link(home_path(listing.id)),
        wrong_path=link(f"{home_path(listing.id)}/wrong"),
        lines=free_lines(listing, language, now),
        summary=summary(listing, view, language),
        validity=validity_text(listing, language, now),
        reliability=""
        if listing.standing is Standing.FROZEN
        else reliability_text(found, language, local_date(now)),
        linked_data=_linked_data(listing, view),
        origin=await _origin(listing, language),
        labels=labellers(language),
        spoken=spoken(listing, language),
        run_by=run_by(listing, language),
        directions=directions(profile),
        capacity=[(form, n) for form in CareForm if (n := profile.capacity.get(form))],
        observed=_moment(listing.observed_at, language),
        confirmed=_moment(listing.confirmed_at, language),
        as_of=language.moment(now),
        share=share,
        client=await _client(listing, share.by_year if share else {}, now, language),
    )


def _linked_data(listing: Listing, view: Card) -> dict[str, Any] | None:
    """For search engines: not of invented homes, and not of those of neighbours."""
    if state().demo or listing.origin is not None:
        return None
    return linked_data(listing, view, _own_address(listing.id))


async def _origin(listing: Listing, language: Language) -> dict[str, Any] | None:
    """Of a home of a neighbour: whose it is, its page there, up to when that was heard, and what
    the licence of its data wants said."""
    origin = public_origin(listing)
    if origin is None or listing.origin is None:
        return None
    found = await select_neighbour(state().deployment.pool, listing.origin.slug)
    return {
        "name": origin.name,
        "href": safe_website(origin.url),
        "heard": _moment(found.heard_at if found else None, language),
        "is_silent": origin.silent_since is not None,
        "attribution": found.attribution if found else "",
        "licence": safe_website(found.licence if found else ""),
    }


async def _client(
    listing: Listing, shares: dict[int, str], now: datetime, language: Language
) -> dict[str, Any]:
    """What the client starts from: a stream of the home's surroundings, from this state on."""
    point, board = listing.profile.point, state().board
    sides = (
        max(point.longitude - _AROUND, -180.0),
        max(point.latitude - _AROUND, -90.0),
        min(point.longitude + _AROUND, 180.0),
        min(point.latitude + _AROUND, 90.0),
    )
    search = {"bbox": ",".join(f"{side:.6f}" for side in sides), "include_full": "true"}
    query = await parse_query(MultiDict(search), state().geocoder)
    return {
        "id": listing.id,
        "revision": listing.revision,
        "search": urlencode(search),
        "cursor": str(Cursor(query.fingerprint(), board.epoch, board.revision)),
        "asOf": now.isoformat(),
        "shares": shares,
        "centres": [(point.latitude, point.longitude)],
        **client_start(language),
    }


async def _wrong_situation(home_id: str) -> Response:
    _ = current_language().gettext
    return await message_page(
        400,
        _("We cannot use one of your entries"),
        _("Choose the care grade and the time again."),
        [(_("To the home"), link(home_path(home_id)))],
    )


async def no_home(listing: Listing | None) -> Response:
    """For a home that is not known (None), or closed."""
    _ = current_language().gettext
    steps = [(_("Search for another home"), link("/"))]
    if listing is None:
        return await message_page(
            404, _("We do not know this home"), _("The link is old or mistyped."), steps
        )
    if merged_into := listing.profile.merged_into:
        steps.insert(0, (_("To the home that took its place"), link(home_path(merged_into))))
    return await message_page(
        410, _("This home is closed"), _("It takes no new residents any more."), steps
    )


def _own_address(home_id: str) -> str:
    base = (state().settings.public_url or request.host_url).rstrip("/")
    return base + link(home_path(home_id))


def _moment(at: datetime | None, language: Language) -> str:
    return language.moment(at) if at else ""
