"""`freiplatz backup` and `freiplatz restore` as they are called."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import Service
from vacancies.backups.keys import read_key_file
from vacancies.config import Settings
from web.__main__ import main


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, list(arguments))


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("FREIPLATZ_SECRET_KEY", settings.secret_key)


@pytest.fixture
async def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its public half is in the settings, as on a server."""
    path = tmp_path / "key"
    made = await run("backup", "key", str(path))
    monkeypatch.setenv("FREIPLATZ_BACKUP_RECIPIENTS", made.stdout.strip())
    return path


async def test_a_backup_is_made_listed_checked_and_restored(
    service: Service, key_file: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.put_home("1")
    await service.report("1", {"count": 2})
    made = json.loads((await run("backup", "--json")).stdout)
    assert (made["revision"], made["removed"]) == (service.state.board.revision, [])
    assert Path(made["file"]).parent == settings.data_dir / "backups"
    assert Path(made["file"]).stat().st_size == made["bytes"]
    (listed,) = json.loads((await run("backup", "list", "--json")).stdout)
    assert (listed["file"], listed["bytes"]) == (made["file"], made["bytes"])
    assert (await run("backup", "list", "--max-age-minutes", "60")).exit_code == 0

    await service.report("1")
    folder = str(settings.data_dir / "backups")
    no_key = await run("restore", folder)
    assert (no_key.exit_code, "--key-file" in no_key.output) == (1, True)
    with_key = ("--key-file", str(key_file), "--json")
    checked = json.loads((await run("restore", folder, "--check", *with_key)).stdout)
    assert (checked["checked_only"], checked["rows"]) == (True, made["rows"])
    refused = await run("restore", folder, *with_key)
    assert (refused.exit_code, "--replace" in refused.output) == (1, True)
    _, home, _ = await service.call("GET", "/api/v1/homes/1")
    assert home["properties"]["free"] == {}

    monkeypatch.setenv("FREIPLATZ_SECRET_KEY", "y" * 32)
    restored = await run("restore", folder, "--replace", *with_key)
    assert "FREIPLATZ_SECRET_KEY is another" in restored.stderr
    assert json.loads(restored.stdout)["secret_fits"] is False
    stored = "SELECT vacancies -> 0 ->> 'count' FROM home_state"
    assert await service.state.deployment.pool.fetchval(stored) == "2"


async def test_old_ones_go_when_told_so(service: Service, key_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    old = folder / "freiplatz-20200101T000000Z.tar.gz.age"
    old.touch()
    where = ("--folder", str(folder))
    too_old = await run("backup", "list", *where, "--max-age-minutes", "60")
    assert (too_old.exit_code, "minutes old" in too_old.output) == (1, True)
    assert json.loads((await run("backup", *where, "--json")).stdout)["removed"] == []
    made = json.loads((await run("backup", *where, "--keep", "1", "--json")).stdout)
    assert str(old) in made["removed"]
    assert [path.name for path in folder.iterdir()] == [Path(made["file"]).name]


async def test_again_and_again_until_told_to_stop(
    service: Service, key_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    arguments = ("backup", "--every-minutes", "600", "--keep", "3", "--folder", str(folder))
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "web", *arguments), stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout is not None
    said = (await running.stdout.readline()).decode()
    (made,) = folder.iterdir()
    assert said.startswith(f"{made}: ")
    running.terminate()
    await running.communicate()
    assert running.returncode == 0
    assert list(folder.iterdir()) == [made]


async def test_a_key_can_go_to_another_machine_at_once(tmp_path: Path) -> None:
    made = await run("backup", "key")
    path = tmp_path / "key"
    path.write_text(made.stdout)
    (key,) = read_key_file(path)
    assert f"Public key: {key.to_public()}" in made.stderr


async def test_what_is_missing_is_said(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = await run("backup")
    assert (nobody.exit_code, "backup key FILE" in nobody.output) == (1, True)
    none = await run("backup", "list", "--max-age-minutes", "60")
    assert (none.exit_code, "no backup in" in none.output) == (1, True)
    monkeypatch.setenv("FREIPLATZ_BACKUP_RECIPIENTS", "age1misspelt")
    wrong = await run("backup")
    assert (wrong.exit_code, "FREIPLATZ_BACKUP_RECIPIENTS" in wrong.output) == (1, True)
