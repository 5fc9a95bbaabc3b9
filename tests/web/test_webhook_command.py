"""`freiplatz webhook` as it is called."""

from __future__ import annotations

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.provider import ensure_provider
from web.__main__ import main


@pytest.fixture(autouse=True)
async def environment(settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_OUTBOUND_PORTS", "443")
    await ensure_provider(pool, "Kreis Nord")


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["webhook", *arguments])


async def test_the_life_of_a_webhook() -> None:
    result = await invoke("add", "https://name.invalid/x", "--provider", "Kreis Nord")
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    assert (made["provider"], made["search"]) == ("kreis-nord", None)
    result = await invoke("list")
    assert made["id"] in result.stdout
    assert "its homes" in result.stdout
    result = await invoke("test", made["id"])
    assert result.exit_code == 1
    assert '"outcome": "address"' in result.stdout
    result = await invoke("log", made["id"])
    assert "address" in result.stdout
    assert "ping" in result.stdout
    (entry,) = json.loads((await invoke("log", made["id"], "--json")).stdout)
    assert (entry["event"], entry["outcome"], entry["status"]) == ("ping", "address", None)
    result = await invoke("rotate", made["id"])
    assert result.stdout.startswith("whsec_")
    assert result.stdout.strip() != made["secret"]
    for command, state in (("pause", "paused"), ("resume", "active")):
        assert (await invoke(command, made["id"])).exit_code == 0
        (listed,) = json.loads((await invoke("list", "--json")).stdout)
        assert listed["state"] == state
    assert (await invoke("remove", made["id"])).exit_code == 0
    assert json.loads((await invoke("list", "--json")).stdout) == []
    result = await invoke("log", made["id"])
    assert result.exit_code == 1
    assert "no webhook" in result.output


async def test_a_search_of_the_operator() -> None:
    result = await invoke("add", "https://name.invalid/", "--search", "place=33330&care_form=day")
    made = json.loads(result.stdout)
    assert made["provider"] is None
    assert made["search"].endswith("&care_form=day")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("https://a.example/",), "--provider"),
        (("https://a.example/", "--provider", "Niemand"), "no provider"),
        (("https://127.1/", "--search", ""), "usual form"),
        (("https://a.example:8443/", "--search", ""), "443"),
        (("https://a.example/", "--search", "x=1"), "no parameter 'x'"),
        (("https://a.example/", "--search", "", "--contact", "a@b.c\nBcc: d@e.f"), "no address"),
    ],
)
async def test_what_is_refused(arguments: tuple[str, ...], said: str) -> None:
    result = await invoke("add", *arguments)
    assert result.exit_code != 0
    assert said in result.output
    assert json.loads((await invoke("list", "--json")).stdout) == []
