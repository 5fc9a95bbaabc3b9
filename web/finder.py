"""The pages for those who search: the finder, and the API's documentation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from msgspec.structs import astuple, replace
from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from vacancies.errors import (
    AmbiguousPlace,
    FreiplatzError,
    GeocoderUnavailable,
    InvalidInput,
    UnknownPlace,
)
from vacancies.listings import local_date
from vacancies.models import CareForm
from vacancies.page import Page
from vacancies.search import Query
from web import centres, words
from web.advice import advice_at
from web.answer import answer, asks_for_details
from web.cards import EMPTY
from web.choices import Choices
from web.client_start import client_start
from web.client_words import place_words
from web.cursor import Cursor
from web.embed import EMBED, check_accent, is_embedded
from web.embed import PAGE_SIZE as FRAME_PAGE_SIZE
from web.form import Form, api_parameters
from web.language import Language
from web.looks import current_look
from web.pages import current_language, link, page
from web.parameters import parse_query
from web.searching import is_new_search_of_a_person
from web.state import state
from web.ways import ways_on

PAGE_SIZE = 50

finder = Blueprint("finder", __name__)


@finder.get("/")
@finder.get(EMBED)
async def index() -> Response:
    """The finder: form, answer, list, and the data with which the client goes on; also as it
    fits into a frame of another site. In the look of a municipality it begins with its homes."""
    look = current_look()
    args = request.args
    if look is not None and set(args) <= {"lang"}:
        args = MultiDict({"municipality": look.municipality})
    form = Form.read(args)
    size = FRAME_PAGE_SIZE if is_embedded() else PAGE_SIZE
    try:
        check_accent()
        geocoder = state().geocoder
        query = _in_order(await parse_query(await form.for_api(geocoder), geocoder))
        found = state().board.search(query, size, request.args.get("after") or None)
    except (InvalidInput, UnknownPlace, AmbiguousPlace, GeocoderUnavailable) as error:
        return await _refused(form, error)
    greeting = look.greeting if look is not None and args is not request.args else ""
    return await _results(form, query, found, greeting)


def _in_order(query: Query) -> Query:
    """The care forms in the order in which they are shown everywhere."""
    return replace(query, care_forms=tuple(form for form in CareForm if form in query.care_forms))


def _form_words() -> dict[str, Any]:
    return {
        "care_form_hints": words.CARE_FORM_HINTS,
        "today": local_date(datetime.now(UTC)).isoformat(),
        "place_words": place_words(current_language()),
    }


async def _refused(form: Form, error: FreiplatzError) -> Response:
    """The form again, with what was wrong and what to do."""
    _ = current_language().gettext
    field = centres.SECOND if error.field == centres.SECOND.place else centres.FIRST
    place = form.place2 if field is centres.SECOND else form.place
    if field is centres.SECOND:
        without = (_("Search without the second place"), link("/", form.without_place(field)))
    else:
        without = (_("Show the whole region"), link("/", form.without_place(field)))
    steps, status = [without], 400
    if isinstance(error, AmbiguousPlace):
        status = 422
        title = _("There are several places called “%(place)s”", place=place)
        text = _("Which one do you mean?")
        steps = [_candidate(form, field, found) for found in error.candidates]
    elif isinstance(error, UnknownPlace):
        status = 404
        title = _("We do not know “%(place)s”", place=place)
        text = _("Check the spelling, or enter the postcode.")
        if error.candidates:
            text = _("Did you mean …?")
            steps = [*(_candidate(form, field, found) for found in error.candidates), without]
    elif isinstance(error, GeocoderUnavailable):
        status = 503
        title = _("The search for places does not answer")
        text = _("Please try again in a moment.")
    else:
        title = _("We cannot use one of your entries")
        text = _("Please check this field: %(field)s.", field=error.field or "?")
        steps = [(_("Start again"), link("/"))]
    names = await state().municipalities.all()
    choices = Choices(form, None, current_language(), names).by_name(state().board)
    return await page(
        "refused.html",
        status,
        form=form,
        title=title,
        text=text,
        steps=steps,
        choices=choices,
        **_form_words(),
    )


def _candidate(form: Form, field: centres.Field, found: dict[str, object]) -> tuple[str, str]:
    """What tells the place from others, and the search around it."""
    label, near_town = str(found["label"]), found.get("near_town")
    shown = label
    if near_town:
        _ = current_language().gettext
        shown = _("%(place)s, near %(town)s", place=label, town=near_town)
    args = form.at(label, found["latitude"], found["longitude"], field)
    return shown, link("/", args)


async def _results(form: Form, query: Query, found: Page, greeting: str) -> Response:
    language, now, board = current_language(), datetime.now(UTC), state().board
    names = centres.names_of(form.entered)
    place = centres.in_words(names, language)
    free = found
    if query.include_full or request.args.get("after"):
        free = board.search(replace(query, include_full=False), limit=1)
    if not free.total and query.bbox is None and is_new_search_of_a_person():
        state().unmet.note(query, local_date(now))
    municipalities = await state().municipalities.all()
    choices = Choices(form, board.facets(query), language, municipalities).by_name(board)
    towns = {choice.value: choice.label for choice in choices["municipality"]}
    if not query.centres:
        key = query.municipality or ""
        place = municipalities.get(key) or (towns.get(key, "") if key else "")
    return await page(
        "finder.html",
        form=form,
        query=query,
        welcome=not form.entered,
        greeting=greeting,
        sentence=answer(query, free, place, language),
        cards=[centres.card_at(hit, query, names, language, now) for hit in found.hits],
        empty=EMPTY,
        total=found.total,
        chips=form.chips(query, language, local_date(now), towns),
        advice=await advice_at(query.centres[0]) if query.centres and not found.total else None,
        ways=[] if found.total else _ways(form, query, language, now),
        next_address=link("/", _after(form, found.next)) if found.next else "",
        first_address=link("/", form.entered) if request.args.get("after") else "",
        back=_back(form, query, place, language),
        as_of=language.clock(now),
        client={**await _client(query, found, place, now, language), "centreNames": names},
        choices=choices,
        **_form_words(),
    )


def _after(form: Form, token: str | None) -> MultiDict[str, str]:
    return form.changed("after", token or "")


def _ways(form: Form, query: Query, language: Language, now: datetime) -> list[tuple[str, str]]:
    """Labels and addresses of searches that find something."""
    ways = ways_on(state().board, query, language, local_date(now))
    return [(way.label, link("/", form.with_changes(way.changes))) for way in ways]


def _back(form: Form, query: Query, place: str, language: Language) -> tuple[str, str] | None:
    """From a part of the map to where the search began: words and address."""
    if query.bbox is None:
        return None
    if not query.centres:
        return language.gettext("Show the whole region"), link("/", form.changed("bbox", ""))
    radius = f"{language.number(query.radius_km)}\u00a0km"
    words = language.gettext("Back to %(radius)s around %(place)s", radius=radius, place=place)
    return words, link("/", form.changed("bbox", ""))


async def _client(
    query: Query, found: Page, place: str, now: datetime, language: Language
) -> dict[str, Any]:
    """What the browser client starts from."""
    search = api_parameters(query)
    # As the stream will read it: rounded and ordered otherwise, it would be another search.
    asked = await parse_query(MultiDict(search), state().geocoder)
    return {
        "search": urlencode(search),
        "revision": found.revision,
        "cursor": str(Cursor(asked.fingerprint(), state().board.epoch, found.revision)),
        "after": bool(request.args.get("after")),
        "centres": [(point.latitude, point.longitude) for point in query.centres],
        "radiusKm": query.radius_km,
        "area": _area(query, place),
        "bbox": astuple(query.bbox) if query.bbox else None,
        "place": place,
        "careForms": list(query.care_forms),
        "byHome": asks_for_details(query),
        "includeFull": query.include_full,
        "asOf": now.isoformat(),
        **client_start(language),
    }


def _area(query: Query, place: str) -> str:
    """By what the sentence names the area."""
    if query.bbox:
        return "section"
    return "around" if query.centres else "town" if place else "region"


@finder.get("/api/v1/docs")
async def docs() -> Response:
    """The documentation of the API, drawn by Swagger UI from our own files."""
    return await page("docs.html")
