"""JSON Schema for what HSDS 3.1 demands of a service, as far as it is used here.

The published schema (https://github.com/openreferral/specification, branch 3.1) is in no package,
and it cannot be fetched in the tests. So this is our own, written after its schema reference; it is
stricter in one thing: what it does not name is refused, so that a slip in a name is seen.
"""

from __future__ import annotations

from typing import Any

UUID = {"type": "string", "format": "uuid"}
TEXT = {"type": "string"}
FULL_TEXT = {"type": "string", "minLength": 1}
NUMBER = {"type": "number"}
URI = {"type": "string", "format": "uri"}
DATE = {"type": "string", "format": "date"}
# "Should have millisecond accuracy."
MOMENT = {"type": "string", "format": "date-time", "pattern": r"\.[0-9]{3}Z$"}


def _object(required: str, **members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": required.split(),
        "additionalProperties": False,
    }


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": 1}


PHONE = _object("id number", id=UUID, number=FULL_TEXT, type=TEXT, description=TEXT)
UNIT = _object("id name", id=UUID, name=FULL_TEXT)
SERVICE_CAPACITY = _object(
    "id unit available updated",
    id=UUID,
    unit=UNIT,
    available={"type": "number", "minimum": 0},
    maximum={"type": "number", "minimum": 1},
    description=TEXT,
    updated=MOMENT,
)
ADDRESS = _object(
    "id address_1 city state_province postal_code country address_type",
    id=UUID,
    address_1=TEXT,
    city=TEXT,
    state_province=TEXT,
    postal_code=TEXT,
    country={"type": "string", "pattern": "^[A-Z]{2}$"},
    address_type={"enum": ["physical", "postal", "virtual"]},
)
LOCATION = _object(
    "id location_type",
    id=UUID,
    location_type={"enum": ["physical", "postal", "virtual"]},
    name=FULL_TEXT,
    latitude={"type": "number", "minimum": -90, "maximum": 90},
    longitude={"type": "number", "minimum": -180, "maximum": 180},
    external_identifier=FULL_TEXT,
    external_identifier_type=FULL_TEXT,
    addresses=_list(ADDRESS),
    phones=_list(PHONE),
)
TAXONOMY_TERM = _object(
    "id name description",
    id=UUID,
    code=FULL_TEXT,
    name=FULL_TEXT,
    description=FULL_TEXT,
    taxonomy=URI,
    language={"const": "de"},
)
ATTRIBUTE = _object(
    "id",
    id=UUID,
    link_entity={"const": "service"},
    label=FULL_TEXT,
    value=FULL_TEXT,
    taxonomy_term=TAXONOMY_TERM,
)
COST_OPTION = _object(
    "id",
    id=UUID,
    option=FULL_TEXT,
    currency={"const": "EUR"},
    amount=NUMBER,
    amount_description=TEXT,
)
SERVICE = _object(
    "id name status",
    id=UUID,
    name=FULL_TEXT,
    description=FULL_TEXT,
    url=URI,
    additional_urls=_list(_object("id url", id=UUID, label=TEXT, url=URI)),
    email={"type": "string", "format": "email"},
    status={"enum": ["active", "inactive", "defunct", "temporarily closed"]},
    alert=FULL_TEXT,
    assured_date=DATE,
    last_modified=MOMENT,
    phones=_list(PHONE),
    languages=_list(_object("id", id=UUID, name=FULL_TEXT, code=FULL_TEXT)),
    organization=_object("id name description", id=UUID, name=FULL_TEXT, description=FULL_TEXT),
    service_at_locations=_list(_object("id", id=UUID, location=LOCATION)),
    capacities=_list(SERVICE_CAPACITY),
    cost_options=_list(COST_OPTION),
    attributes=_list(ATTRIBUTE),
)
# https://docs.openreferral.org/en/3.1/hsds/api_reference.html; licence and attribution are ours.
PAGE = _object(
    "total_items total_pages page_number size first_page last_page empty contents",
    total_items={"type": "integer", "minimum": 0},
    total_pages={"type": "integer", "minimum": 0},
    page_number={"type": "integer", "minimum": 1},
    size={"type": "integer", "minimum": 0},
    first_page={"type": "boolean"},
    last_page={"type": "boolean"},
    empty={"type": "boolean"},
    contents={"type": "array", "items": SERVICE},
    license=URI,
    attribution=FULL_TEXT,
)
