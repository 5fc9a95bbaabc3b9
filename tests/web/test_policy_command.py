"""`freiplatz policy` as it is called."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from vacancies.config import Settings
from vacancies.database import Pool
from web.__main__ import main


@pytest.fixture
def deployed(settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["policy", *arguments])


async def test_a_policy_keeps_what_is_not_named(deployed: None) -> None:
    await invoke("set", "05", "--fresh-hours", "48", "--weekdays", "sun,mon")
    result = await invoke("set", "05754", "--municipality-email", "pflege@stadt.example")
    assert result.stdout.startswith("05754 ")
    assert "pflege@stadt.example after 72 h" in result.stdout
    found = {entry["prefix"]: entry for entry in json.loads((await invoke("--json")).stdout)}
    assert set(found) == {"", "05", "05754"}
    assert found[""]["weekdays"] == [1, 2, 3, 4, 5, 6]
    assert (found["05754"]["fresh_hours"], found["05754"]["ageing_hours"]) == (48, 72)
    assert found["05754"]["weekdays"] == [1, 7]
    assert (found["05754"]["detail_places"], found["05754"]["approve_new"]) == (30, False)
    result = await invoke("set", "05754", "--detail-places", "20", "--approve-new")
    assert "details from 20 places on, new homes wait for approval" in result.stdout
    assert "new homes wait" not in (await invoke("set", "05754", "--show-new")).stdout
    await invoke("set", "05754", "--municipality-email", "")
    assert "pflege@" not in (await invoke()).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x5"], "municipality key"),
        (["--fresh-hours", "0"], "fresh_hours must be from 1"),
        (["--fresh-hours", "100"], "cannot be less than"),
        (["--from", "7 o'clock"], "no time of day"),
        (["--until", "24:01"], "no time of day"),
        (["--from", "18:00", "--until", "07:00"], "later in the day"),
        (["--weekdays", "someday"], "Name days"),
        (["--municipality-email", "nobody"], "name@town.de"),
        (["--detail-places", "1001"], "from 0 to 1000"),
    ],
)
async def test_a_wrong_policy_changes_nothing(
    deployed: None, pool: Pool, arguments: list[str], said: str
) -> None:
    result = await invoke("set", *arguments)
    assert result.exit_code != 0
    assert said in result.stderr
    assert await pool.fetchval("SELECT count(*) FROM reporting_policy") == 0
