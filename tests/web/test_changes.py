"""The change log of the API: newest first, for programs and on paper, and about what exists."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.conftest import Service
from web.changes import CHANGES, changes_page
from web.openapi import build_document

ROOT = Path(__file__).parents[2]


async def test_it_is_served_newest_first(service: Service) -> None:
    status, body, headers = await service.call("GET", "/api/v1/changes")
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == "*"
    dates = [date.fromisoformat(change["date"]) for change in body["changes"]]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == len(CHANGES)


def test_the_page_says_the_same() -> None:
    """If not: `python -m web.changes > docs/api-changes.md`."""
    assert (ROOT / "docs/api-changes.md").read_text("utf-8") == changes_page()


def test_what_is_named_there_is_described() -> None:
    described = {
        f"{method.upper()} {path}"
        for path, operations in build_document()["paths"].items()
        for method in operations
    }
    removed = {path for change in CHANGES if change.kind == "removed" for path in change.paths}
    named = {path for change in CHANGES for path in change.paths}
    assert named - removed - {"/api/v1"} <= described


async def test_the_description_and_the_page_lead_there(service: Service) -> None:
    document = build_document()
    assert "/api/v1/changes" in document["info"]["description"]
    assert document["externalDocs"]["url"] == "/api/v1/changes"
    async with service.client.get(f"{service.url}/api/v1/docs") as answer:
        assert 'href="/api/v1/changes"' in await answer.text()
