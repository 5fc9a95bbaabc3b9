"""`freiplatz staff` as it is called."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from providers.signin import checked_email
from tests.vacancies.test_writer import describe
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.writer import Writer
from web.__main__ import main


@pytest.fixture
async def home(
    settings: Settings,
    tmp_path: Path,
    pool: Pool,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The id of a home of the provider "traeger"."""
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FREIPLATZ_PUBLIC_URL", "https://plaetze.example")
    await describe(pool, writer, "a")
    return "a"


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["staff", *arguments])


async def test_add_list_link_revoke_remove(home: str, tmp_path: Path) -> None:
    added = await invoke("add", "Pat@Example.org", "--provider", "traeger", "--home", home)
    assert added.exit_code == 0, added.output
    number = added.stdout.strip()
    again = await invoke("add", "pat@example.org", "--provider", "traeger", "--home", home)
    assert again.stdout.strip() == number
    (listed,) = json.loads((await invoke("list", "--json")).stdout)
    assert (listed["staff"]["email"], listed["home_id"]) == ("pat@example.org", home)
    link = await invoke("link", number)
    assert link.stdout.startswith("https://plaetze.example/report/link/")
    assert (await invoke("link", number, "--mail")).exit_code == 0
    (mail,) = (tmp_path / "mail").glob("*.eml")
    assert b"To: pat@example.org" in mail.read_bytes()
    assert (await invoke("revoke-links", number)).exit_code == 0
    assert (await invoke("remove", number)).exit_code == 0
    assert json.loads((await invoke("list", "--json")).stdout) == []


async def test_an_address_is_stored_as_it_is_looked_up(home: str) -> None:
    """Or whoever is entered with it could never sign in."""
    added = await invoke("add", "Pat@Bücher.example", "--provider", "traeger", "--home", home)
    assert added.exit_code == 0, added.output
    (listed,) = json.loads((await invoke("list", "--json")).stdout)
    assert listed["staff"]["email"] == checked_email("pat@bücher.example")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "pat", "--provider", "traeger"], "no address"),
        (["add", "pat@example.org", "--provider", "nobody"], "no provider"),
        (["add", "pat@example.org", "--provider", "traeger", "--home", "x"], "has no home"),
        (["add", "pat@example.org", "--provider", "traeger", "--language", "xx"], "languages"),
        (["link", "99"], "no membership"),
        (["remove", "99"], "no membership"),
    ],
)
@pytest.mark.usefixtures("home")
async def test_what_cannot_be_done_is_said(arguments: list[str], said: str) -> None:
    result = await invoke(*arguments)
    assert result.exit_code == 1
    assert said in result.output
    assert json.loads((await invoke("list", "--json")).stdout) == []
