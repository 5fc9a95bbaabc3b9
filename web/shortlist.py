"""The shortlist: homes somebody wants to call. It stands in the address and nowhere else.

`/shortlist?home=a&home=b` can be sent to others, kept as a bookmark and printed. In the browser the
client remembers the homes (client/src/shortlist/); without it the search carries them along in
`keep`. We store nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from quart import Blueprint, Quart, Response, request
from werkzeug.datastructures import MultiDict

from vacancies.errors import (
    AmbiguousPlace,
    FreiplatzError,
    GeocoderUnavailable,
    InvalidInput,
    UnknownPlace,
)
from vacancies.geo import distances_km
from vacancies.models import HomeStatus, Listing, Point
from web.cards import Card, card
from web.centres import NAMES, points_of
from web.form import Form
from web.language import Language
from web.pages import current_language, link, page
from web.parameters import parse_query
from web.shortlist_words import shortlist_words
from web.state import state

MOST_HOMES = 50
_MOST_ID_LETTERS = 200

shortlist = Blueprint("shortlist", __name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One home of the list; without a `card` it takes nobody any more, or is not known.
    `successor` is the home that took its place. `without` is the list without this one."""

    id: str
    listing: Listing | None
    card: Card | None
    successor: Listing | None
    without: str


@shortlist.get("/shortlist")
async def show() -> Response:
    """The homes of the address as they are now, in its order or by distance from a place."""
    ids, language, now = chosen_homes("home"), current_language(), datetime.now(UTC)
    form = Form.read(request.args)
    centres: Sequence[Point] = ()
    wrong: FreiplatzError | None = None
    try:
        centres = await _centres(form)
    except (InvalidInput, UnknownPlace, AmbiguousPlace, GeocoderUnavailable) as error:
        wrong = error
    entries = _by_distance([_entry(home_id, ids, form) for home_id in ids], centres, language, now)
    response = await page(
        "shortlist.html",
        entries=entries,
        is_cut=len(set(request.args.getlist("home"))) > len(ids),
        most=MOST_HOMES,
        form=form,
        problem=_problem(wrong, form, language),
        candidates=_candidates(wrong, form, ids),
        search_on=link("/", MultiDict(("keep", home_id) for home_id in ids)),
        here=_address(ids, form.entered),
        own_address=_own_address(ids),
        moment=language.moment(now),
        client={"words": shortlist_words(language), "most": MOST_HOMES},
    )
    # Whose list it is concerns nobody, and it changes with every report.
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def init_shortlist(app: Quart) -> None:
    """Make the templates of `app` able to link to the list that stands in the address."""
    app.jinja_env.globals["shortlist_address"] = shortlist_address


def shortlist_address(*more: str) -> str:
    """The list that this address carries along, with `more` homes: what "remember" leads to in a
    browser without our client."""
    kept = [*chosen_homes("keep"), *chosen_homes("home")]
    return _address(list(dict.fromkeys((*kept, *more)))[:MOST_HOMES])


def chosen_homes(name: str) -> list[str]:
    """The ids under that name in the address: each once, in order, and not too many."""
    ids = (
        home_id for home_id in request.args.getlist(name) if 0 < len(home_id) <= _MOST_ID_LETTERS
    )
    return list(dict.fromkeys(ids))[:MOST_HOMES]


async def _centres(form: Form) -> Sequence[Point]:
    """From where the reader looks; nothing else of a search counts here."""
    geocoder = state().geocoder
    near = MultiDict([("near", point) for point in await points_of(form.entered, geocoder)])
    return (await parse_query(near, geocoder)).centres


def _address(ids: Sequence[str], place: MultiDict[str, str] | None = None) -> str:
    """The list with these homes, seen from that place."""
    pairs = [("home", home_id) for home_id in ids]
    if place is not None:
        pairs += [(key, place[key]) for key in NAMES if key in place]
    return link("/shortlist", MultiDict(pairs))


def _own_address(ids: Sequence[str]) -> str:
    """For others: without the place from which this reader looks."""
    origin = (state().settings.public_url or request.host_url).rstrip("/")
    return origin + _address(ids)


def _entry(home_id: str, ids: Sequence[str], form: Form) -> Entry:
    board = state().board
    listing = board.get(home_id)
    profile = listing.profile if listing else None
    successor = board.get(profile.merged_into) if profile and profile.merged_into else None
    without = _address([other for other in ids if other != home_id], form.entered)
    return Entry(home_id, listing, None, successor, without)


def _by_distance(
    entries: Sequence[Entry], centres: Sequence[Point], language: Language, now: datetime
) -> list[Entry]:
    """The entries in words; the nearest home first if there are `centres`. Those that are not
    open keep to the end then: nobody is to call them."""
    told: list[tuple[float, Entry]] = []
    for entry in entries:
        listing, km = entry.listing, None
        if listing is None or listing.profile.status is not HomeStatus.OPEN:
            told.append((float("inf"), entry))
            continue
        if centres:
            point = listing.profile.point
            here = np.array([point.latitude]), np.array([point.longitude])
            km = min(float(distances_km(centre, *here)[0]) for centre in centres)
        told.append((km or 0.0, replace(entry, card=card(listing, km, language, now))))
    if centres:
        told.sort(key=lambda pair: pair[0])
    return [entry for _, entry in told]


def _candidates(
    error: FreiplatzError | None, form: Form, ids: Sequence[str]
) -> list[tuple[str, str]]:
    """The places of one name, each with the list as it is from there."""
    if not isinstance(error, AmbiguousPlace):
        return []
    return [
        (str(found["label"]), _address(ids, at))
        for found in error.candidates
        for at in [form.at(str(found["label"]), found["latitude"], found["longitude"])]
    ]


def _problem(error: FreiplatzError | None, form: Form, language: Language) -> str:
    _ = language.gettext
    if error is None:
        return ""
    if isinstance(error, AmbiguousPlace):
        return _("There are several places called “%(place)s”", place=form.place)
    if isinstance(error, UnknownPlace):
        return _("We do not know “%(place)s”", place=form.place)
    if isinstance(error, GeocoderUnavailable):
        return _("The search for places does not answer")
    return _("We cannot use one of your entries")
