"""Parts of which the OpenAPI document is put together."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from web.problems import PROBLEM_TYPE

Json = dict[str, Any]
REF = "#/components/schemas/{name}"


def ref(name: str) -> Json:
    return {"$ref": REF.format(name=name)}


def parameter(name: str, schema: Json, text: str, **more: Any) -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": text, **more}


# What every route may answer: too often from there, or too much to do.
_BUSY = (429, 503)
_RETRY_AFTER: Json = {
    "Retry-After": {
        "description": "Seconds after which to ask again.",
        "schema": {"type": "integer", "minimum": 1},
    }
}


def answers(ok: Json, problems: tuple[int, ...]) -> Json:
    """The answers of a route: `ok`, and a problem for each status, and for those that any route may
    answer."""
    return {**ok, **{str(status): _refusal(status) for status in sorted({*problems, *_BUSY})}}


def _refusal(status: int) -> Json:
    refusal: Json = {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM_TYPE: {"schema": ref("Problem")}},
    }
    return {**refusal, "headers": _RETRY_AFTER} if status in _BUSY else refusal


def ok(media: str, schema: Json, status: int = 200, text: str = "OK") -> Json:
    return {str(status): {"description": text, "content": {media: {"schema": schema}}}}
