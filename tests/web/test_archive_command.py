"""`freiplatz archive` as it is called."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Service
from vacancies.config import Settings
from web.__main__ import main


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["archive", *arguments])


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))


async def test_a_day_is_made_listed_and_removed(service: Service) -> None:
    nothing = await run("make")
    assert (nothing.exit_code, "no homes yet" in nothing.output) == (1, True)
    await service.put_home("1")
    made = json.loads((await run("make", "--json")).stdout)
    assert (made["homes"], [file["format"] for file in made["files"]]) == (1, ["csv", "geojson"])
    assert "there already" in (await run("make")).stdout
    assert json.loads((await run("make", "--json")).stdout) is None
    listed = json.loads((await run("list", "--json")).stdout)
    assert listed == {"days": [made], "missing": []}
    assert made["day"] in (await run("list")).stdout
    assert (await run("remove", made["day"])).exit_code == 0
    again = await run("remove", made["day"])
    assert (again.exit_code, made["day"] in again.output) == (1, True)
    assert (await run("remove", "yesterday")).exit_code == 2
    assert json.loads((await run("list", "--json")).stdout)["days"] == []


async def test_who_keeps_none_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREIPLATZ_OPEN_DATA_ARCHIVE_YEARS", "0")
    await service.put_home("1")
    refused = await run("make")
    assert (refused.exit_code, "ARCHIVE_YEARS is 0" in refused.output) == (1, True)
