"""Search parameters from a query string: strict, each fault named."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import date
from enum import StrEnum
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from vacancies.errors import InvalidParameter
from vacancies.geo import BBox
from vacancies.geocoding import Geocoder
from vacancies.models import (
    CareForm,
    Focus,
    Need,
    Ownership,
    Point,
    Room,
    Sex,
    SpokenLanguage,
)
from vacancies.search import LIMIT, LIMIT_RANGE, RADIUS_KM, RADIUS_RANGE_KM, Query

SEARCH = (
    "near",
    "place",
    "radius_km",
    "bbox",
    "care_form",
    "sex",
    "room",
    "care_grade",
    "focus",
    "need",
    "language",
    "ownership",
    "available_by",
    "available_until",
    "nights",
    "municipality",
    "max_cost_eur",
    "include_full",
    "origin",
)
REPEATABLE = {"near", "care_form", "focus", "need", "language", "ownership"}
MAX_CENTRES = 5
MAX_PLACE_LENGTH = 200
MAX_NIGHTS = 366

Args = MultiDict[str, str]
Code = TypeVar("Code", bound=StrEnum)
Value = TypeVar("Value")

_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,20})?")


def check_names(args: Args, allowed: Iterable[str]) -> None:
    """Raise for a parameter that does not exist, or is given twice but counts once: what
    is silently ignored misleads."""
    names = tuple(allowed)
    for name in args:
        if name not in names:
            raise InvalidParameter(
                f"There is no parameter {name!r}. Possible are: {', '.join(names)}.", field=name
            )
        if name not in REPEATABLE and len(args.getlist(name)) > 1:
            raise InvalidParameter(f"{name} may be given once only.", field=name)


async def parse_query(args: Args, geocoder: Geocoder) -> Query:
    """The search that `args` describes; empty values count as not given.

    Raises `InvalidParameter`, `UnknownPlace` or `AmbiguousPlace`. Names that are no search
    parameters are left alone.
    """
    centres = [_point(value) for value in _all(args, "near")]
    if place := _one(args, "place"):
        if len(place) > MAX_PLACE_LENGTH:
            raise InvalidParameter("This is too long for a place.", field="place")
        found = await geocoder.find(place)
        centres.append(Point(found.latitude, found.longitude))
    if len(centres) > MAX_CENTRES:
        raise InvalidParameter(f"At most {MAX_CENTRES} places at once.", field="near")
    box = _optional(args, "bbox", _bbox)
    start, end, nights = _stay(args)
    radius_km = _optional(args, "radius_km", lambda text: number(text, "radius_km"))
    return Query(
        centres=tuple(centres),
        radius_km=_within(radius_km, RADIUS_RANGE_KM, "radius_km", RADIUS_KM),
        bbox=box,
        care_forms=_codes(args, "care_form", CareForm),
        sex=_code(args, "sex", Sex),
        room=_code(args, "room", Room),
        care_grade=_integer(args, "care_grade", (1, 5), None),
        focuses=_codes(args, "focus", Focus),
        needs=_codes(args, "need", Need),
        languages=_codes(args, "language", SpokenLanguage),
        ownerships=_codes(args, "ownership", Ownership),
        available_by=start,
        available_until=end,
        nights=nights,
        municipality=_optional(args, "municipality", _municipality),
        max_cost_eur=_optional(args, "max_cost_eur", _euros),
        include_full=_optional(args, "include_full", _flag) or False,
        own_only=_optional(args, "origin", _own) or False,
    )


def parse_limit(args: Args, limits: tuple[int, int] = LIMIT_RANGE, default: int = LIMIT) -> int:
    return _integer(args, "limit", limits, default) or default


def number(text: str, field: str) -> float:
    """A plain decimal number; not `nan`, `1e3` or digits of other scripts."""
    if not _NUMBER.fullmatch(text.strip()):
        raise InvalidParameter(f"{field} must be a number such as 12.5.", field=field)
    return float(text)


def _all(args: Args, name: str) -> list[str]:
    if name not in args:  # most are not
        return []
    return [value.strip() for value in args.getlist(name) if value.strip()]


def _one(args: Args, name: str) -> str | None:
    values = _all(args, name)
    return values[0] if values else None


def _optional(args: Args, name: str, parse: Callable[[str], Value]) -> Value | None:
    if name not in args:
        return None
    text = _one(args, name)
    return None if text is None else parse(text)


def _codes(args: Args, name: str, kind: type[Code]) -> tuple[Code, ...]:
    # Sorted and without doubles, so that the same search has one fingerprint.
    return tuple(sorted({_member(text, name, kind) for text in _all(args, name)}))


def _code(args: Args, name: str, kind: type[Code]) -> Code | None:
    return _optional(args, name, lambda text: _member(text, name, kind))


def _member(text: str, name: str, kind: type[Code]) -> Code:
    try:
        return kind(text)
    except ValueError:
        possible = ", ".join(kind)
        raise InvalidParameter(f"{name} must be one of: {possible}.", field=name) from None


def _integer(args: Args, name: str, limits: tuple[int, int], default: int | None) -> int | None:
    text = _one(args, name)
    if text is None:
        return default
    low, high = limits
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise InvalidParameter(f"{name} must be a whole number from {low} to {high}.", field=name)
    return int(text)


def _within(value: float | None, limits: tuple[float, float], name: str, default: float) -> float:
    if value is None:
        return default
    low, high = limits
    if not low <= value <= high:
        raise InvalidParameter(f"{name} must lie between {low:g} and {high:g}.", field=name)
    return value


def _point(text: str) -> Point:
    parts = text.split(",")
    if len(parts) != 2:
        raise InvalidParameter("near must be latitude,longitude: 51.9,8.38.", field="near")
    latitude, longitude = (number(part, "near") for part in parts)
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise InvalidParameter("near lies off the globe: latitude comes first.", field="near")
    return Point(latitude + 0.0, longitude + 0.0)  # -0.0 is 0.0: the same search


def _bbox(text: str) -> BBox:
    parts = text.split(",")
    if len(parts) != 4:
        raise InvalidParameter("bbox must be west,south,east,north.", field="bbox")
    west, south, east, north = (number(part, "bbox") for part in parts)
    if not (abs(west) <= 180 and abs(east) <= 180 and -90 <= south <= north <= 90):
        raise InvalidParameter(
            "bbox must be west,south,east,north in degrees, south below north.", field="bbox"
        )
    return BBox(west + 0.0, south + 0.0, east + 0.0, north + 0.0)


def _stay(args: Args) -> tuple[date | None, date | None, int | None]:
    """From when, until when, and how many nights in between."""
    start = _optional(args, "available_by", lambda text: _day(text, "available_by"))
    end = _optional(args, "available_until", lambda text: _day(text, "available_until"))
    nights = _integer(args, "nights", (1, MAX_NIGHTS), None)
    if end is not None and (start is None or end < start):
        raise InvalidParameter(
            "available_until needs available_by, the first day, and must not lie before it.",
            field="available_until",
        )
    if nights is not None and (start is None or end is None or nights > (end - start).days):
        raise InvalidParameter(
            "nights must fit between available_by and available_until; give both.", field="nights"
        )
    return start, end, nights


def _day(text: str, name: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise InvalidParameter(f"{name} must be a date: 2026-11-30.", field=name)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidParameter(f"{name} is not a day in the calendar.", field=name) from None


def _municipality(text: str) -> str:
    if not re.fullmatch(r"[0-9]{2,12}", text):
        raise InvalidParameter(
            "municipality must be the first 2 to 12 digits of a municipality key (AGS).",
            field="municipality",
        )
    return text


def _euros(text: str) -> float:
    value = number(text, "max_cost_eur")
    if not (value >= 0 and math.isfinite(value)):
        raise InvalidParameter("max_cost_eur must not be negative.", field="max_cost_eur")
    return value


def _own(text: str) -> bool:
    if text != "own":
        raise InvalidParameter("origin must be own, or left out.", field="origin")
    return True


def _flag(text: str) -> bool:
    if text.lower() in ("true", "1", "on"):
        return True
    if text.lower() in ("false", "0", "off"):
        return False
    raise InvalidParameter("include_full must be true or false.", field="include_full")
