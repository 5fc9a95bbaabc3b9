"""The places of a search form: one, or two (the patient's flat and the daughter's town).

Each is a text, with the point `near` that goes with the text `label`: chosen among places of
one name or suggestions, or the reader's own position. The point counts while the text is still
that. The second place has the same fields with a 2 behind them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from werkzeug.datastructures import MultiDict

from vacancies.errors import AmbiguousPlace, InvalidParameter, UnknownPlace
from vacancies.geo import apart_km
from vacancies.geocoding import Geocoder
from vacancies.models import Point
from vacancies.page import Hit
from vacancies.placenames import split_radius
from vacancies.search import RADIUS_RANGE_KM, Query
from web.cards import Card, card
from web.language import Language
from web.parameters import MAX_PLACE_LENGTH

Entered = MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """The names under which one place is entered."""

    place: str
    label: str
    near: str


FIRST, SECOND = FIELDS = (Field("place", "label", "near"), Field("place2", "label2", "near2"))
NAMES = tuple(name for f in FIELDS for name in (f.place, f.label, f.near))


def settle(entered: Entered, args: Entered) -> None:
    """Make one sense of what came as `args`: kilometres in the text of a place are the radius,
    a point whose text has changed is forgotten. `bbox`, the part of the map to which the reader
    went from the places, counts until a place is another or a radius is chosen."""
    for field in FIELDS:
        if field.place not in args:
            continue
        text, radius_km = split_radius(args[field.place].strip())
        if radius_km is not None:
            low, high = RADIUS_RANGE_KM
            entered["radius_km"] = f"{min(max(radius_km, low), high):g}"
        _write(entered, field.place, text)
        if text != entered.get(field.label, ""):  # the reader wants another place by now
            for name in (field.near, field.label, "bbox"):
                entered.poplist(name)
    has_place = any(entered.get(name) for field in FIELDS for name in (field.place, field.near))
    if has_place and entered.get("radius_km"):
        entered.poplist("bbox")


def _write(entered: Entered, name: str, text: str) -> None:
    if text:
        entered[name] = text
    else:
        entered.poplist(name)


def text_of(entered: Entered, field: Field) -> str:
    """What stands in the field."""
    return entered.get(field.label if entered.get(field.near) else field.place, "")


def names_of(entered: Entered) -> list[str]:
    """What the centres are called, in their order; "" for a point without a name."""
    return [
        text_of(entered, field)
        for field in FIELDS
        for _ in entered.getlist(field.near) or entered.getlist(field.place)
    ]


async def points_of(entered: Entered, geocoder: Geocoder) -> list[str]:
    """The centres as the API has them, `latitude,longitude`, in their order.

    Raises `UnknownPlace`, `AmbiguousPlace` or `InvalidParameter`, with the field at fault.
    """
    points: list[str] = []
    for field in FIELDS:
        if near := entered.getlist(field.near):
            points += near
        elif text := entered.get(field.place, ""):
            points.append(await _found(text, field, geocoder))
    return points


async def _found(text: str, field: Field, geocoder: Geocoder) -> str:
    if len(text) > MAX_PLACE_LENGTH:
        raise InvalidParameter("This is too long for a place.", field=field.place)
    try:
        place = await geocoder.find(text)
    except (UnknownPlace, AmbiguousPlace) as error:
        error.field = field.place
        raise
    return f"{place.latitude:.6f},{place.longitude:.6f}"


def in_words(names: list[str], language: Language) -> str:
    """The centres in the sentence of the answer: “Gütersloh or Bielefeld”."""
    known = list(dict.fromkeys(filter(None, names)))
    return f" {language.gettext('or')} ".join(known) or language.gettext("the chosen place")


def card_at(hit: Hit, query: Query, names: list[str], language: Language, now: datetime) -> Card:
    """The card of a home that was found; with two centres it says from which of them it is so
    far. The client says the same (client/src/centres.ts)."""
    shown = card(hit.listing, hit.distance_km, language, now, query.care_forms)
    place = _nearer(hit.listing.profile.point, query.centres, names)
    if not place:
        return shown
    distance = language.gettext("%(distance)s from %(place)s", distance=shown.distance, place=place)
    return replace(shown, distance=distance)


def _nearer(point: Point, centres: tuple[Point, ...], names: list[str]) -> str:
    """The name of the centre that is nearest to `point`, if several have one."""
    if len(centres) < 2 or len(centres) != len(names):
        return ""
    return min(zip(centres, names, strict=True), key=lambda pair: apart_km(point, pair[0]))[1]
