"""Parameters of requests and headers of answers, as the OpenAPI document describes them."""

from __future__ import annotations

from enum import StrEnum

from providers.preconditions import PORTAL_HEADER, PORTAL_NAME
from vacancies.models import CareForm, Focus, Need, Ownership, Room, Sex, SpokenLanguage
from vacancies.search import RADIUS_KM, RADIUS_RANGE_KM
from web.parameters import MAX_NIGHTS
from web.schemas import Json, parameter


def _codes(kind: type[StrEnum]) -> Json:
    return {"type": "array", "items": {"enum": [str(code) for code in kind]}}


def search_parameters() -> list[Json]:
    number = r"^[+-]?[0-9]{1,12}(\.[0-9]{1,20})?"
    low, high = RADIUS_RANGE_KM
    return [
        parameter(
            "near",
            {
                "type": "array",
                "items": {"type": "string", "pattern": number + "," + number[1:] + "$"},
                "maxItems": 5,
            },
            "latitude,longitude; repeatable, the nearest counts",
        ),
        parameter("place", {"type": "string", "maxLength": 200}, "PLZ, town, or street address"),
        parameter(
            "radius_km",
            {"type": "number", "minimum": low, "maximum": high, "default": RADIUS_KM},
            "Around near and place",
        ),
        parameter(
            "bbox",
            {"type": "string"},
            "west,south,east,north, instead of the radius; distances are still from near and place",
        ),
        parameter("care_form", _codes(CareForm), "Any of these"),
        parameter("sex", {"enum": [str(code) for code in Sex]}, "Who needs the place"),
        parameter("room", {"enum": [str(code) for code in Room]}, "Kind of room"),
        parameter("care_grade", {"type": "integer", "minimum": 1, "maximum": 5}, "Pflegegrad"),
        parameter("focus", _codes(Focus), "All of these"),
        parameter("need", _codes(Need), "All of these"),
        parameter("language", _codes(SpokenLanguage), "Any of these is spoken, besides German"),
        parameter("ownership", _codes(Ownership), "Run by any of these"),
        parameter(
            "available_by",
            {"type": "string", "format": "date"},
            "Free on this day; with available_until the first day of a stay",
        ),
        parameter(
            "available_until",
            {"type": "string", "format": "date"},
            "Free without a break until this day, or for `nights` before it",
        ),
        parameter(
            "nights",
            {"type": "integer", "minimum": 1, "maximum": MAX_NIGHTS},
            "How many nights between available_by and available_until; without: all",
        ),
        parameter(
            "municipality", {"type": "string", "pattern": "^([0-9]{2,12})?$"}, "First digits of AGS"
        ),
        parameter("max_cost_eur", {"type": "number", "minimum": 0}, "Euros a month in all"),
        parameter("include_full", {"type": "boolean", "default": False}, "Also without a place"),
        parameter(
            "origin",
            {"enum": ["own"]},
            "Only homes that are reported here, without those of neighbouring services",
        ),
    ]


HOME_ID: Json = {
    "name": "home_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,64}$"},
}
ORIGIN: Json = {
    "name": "origin",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
    "description": "The first part of the id of a home of a neighbouring service.",
}
IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string", "pattern": '^("[0-9]{1,15}"|[*])$'},
    "description": "ETag of the state that you know; 412 if it has changed.",
}
IDEMPOTENCY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,200}$"},
    "description": "The same call again gets the first answer, for 24 hours.",
}
PORTAL: Json = {
    "name": PORTAL_HEADER,
    "in": "header",
    "schema": {"type": "string", "pattern": f"^{PORTAL_NAME}$"},
    "description": "The portal that passes these reports on: it stands in the history of the home,"
    " and they are passed on to no other.",
}


def key_headers() -> Json:
    """What answers say about the key that was used."""
    text: Json = {"type": "string"}
    return {
        "Freiplatz-Test": {
            "schema": {"const": "true"},
            "description": "The key is for trying out (fpt_…): nothing was changed.",
        },
        "Sunset": {
            "schema": text,
            "description": "When the key that was used ends by itself (RFC 8594).",
        },
        "Deprecation": {
            "schema": text,
            "description": "Since when there is another key in place of it (RFC 9745).",
        },
    }
