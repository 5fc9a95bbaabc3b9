"""`freiplatz reminders` as it is called: output, exit codes, and what stays as it is."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from providers.reporting_policy import ReportingPolicy, record_policy
from providers.staff import ensure_membership, ensure_staff
from vacancies.commands import Describe, Report
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.models import CareForm, Point, Profile, Vacancy
from vacancies.provider import ensure_provider
from vacancies.writer import Writer
from web.__main__ import main

ALWAYS = ReportingPolicy(from_minute=0, until_minute=1440, weekdays=(1, 2, 3, 4, 5, 6, 7))


@pytest.fixture
async def mail(
    settings: Settings, pool: Pool, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Where mail goes; home `a` is silent, and Anna may report for it."""
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    provider = await ensure_provider(pool, "Caritas")
    said_at = datetime.now(UTC) - timedelta(hours=30)
    for home_id in ("a", "b"):
        await writer.submit(
            [
                Describe(
                    home_id=home_id,
                    provider_id=provider.id,
                    provider=provider.slug,
                    profile=Profile(name=f"Haus {home_id}", point=Point(51.9, 8.4)),
                ),
                Report(
                    home_id=home_id,
                    vacancies=(Vacancy(care_form=CareForm.DAY, count=1),),
                    observed_at=said_at,
                ),
            ]
        )
    staff = await ensure_staff(pool, "anna@a.example")
    await ensure_membership(pool, staff.id, provider.id, "a")
    async with pool.acquire() as connection:
        await record_policy(connection, "", ALWAYS)
    return settings.data_dir / "mail"


async def invoke(*arguments: str) -> Result:
    """In a thread: the command runs an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["reminders", *arguments])


async def test_run_sends_what_is_due_and_says_how_many(mail: Path) -> None:
    result = await invoke("run")
    assert result.stdout == "1 planned, 1 sent, 0 failed.\n"
    assert len(list(mail.glob("*.eml"))) == 1
    result = await invoke("run", "--json")
    assert json.loads(result.stdout) == {"planned": 0, "sent": 0, "failed": 0, "is_stuck": False}


async def test_list_shows_what_comes_next(mail: Path) -> None:
    await invoke("run")
    (entry,) = json.loads((await invoke("list", "--json")).stdout)
    assert (entry["home_id"], entry["step"]) == ("a", "admins")
    assert "a " in (await invoke("list")).stdout


async def test_run_says_that_mail_cannot_be_handed_over(
    mail: Path, monkeypatch: pytest.MonkeyPatch, pool: Pool
) -> None:
    monkeypatch.setenv("FREIPLATZ_SMTP_URL", "smtp://127.0.0.1:1")
    result = await invoke("run")
    assert "0 sent, 1 failed" in result.stdout
    assert await pool.fetchval("SELECT failures FROM reminder") == 1


async def test_send_is_a_test_that_leaves_the_plan_alone(mail: Path, pool: Pool) -> None:
    result = await invoke("send", "a")
    assert (result.exit_code, result.stdout) == (0, "1 sent.\n")
    assert len(list(mail.glob("*.eml"))) == 1
    assert await pool.fetchval("SELECT count(*) FROM reminder") == 0
    result = await invoke("send", "b")
    assert result.exit_code == 1
    assert "Nobody could be told" in result.stderr
    result = await invoke("send", "nowhere")
    assert result.exit_code == 1
    assert "There is no home" in result.stderr
