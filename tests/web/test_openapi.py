"""Schemathesis over our own description: no 5xx, no answer that it does not announce, and all its
other checks (`tests/fuzzing/schemathesis.toml` says what those cannot know of us).
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import Service
from tests.fuzzing.api import try_api
from web.openapi import build_document

SECONDS = 60


async def test_schemathesis_finds_nothing(service: Service, tmp_path: Path) -> None:
    code, said = await try_api(service, tmp_path, seconds=SECONDS, seed=1)
    assert code == 0, said[-6000:]
    # It went from call to call, and not only where it guessed that one leads to another.
    covered = re.search(r"API Links: +([0-9]+) covered", said)
    assert covered is not None, said
    assert int(covered[1]) > 5, said


async def test_every_route_of_the_api_is_described(service: Service) -> None:
    """The stream is no route of Quart's; all others must stand in the document."""
    described = {
        (path, method.upper())
        for path, operations in build_document()["paths"].items()
        for method in operations
    }
    from web.app import create_app

    app = create_app(service.state.deployment)
    served = {
        (str(rule.rule).replace("<", "{").replace(">", "}"), method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if str(rule.rule).startswith("/api/v1/") and method not in ("HEAD", "OPTIONS")
    }
    own = {("/api/v1/openapi.json", "GET"), ("/api/v1/docs", "GET")}
    assert served - own == described - {("/api/v1/vacancies/stream", "GET")}
