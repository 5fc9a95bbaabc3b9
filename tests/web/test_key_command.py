"""`freiplatz key` as it is called: scope, mode and end of keys, and rotation."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from providers.auth import hash_key
from tests.conftest import Service
from vacancies.config import Settings
from web.__main__ import main


@pytest.fixture
async def homes(service: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A provider with the home "a", and commands that meet its database."""
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    await service.put_home("a", provider="eins")
    await service.put_home("b", provider="zwei")
    return service


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["key", *arguments])


async def listed(home: Service, key: str) -> dict[str, Any]:
    """The key as `key list --json` shows it."""
    key_id = await home.state.deployment.pool.fetchval(
        "SELECT id FROM api_key WHERE hash = $1", hash_key(key)
    )
    result = await invoke("list", "--json")
    (found,) = (entry for entry in json.loads(result.stdout) if entry["id"] == key_id)
    return dict(found)


async def test_create_prints_the_key_alone(homes: Service) -> None:
    result = await invoke(
        "create", "eins", "--home", "a", "--label", "Vivendi", "--test", "--days", "30"
    )
    assert result.exit_code == 0, result.output
    key = result.stdout.strip()
    assert key.startswith("fpt_")
    found = await listed(homes, key)
    assert (found["provider"], found["home_id"], found["is_test"]) == ("eins", "a", True)
    assert (found["label"], found["revoked_at"]) == ("Vivendi", None)
    assert "hash" not in found
    lines = (await invoke("list")).stdout.splitlines()
    (line,) = (line for line in lines if "Vivendi" in line)
    for word in ("fpt_", "test", "eins", " a ", "never used", "ends "):
        assert word in line


@pytest.mark.parametrize(
    "arguments",
    [
        ("eins", "--home", "b"),
        ("eins", "--home", "nobody"),
        ("drei",),
        ("eins", "--days", "0"),
        ("eins", "--days", "99999"),
    ],
)
async def test_what_cannot_be_made(homes: Service, arguments: tuple[str, ...]) -> None:
    pool = homes.state.deployment.pool
    count = await pool.fetchval("SELECT count(*) FROM api_key")
    result = await invoke("create", *arguments)
    assert result.exit_code != 0
    assert result.stdout == ""
    assert "Traceback" not in result.output
    assert await pool.fetchval("SELECT count(*) FROM api_key") == count


async def test_rotate_prints_the_new_key_alone(homes: Service) -> None:
    old = (await invoke("create", "eins")).stdout.strip()
    before = await listed(homes, old)
    result = await invoke("rotate", str(before["id"]), "--overlap-hours", "1")
    assert result.exit_code == 0, result.output
    new = result.stdout.strip()
    found = await listed(homes, old)
    assert found["replaced_by"] == (await listed(homes, new))["id"]
    assert found["expires_at"] is not None
    again = await invoke("rotate", str(before["id"]))
    assert again.exit_code == 1
    assert "Rotate that one" in again.output
    assert "replaced by" in (await invoke("list")).stdout
