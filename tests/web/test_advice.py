"""`freiplatz advice`, and the office on the page where nothing was found."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Service
from vacancies.config import Settings
from vacancies.database import Pool
from web.__main__ import main

OFFICES = """Name;Straße;PLZ;Ort;Telefon;Website
Pflegestützpunkt <b>Gütersloh</b>;Ring 1;33330;Gütersloh;05241 851234;https://pflege.example.org
Pflegestützpunkt Bonn;;53111;Bonn;0228 4711;
Ohne Ort;;;;0228 4711;
Pflegestützpunkt Bonn;;53111;Bonn;0228 4711;
"""


@pytest.fixture
def deployed(settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["advice", *arguments])


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "offices.csv"
    path.write_text(OFFICES)
    return str(path)


def known(result: Result) -> dict[str, dict[str, Any]]:
    return {office["name"]: office for office in json.loads(result.stdout)}


async def test_a_list_is_taken_and_taken_again(deployed: None, file: str) -> None:
    assert "none yet" in (await invoke()).stdout
    tried = json.loads((await invoke("import", file, "--dry-run", "--json")).stdout)
    assert (len(tried["offices"]), tried["removed"]) == (2, 0)
    assert known(await invoke("--json")) == {}
    result = await invoke("import", file, "--area", "05754")
    assert "4 rows: 2 offices, 0 removed." in result.stdout
    assert "Refused: row 4, postcode" in result.stdout
    assert "row 5, name: The same office is in row 3" in result.stdout
    offices = known(await invoke("--json"))
    assert offices["Pflegestützpunkt Bonn"]["area"] == "05754"
    Path(file).write_text("\n".join(OFFICES.splitlines()[:2]))
    again = json.loads((await invoke("import", file, "--replace", "--json")).stdout)
    assert again["removed"] == 1
    (name,) = known(await invoke("--json"))
    assert name.startswith("Pflegestützpunkt <b>")


async def test_what_is_wrong_is_said_and_changes_nothing(deployed: None, file: str) -> None:
    assert (await invoke("import", file, "--area", "Kreis")).exit_code == 2
    await invoke("import", file)
    (first, *_) = json.loads((await invoke("--json")).stdout)
    result = await invoke("remove", first["id"], "nobody")
    assert result.exit_code == 1
    assert "1 removed; the other ids are unknown" in result.stderr
    assert len(known(await invoke("--json"))) == 1


async def read(service: Service, path: str) -> str:
    async with service.client.get(service.url + path) as answer:
        return await answer.text()


async def test_who_finds_nothing_is_told_whom_to_ask(
    service: Service, deployed: None, file: str
) -> None:
    await invoke("import", file)
    html = await read(service, "/?place=33330")
    assert "Pflegestützpunkt &lt;b&gt;Gütersloh&lt;/b&gt;" in html
    assert 'href="tel:+495241851234"' in html
    assert 'href="https://pflege.example.org"' in html
    assert "Bonn" not in html
    await service.put_home("a")
    await service.report("a", {"care_form": "long_term", "count": 1})
    assert "Pflegestützpunkt" not in await read(service, "/?place=33330")
