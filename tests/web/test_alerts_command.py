"""`freiplatz alerts` as it is called: counts and ids, never whose they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from click.testing import CliRunner, Result

from tests.conftest import Service
from tests.web.alerts.conftest import EMAIL, SEARCH
from vacancies.config import Settings
from vacancies.database import Pool
from web.__main__ import main
from web.alerts.alerts import Contents, insert_alert
from web.alerts.sealing import Seal


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """The command sets up the log of its process, which is that of all other tests too."""
    yield
    structlog.reset_defaults()


@pytest.fixture
async def ids(settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two alerts, oldest first."""
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    return [await make(pool) for _ in range(2)]


async def make(pool: Pool) -> str:
    async with pool.acquire() as connection, connection.transaction():
        contents, now = Contents(search=SEARCH, email=EMAIL), datetime.now(UTC)
        made = await insert_alert(connection, Seal("x" * 32), contents, "de", now)
    assert made is not None
    return made


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["alerts", *arguments])


async def test_the_list_names_nobody(ids: list[str]) -> None:
    for arguments in (["list"], ["list", "--json"]):
        listed = await run(*arguments)
        assert listed.exit_code == 0
        assert listed.stdout.index(ids[0]) < listed.stdout.index(ids[1])
        for secret in (EMAIL, "example.org", "long_term", "51.9", "sealed"):
            assert secret not in listed.output
    found = json.loads((await run("list", "--json")).stdout)
    assert [(row["channel"], row["state"]) for row in found] == [("mail", "pending")] * 2


async def test_one_is_removed(ids: list[str], pool: Pool) -> None:
    removed = await run("remove", ids[0], "--json")
    assert json.loads(removed.stdout) == {"removed": 1}
    assert await pool.fetchval("SELECT id FROM alert") == ids[1]
    again = await run("remove", ids[0])
    assert again.exit_code == 1
    assert "There is no alert" in again.output
    assert (await run("remove", ids[1])).stdout == "1 removed.\n"


async def test_metrics_count_them(service: Service) -> None:
    await make(service.state.deployment.pool)
    async with service.client.get(service.url + "/metrics") as answer:
        text = await answer.text()
    assert 'freiplatz_alerts{state="pending"} 1.0' in text
    assert 'freiplatz_alerts{state="active"} 0.0' in text
    assert "freiplatz_alerts_late 0.0" in text
