"""Reminders of a whole state: two schedulers as processes of their own, one of them killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from providers.reporting_policy import ReportingPolicy, record_policy
from providers.staff import ensure_membership, ensure_staff
from tests.conftest import served
from tests.flow.program import FREIPLATZ, ROOT
from tests.waiting import until
from vacancies.commands import Describe, Report
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.models import CareForm, Point, Profile, Vacancy
from vacancies.provider import ensure_provider
from vacancies.writer import Writer

HOMES = 10_000
BATCH = 500
KILLED_AFTER = 2_000  # mails
ALWAYS = ReportingPolicy(from_minute=0, until_minute=1440, weekdays=(1, 2, 3, 4, 5, 6, 7))


async def fill(pool: Pool, writer: Writer) -> None:
    """Homes that reported 30 hours ago, each with one person."""
    provider = await ensure_provider(pool, "Caritas")
    lines = (Vacancy(care_form=CareForm.SHORT_TERM, count=2),)
    said_at = datetime.now(UTC) - timedelta(hours=30)
    for first in range(0, HOMES, BATCH):
        homes = [f"h{number}" for number in range(first, first + BATCH)]
        for commands in (
            [
                Describe(
                    home_id=home_id,
                    provider_id=provider.id,
                    provider=provider.slug,
                    profile=Profile(
                        name=f"Haus {home_id}",
                        point=Point(51.9, 8.4),
                        capacity={CareForm.LONG_TERM: 80, CareForm.SHORT_TERM: 8},
                    ),
                )
                for home_id in homes
            ],
            [Report(home_id=each, vacancies=lines, observed_at=said_at) for each in homes],
        ):
            settled = await writer.submit(commands)
            assert all(outcome.changed for outcome in settled.outcomes)
    await pool.execute(
        "WITH person AS (INSERT INTO staff (email)"
        " SELECT id || '@home.example' FROM care_home RETURNING id, email)"
        " INSERT INTO membership (staff_id, provider_id, home_id)"
        " SELECT id, $1, split_part(email, '@', 1) FROM person",
        provider.id,
    )
    await pool.execute("ANALYZE")
    async with pool.acquire() as connection:
        await record_policy(connection, "", ALWAYS)


async def start(settings: Settings, *arguments: str) -> asyncio.subprocess.Process:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FREIPLATZ_")}
    given = {
        "FREIPLATZ_DATABASE_URL": settings.database_url or "",
        "FREIPLATZ_REDIS_URL": settings.redis_url or "",
        "FREIPLATZ_DATA_DIR": str(settings.data_dir),
    }
    return await asyncio.create_subprocess_exec(
        *FREIPLATZ,
        "reminders",
        *arguments,
        env={**clean, **given},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


def count_mails(folder: Path) -> int:
    if not folder.exists():
        return 0
    with os.scandir(folder) as entries:
        return sum(entry.name.endswith(".eml") for entry in entries)


@pytest.mark.slow
async def test_ten_thousand_homes_are_reminded_once_though_a_scheduler_is_killed(
    settings: Settings, pool: Pool, writer: Writer
) -> None:
    await fill(pool, writer)
    folder = settings.data_dir / "mail"
    began = time.monotonic()
    doomed, other = await start(settings, "run"), await start(settings, "run", "--json")

    async def is_midway() -> bool:
        """The doomed one has claimed rows too: both work."""
        claims = await pool.fetchval("SELECT count(DISTINCT claim) FROM reminder")
        return count_mails(folder) >= KILLED_AFTER and claims == 2

    await until(is_midway, seconds=300)
    assert doomed.returncode is None
    doomed.send_signal(signal.SIGKILL)
    await doomed.wait()
    killed_at = time.monotonic() - began
    before = count_mails(folder)
    left_behind = await pool.fetchval("SELECT count(*) FROM reminder WHERE step = 'staff'")
    assert 0 < left_behind < HOMES, "it was killed in the middle"
    out, _ = await other.communicate()
    seconds = time.monotonic() - began
    assert other.returncode == 0

    rows = await pool.fetch("SELECT home_id, step, reminded_at, claim, failures FROM reminder")
    assert len(rows) == HOMES
    assert len({row["home_id"] for row in rows}) == HOMES
    # Sent, and the next step is planned; nothing is left over of the dead one's claims.
    assert {(row["step"], row["claim"], row["failures"]) for row in rows} == {("admins", None, 0)}
    assert all(row["reminded_at"] is not None for row in rows)
    told = Counter(recipient(path) for path in folder.glob("*.eml"))
    assert told == {f"h{number}@home.example": 1 for number in range(HOMES)}
    done = json.loads(out)
    print(
        f"{HOMES} reminders planned and written once each in {seconds:.1f} s by two schedulers;"
        f" one was killed after {killed_at:.1f} s and {before} mails; the other sent"
        f" {done['sent']}"
    )


def recipient(path: Path) -> str:
    with path.open() as lines:
        return next(line[4:].strip() for line in lines if line.startswith("To: "))


async def test_a_served_deployment_reminds_by_itself(
    settings: Settings, pool: Pool, writer: Writer
) -> None:
    provider = await ensure_provider(pool, "Caritas")
    profile = Profile(name="Haus a", point=Point(51.9, 8.4))
    said_at = datetime.now(UTC) - timedelta(hours=30)
    await writer.submit(
        [
            Describe(home_id="a", provider_id=provider.id, provider=provider.slug, profile=profile),
            Report(home_id="a", vacancies=(), observed_at=said_at),
        ]
    )
    staff = await ensure_staff(pool, "anna@a.example")
    await ensure_membership(pool, staff.id, provider.id, "a")
    async with pool.acquire() as connection:
        await record_policy(connection, "", ALWAYS)
    folder = settings.data_dir / "mail"
    async with served(settings):
        await until(lambda: count_mails(folder) == 1)
