"""Schemathesis over our own description: no 5xx, and no answer that it does not announce.

The stream never ends, so it is left out here; `test_api.py` tests its parameters.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.conftest import Service
from web.openapi import build_document

ROOT = Path(__file__).parents[2]


async def test_schemathesis_finds_nothing(service: Service, tmp_path: Path) -> None:
    for home in ("a", "b"):
        await service.put_home(home)
        await service.report(home, {"count": 1})
    key = await service.key()
    run = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "schemathesis",
        "run",
        f"{service.url}/api/v1/openapi.json",
        "--header",
        f"Authorization: Bearer {key}",
        "--exclude-path",
        "/api/v1/vacancies/stream",
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_schema_conformance,ignored_auth,unsupported_method",
        "--max-examples",
        "40",
        "--phases",
        "coverage,fuzzing",
        "--seed",
        "1",
        "--no-color",
        "--generation-database",
        "none",
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = (await run.communicate())[0].decode()
    assert run.returncode == 0, said[-6000:]


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
