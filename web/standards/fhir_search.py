"""Search parameters of FHIR R4 (https://hl7.org/fhir/R4/search.html), and pages by a cursor.

Names that are not known are ignored, as the standard has it, unless the caller says
`Prefer: handling=strict`. Modifiers that are not known are refused in any case.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec
from quart import request

from vacancies.board import Board
from vacancies.errors import InvalidParameter
from vacancies.models import CareForm, Point
from vacancies.search import Query
from web.parameters import number
from web.standards import fhir_terms as terms
from web.standards.answer import MOST_OF_A_PAGE, PAGE, keep_each, whole_number
from web.standards.fhir_resources import find_location, find_service
from web.standards.offers import EVERYBODY, Offer, homes, offers
from web.standards.source import own_address

Test = Callable[[Offer], bool]

MOST_VALUES = 50
NEAR_KM = 25.0  # where the caller leaves the distance out: "server discretion"
ROUND_THE_EARTH_KM = 20_100.0
PARAMETERS = {
    "Location": {"_id": "token", "name": "string", "near": "special"},
    "HealthcareService": {
        "_id": "token",
        "name": "string",
        "service-type": "token",
        "location": "reference",
    },
}
# They shape the answer and choose nothing; those that we cannot do are left alone.
_RESULT = {"_count", "_cursor", "_format", "_pretty", "_total"}
_UNITS_KM = {"": 1.0, "km": 1.0, "m": 0.001}


class Search(NamedTuple):
    """`tests` must all hold; `used` are the parameters that count, as they came."""

    tests: list[Test]
    area: Query
    used: list[tuple[str, str]]
    size: int
    after: tuple[str, int] | None


class FhirPage(NamedTuple):
    """`next` is the cursor of the next page, None on the last."""

    total: int
    offers: list[Offer]
    next: str | None


def read_search(resource: str) -> Search:
    """What the request asks for. Raises `InvalidParameter`."""
    strict = "handling=strict" in request.headers.get("Prefer", "").replace(" ", "").lower()
    tests: list[Test] = []
    used: list[tuple[str, str]] = []
    area = EVERYBODY
    for key, value in request.args.items(multi=True):
        name, _, modifier = key.partition(":")
        if name in _RESULT or not value.strip():
            continue
        if name not in PARAMETERS[resource]:
            if strict:
                known = ", ".join(PARAMETERS[resource])
                raise InvalidParameter(f"There is no {name!r} here, but {known}.", field=name)
            continue
        if modifier and (name != "name" or modifier not in ("exact", "contains")):
            raise InvalidParameter(f"{name} cannot be modified by {modifier!r}.", field=name)
        if name == "near":
            if area is not EVERYBODY:
                raise InvalidParameter("near may be given once only.", field="near")
            area = _near(value)
        else:
            tests.append(_test(resource, name, modifier, _values(value)))
        used.append((key, value))
    # Each home is held against each of them.
    if len(used) + sum(value.count(",") for _, value in used) > MOST_VALUES:
        raise InvalidParameter(f"More than {MOST_VALUES} values are too many.", field=used[-1][0])
    size = whole_number("_count", PAGE, 0, MOST_OF_A_PAGE)
    cursor = request.args.get("_cursor", "")
    return Search(tests, area, used, size, _read_cursor(cursor, used) if cursor else None)


async def find_page(resource: str, search: Search, board: Board) -> FhirPage:
    """All from one state of the board, that of the moment of calling."""
    if resource == "Location":
        found = [Offer(home, None) for home in homes(board, search.area)]
    else:
        found = [offer for offer in await offers(board) if offer.form]
    for test in search.tests:
        found = await keep_each(found, test)
    start = 0
    if search.after is not None:
        # By its key: a home that has gone since, or has come, moves nobody.
        start = bisect_right(found, search.after, key=lambda offer: offer.key)
    page = found[start : start + search.size]
    more = bool(page) and start + len(page) < len(found)
    return FhirPage(len(found), page, _cursor(page[-1], search.used) if more else None)


def page_address(resource: str, search: Search, cursor: str | None) -> str:
    pairs = [*search.used, ("_count", str(search.size))]
    if cursor:
        pairs.append(("_cursor", cursor))
    return f"{own_address()}/fhir/{resource}?{urlencode(pairs)}"


def _values(text: str) -> list[str]:
    """Alternatives stand between commas; a comma that is meant has a backslash before it."""
    parts = re.split(r"(?<!\\),", text)
    return [re.sub(r"\\([\\,|$])", r"\1", part.strip()) for part in parts if part.strip()]


def _test(resource: str, name: str, modifier: str, values: list[str]) -> Test:
    if name == "name":
        return _name_test(modifier, values)
    if name == "service-type":
        wanted = {form for value in values for form in _care_forms(value)}
        return lambda offer: offer.form in wanted
    if name == "_id" and resource == "HealthcareService":
        pairs = {(found[0].id, found[1]) for value in values if (found := find_service(value))}
        return lambda offer: (offer.listing.id, offer.form) in pairs
    ids = [value.removeprefix(f"{own_address()}/fhir/") for value in values]
    if name == "location":
        ids = [value.removeprefix("Location/") for value in ids]
    known = {home.id for value in ids if (home := find_location(value))}
    return lambda offer: offer.listing.id in known


def _name_test(modifier: str, values: list[str]) -> Test:
    """Strings match from their beginning, whatever the case, unless modified."""
    if modifier == "exact":
        return lambda offer: offer.listing.profile.name in values
    folded = [value.casefold() for value in values]
    if modifier == "contains":
        return lambda offer: _contains(offer.listing.profile.name.casefold(), folded)
    beginnings = tuple(folded)
    return lambda offer: offer.listing.profile.name.casefold().startswith(beginnings)


def _contains(name: str, parts: list[str]) -> bool:
    return any(part in name for part in parts)


def _care_forms(token: str) -> list[CareForm]:
    """A token is `code`, `system|code` or `system|`: all of that system."""
    system, bar, code = token.rpartition("|")
    if bar and system != terms.system(own_address(), "care-form"):
        return []
    return [form for form in CareForm if code == form or (bar and not code)]


def _near(text: str) -> Query:
    """`latitude|longitude|distance|unit`; distance and unit may be left out."""
    parts = [*text.strip().split("|"), "", ""]
    if not 4 <= len(parts) <= 6 or parts[3].strip() not in _UNITS_KM:
        raise InvalidParameter(
            "near must be latitude|longitude|distance|km: 51.9|8.38|20|km.", field="near"
        )
    latitude, longitude = number(parts[0], "near"), number(parts[1], "near")
    distance = parts[2].strip()
    km = number(distance, "near") * _UNITS_KM[parts[3].strip()] if distance else NEAR_KM
    if abs(latitude) > 90 or abs(longitude) > 180 or km < 0:
        raise InvalidParameter("near lies off the globe: latitude comes first.", field="near")
    center = Point(latitude + 0.0, longitude + 0.0)
    return Query(
        centres=(center,), radius_km=min(km, ROUND_THE_EARTH_KM), include_full=True, own_only=True
    )


def _cursor(last: Offer, used: list[tuple[str, str]]) -> str:
    raw = msgspec.json.encode([_fingerprint(used), *last.key])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _read_cursor(text: str, used: list[tuple[str, str]]) -> tuple[str, int]:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        fingerprint, home_id, form = msgspec.json.decode(raw, type=tuple[str, str, int])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        fingerprint, home_id, form = "", "", 0
    if fingerprint != _fingerprint(used):
        raise InvalidParameter(
            "This cursor is not from the same search. Begin again without it.", field="_cursor"
        )
    return home_id, form


def _fingerprint(used: list[tuple[str, str]]) -> str:
    return hashlib.sha256(msgspec.json.encode(used)).hexdigest()[:10]
