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


def answers(ok: Json, problems: tuple[int, ...]) -> Json:
    """The answers of a route: `ok`, and a problem for each status."""
    refusals: Json = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_TYPE: {"schema": ref("Problem")}},
        }
        for status in problems
    }
    return {**ok, **refusals}


def ok(media: str, schema: Json, status: int = 200, text: str = "OK") -> Json:
    return {str(status): {"description": text, "content": {media: {"schema": schema}}}}
