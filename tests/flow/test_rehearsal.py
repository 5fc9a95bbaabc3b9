"""The rehearsal of a restore, on a service that goes on."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner

from scripts.restore_rehearsal import main
from tests.conftest import Service
from vacancies.config import Settings


async def test_every_row_of_a_running_service_is_found_again(
    service: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    await service.put_home("1")

    async def report() -> int:
        count = 0
        while not rehearsing.done():
            await service.report("1", {"count": count % 3})
            count += 1
        return count

    arguments = ["--json", "--every-minutes", "4"]
    rehearsing = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, main, arguments))
    reports = await report()
    answer = await rehearsing
    assert answer.exit_code == 0, answer.output
    done = json.loads(answer.stdout)
    assert (done["equal"], done["epoch_renewed"], done["differing"]) == (True, True, {})
    assert done["rows"] > 30
    assert reports > 0
    assert done["oldest_lost_seconds"] == pytest.approx(240 + done["backup_seconds"])
