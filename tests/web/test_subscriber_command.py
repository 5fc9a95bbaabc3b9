"""`freiplatz subscriber` as it is called."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Service
from vacancies.config import Settings
from web.__main__ import main


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["subscriber", *arguments])


async def test_a_platform_gets_a_token_and_loses_it(
    service: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    made = await run("add", "Kreis")
    token = made.stdout.strip()
    assert token.startswith("fps_")
    assert (await run("add", "Kreis")).exit_code == 1
    assert (await run("add", " ")).exit_code == 2
    path = "/ngsi-ld/v1/subscriptions"
    wish = {
        "type": "Subscription",
        "entities": [{"type": "CareHome"}],
        "notification": {"endpoint": {"uri": "https://x.example/"}},
    }
    assert (await service.call("POST", path, wish, key=token))[0] == 201
    listed = json.loads((await run("list", "--json")).stdout)
    assert listed == [{"name": "Kreis", "subscriptions": 1, "failing": 0}]
    assert token not in (await run("list")).output
    assert (await run("remove", "Kreis")).exit_code == 0
    assert (await run("remove", "Kreis")).exit_code == 1
    assert (await service.call("GET", path, key=token))[0] == 401
