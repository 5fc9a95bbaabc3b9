"""The OpenAPI 3.1 document, made from the types that are decoded and encoded.

quart-schema knows neither `application/problem+json` nor GeoJSON, and coerces where we are
strict; what is left to write down by hand is the table of routes.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from quart import Blueprint, Response

from providers.answers import ReportsResult
from providers.api import FILE_TYPES
from providers.payloads import HomeBody, ReportBody, ReportRow
from providers.plausibility import Doubt
from vacancies.geojson import Properties
from vacancies.search import LIMIT, LIMIT_RANGE
from web.api import SUGGESTIONS, SUGGESTIONS_RANGE, FacetsAnswer, PlaceAnswer
from web.changes import ApiChanges
from web.openapi_links import OF_HOME, OF_SEARCH
from web.openapi_parameters import (
    HOME_ID,
    IDEMPOTENCY,
    IF_MATCH,
    ORIGIN,
    PORTAL,
    key_headers,
    search_parameters,
)
from web.operations import Readiness
from web.points import Points
from web.problems import Problem
from web.schemas import REF as _REF
from web.schemas import Json, parameter
from web.schemas import answers as _answers
from web.schemas import ok as _ok
from web.schemas import ref as _ref
from web.webhooks.description import TYPES as WEBHOOK_TYPES
from web.webhooks.description import webhook_paths

openapi = Blueprint("openapi", __name__)


class SearchFeature(Properties, frozen=True, kw_only=True):
    """The properties of a Feature in a search."""

    distance_km: float | None = None


class ManyReports(msgspec.Struct, frozen=True, kw_only=True):
    """Reports for many homes in one call."""

    reports: Annotated[list[ReportRow], Meta(min_length=1, max_length=1000)]


@openapi.get("/api/v1/openapi.json")
async def document() -> Response:
    """This document."""
    return Response(
        _encoded(),
        content_type="application/json",
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"},
    )


@cache
def _encoded() -> bytes:
    return msgspec.json.encode(build_document())


def build_document() -> Json:
    types = (
        *(ReportBody, ManyReports, HomeBody, ReportsResult, Doubt, Problem),
        *(PlaceAnswer, FacetsAnswer, Points, Readiness, SearchFeature, ApiChanges),
        *WEBHOOK_TYPES,
    )
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    schemas.update(_geojson_schemas())
    schemas["HomeBody"]["anyOf"] = [{"required": ["address"]}, {"required": ["coordinates"]}]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Freiplatz",
            "version": "1",
            "description": "Which care homes have a free place, live."
            " What has changed in this interface: [/api/v1/changes](/api/v1/changes).",
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "externalDocs": {"description": "What has changed", "url": "/api/v1/changes"},
        "paths": _paths(),
        "components": {
            "schemas": schemas,
            "headers": key_headers(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _geojson_schemas() -> Json:
    """GeoJSON around our own properties (RFC 7946)."""
    position = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    return {
        "Feature": {
            "type": "object",
            "required": ["type", "id", "geometry", "properties"],
            "properties": {
                "type": {"const": "Feature"},
                "id": {"type": "string"},
                "geometry": {
                    "type": "object",
                    "required": ["type", "coordinates"],
                    "properties": {"type": {"const": "Point"}, "coordinates": position},
                },
                "properties": _ref("SearchFeature"),
                "warnings": {
                    "type": "array",
                    "items": _ref("Doubt"),
                    "minItems": 1,
                    "description": "Of a report that was taken: what looks like a slip.",
                },
                "test": {"const": True, "description": "A test key: nothing was changed."},
            },
        },
        "FeatureCollection": {
            "type": "object",
            "required": ["type", "features", "revision", "cursor", "next", "total"],
            "properties": {
                "type": {"const": "FeatureCollection"},
                "features": {"type": "array", "items": _ref("Feature")},
                "revision": {"type": "integer"},
                "cursor": {"type": "string", "description": "Start the stream from here."},
                "next": {
                    "type": ["string", "null"],
                    "description": "The `cursor` of the next page.",
                },
                "total": {"type": "integer", "description": "Homes that match in all."},
                "free_total": {"type": "object", "additionalProperties": {"type": "integer"}},
            },
        },
    }


def _writing(
    summary: str, body: Json | None, ok: Json, parameters: list[Json], **more: Any
) -> Json:
    """A route for providers: it needs a key, and may change something."""
    operation: Json = {
        "summary": summary,
        "security": [{"key": []}],
        "parameters": [*parameters, IDEMPOTENCY],
        "responses": _answers(ok, (400, 401, 403, 404, 409, 412, 413, 422, 503)),
        **more,
    }
    for status, response in operation["responses"].items():
        if status != "401":
            response["headers"] = {
                name: {"$ref": f"#/components/headers/{name}"} for name in key_headers()
            }
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return operation


def _reporting_for_many() -> Json:
    operation = _writing(
        "Report for many homes",
        _ref("ManyReports"),
        _ok("application/json", _ref("ReportsResult")),
        [PORTAL],
        description="As JSON; or as a file, CSV or XLSX, with the columns home_id, care_form,"
        " count, and what else a line may have. The results of a file are one for each home.",
    )
    csv, xlsx = FILE_TYPES
    example = "home_id,care_form,count\nhome-1,short_term,2\n"
    operation["requestBody"]["content"] |= {
        csv: {"schema": {"type": "string"}, "example": example},
        xlsx: {"schema": {"type": "string", "format": "binary"}},
    }
    return operation


def _paths() -> Json:
    geo = "application/geo+json"
    feature = _ok(geo, _ref("Feature"))
    created = {**feature, **_ok(geo, _ref("Feature"), 201, "Created")}
    created["201"]["links"] = OF_HOME
    limit = {"type": "integer", "minimum": LIMIT_RANGE[0], "maximum": LIMIT_RANGE[1]}
    search = search_parameters()
    places = {"type": "array", "items": _ref("PlaceAnswer")}
    q = {"type": "string", "minLength": 1, "maxLength": 200}
    low, high = SUGGESTIONS_RANGE
    few = {"type": "integer", "minimum": low, "maximum": high, "default": SUGGESTIONS}
    since = parameter("since", {"type": "string"}, "A cursor; the header Last-Event-ID wins")
    stream = _ok("text/event-stream", {"type": "string"})
    paging = [
        parameter("limit", {**limit, "default": LIMIT}, "Homes on a page"),
        parameter("cursor", {"type": "string"}, "`next` of the page before"),
    ]
    plain = "application/json"
    found = _ok(geo, _ref("FeatureCollection"))
    found["200"]["links"] = OF_SEARCH
    return {
        "/api/v1/places": {
            "get": {
                "summary": "Find a place",
                "parameters": [parameter("q", q, "What to look for", required=True)],
                "responses": _answers(_ok(plain, places), (400, 503)),
            }
        },
        "/api/v1/places/suggest": {
            "get": {
                "summary": "Places for what is typed so far",
                "description": "From the built-in gazetteer alone: nobody else is told. Slips of"
                ' the finger, umlauts and kilometres ("Gütersl 20 km") do no harm. Best first:'
                " the very name, its beginning, the beginning of a later word, slips.",
                "parameters": [
                    parameter("q", q, "What is typed", required=True),
                    parameter("limit", few, "Places at most"),
                ],
                "responses": _answers(_ok(plain, places), (400,)),
            }
        },
        "/api/v1/vacancies": {
            "get": {
                "summary": "Search for free places",
                "parameters": [*search, *paging],
                "responses": _answers(found, (400, 404, 422, 503)),
            }
        },
        "/api/v1/vacancies/points": {
            "get": {
                "summary": "The same search, all at once, in columns",
                "description": "For maps: one entry a home in each column. `free` counts the care"
                " forms asked for. Ask with the ETag that you know; or stream from `cursor`.",
                "parameters": search,
                "responses": _answers(
                    {**_ok(plain, _ref("Points")), "304": {"description": "Not Modified"}},
                    (400, 404, 422, 503),
                ),
            }
        },
        "/api/v1/vacancies/facets": {
            "get": {
                "summary": "How many homes each choice of the search would leave",
                "description": "Each value is counted with all other parameters as they are: in"
                " place of those of its own parameter, and for `focus` and `need` on top of them.",
                "parameters": search,
                "responses": _answers(_ok(plain, _ref("FacetsAnswer")), (400, 404, 422, 503)),
            }
        },
        "/api/v1/vacancies/stream": {
            "get": {
                "summary": "The same search, live, as Server-Sent Events",
                "description": "Events: listing (a Feature), gone, ready, heartbeat, reset.",
                "parameters": [*search, since],
                "responses": _answers(stream, (400, 404, 422, 503)),
            }
        },
        "/api/v1/homes/{home_id}": {
            "get": {
                "summary": "One home",
                "parameters": [HOME_ID],
                "responses": _answers(
                    {**feature, "304": {"description": "Not Modified"}}, (400, 404, 410)
                ),
            },
            "put": _writing(
                "Create or describe a home", _ref("HomeBody"), created, [HOME_ID, IF_MATCH]
            ),
        },
        "/api/v1/homes/{origin}/{home_id}": {
            "get": {
                "summary": "One home of a neighbouring service",
                "parameters": [ORIGIN, HOME_ID],
                "responses": _answers(
                    {**feature, "304": {"description": "Not Modified"}}, (400, 404, 410)
                ),
            },
        },
        "/api/v1/homes/{home_id}/vacancies": {
            "put": _writing(
                "Report all that is free", _ref("ReportBody"), feature, [HOME_ID, IF_MATCH, PORTAL]
            )
        },
        "/api/v1/homes/{home_id}/vacancies/confirm": {
            "post": _writing("Still so", None, feature, [HOME_ID, IF_MATCH, PORTAL])
        },
        "/api/v1/reports": {"post": _reporting_for_many()},
        "/api/v1/changes": {
            "get": {
                "summary": "What has changed in this interface, newest first",
                "responses": _ok(plain, _ref("ApiChanges")),
            }
        },
        **webhook_paths(),
    }
