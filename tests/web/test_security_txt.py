"""Who finds a weakness finds the operator: `security.txt` (RFC 9116)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Service, served
from vacancies.config import Settings
from vacancies.operator import Operator

PATH = "/.well-known/security.txt"


async def fields(service: Service) -> dict[str, str]:
    async with service.client.get(service.url + PATH) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        lines = (await answer.text()).split("\r\n")
    assert lines.pop() == "", "the last line ends too"
    found = dict(line.split(": ", 1) for line in lines)
    assert len(found) == len(lines), "each once"
    return found


@pytest.mark.parametrize(
    ("operator", "contact", "wanted"),
    [
        (Operator(security="cert@town.example", email="a@town.example"), None, "cert@town.example"),
        (Operator(email="a+b@town.example"), "c@town.example", "a+b@town.example"),
        (Operator(), "c@town.example", "c@town.example"),
    ],
)
async def test_it_names_whom_to_write_to(
    settings: Settings, operator: Operator, contact: str | None, wanted: str
) -> None:
    public = "https://town.example/"
    mine = replace(settings, operator=operator, contact_email=contact, public_url=public)
    async with served(mine) as service:
        found = await fields(service)
    assert found["Contact"] == f"mailto:{wanted}"
    assert found["Canonical"] == f"https://town.example{PATH}"
    assert found["Preferred-Languages"] == "de, en"
    left = datetime.fromisoformat(found["Expires"]) - datetime.now(UTC)
    # A cache may keep it for a day; more than a year is not to be believed.
    assert timedelta(days=30) < left < timedelta(days=365)


async def test_without_an_address_there_is_none(service: Service) -> None:
    async with service.client.get(service.url + PATH) as answer:
        assert answer.status == 404
        assert answer.content_type == "text/plain"


def test_the_project_says_how_to_report() -> None:
    root = Path(__file__).parents[2]
    text = (root / "SECURITY.md").read_text()
    assert PATH in text
    for document in ("SECURITY.md", "docs/security.md"):
        assert document in (root / "README.md").read_text()
