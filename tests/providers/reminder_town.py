"""Homes that are silent, people who report for them, and what was sent to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email import policy as mail_policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from providers.post import FileSender, MailSender
from providers.reminder_post import ReminderPost
from providers.reminder_scheduler import Scheduler
from providers.reporting_policy import ReportingPolicy, record_policy
from providers.staff import ensure_membership, ensure_staff
from vacancies.commands import Describe, Report
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.models import CareForm, Point, Profile, Vacancy
from vacancies.provider import ensure_provider
from vacancies.writer import Writer
from web.reminder_mail import MailWriter

ALWAYS = ReportingPolicy(from_minute=0, until_minute=1440, weekdays=(1, 2, 3, 4, 5, 6, 7))
SENDER = "Freiplatz <freiplatz@town.example>"


class Town:
    """Homes of one provider, and what was sent about them."""

    def __init__(self, pool: Pool, writer: Writer, folder: Path) -> None:
        self.pool = pool
        self.writer = writer
        self.folder = folder
        self.scheduler = self.scheduler_with(FileSender(folder))

    def scheduler_with(self, mail: MailSender) -> Scheduler:
        words = MailWriter(Settings(public_url="https://town.example", secret_key="x" * 32))
        sms = FileSender(self.folder)
        return Scheduler(self.pool, ReminderPost(mail, SENDER, words, sms))

    async def provider_id(self) -> int:
        return (await ensure_provider(self.pool, "Caritas")).id

    async def add_home(
        self, home_id: str, *, silent_hours: float | None = 30, municipality: str | None = None
    ) -> None:
        """A home that reported so long ago (None: never)."""
        profile = Profile(name=f"Haus {home_id}", point=Point(51.9, 8.4), municipality=municipality)
        await self.submit(
            Describe(
                home_id=home_id,
                provider_id=await self.provider_id(),
                provider="caritas",
                profile=profile,
            )
        )
        if silent_hours is not None:
            await self.report(home_id, silent_hours)

    async def report(self, home_id: str, hours_ago: float = 0) -> None:
        lines = (Vacancy(care_form=CareForm.SHORT_TERM, count=2),)
        at = datetime.now(UTC) - timedelta(hours=hours_ago)
        await self.submit(Report(home_id=home_id, vacancies=lines, observed_at=at))

    async def submit(self, command: Any) -> None:
        (outcome,) = (await self.writer.submit([command])).outcomes
        assert outcome.error is None, outcome.error

    async def add_person(
        self, email: str, home_id: str | None, *, phone: str | None = None, wants: bool = True
    ) -> None:
        """Home staff, or (without a home) an admin of the provider."""
        staff = await ensure_staff(self.pool, email)
        member = await ensure_membership(self.pool, staff.id, await self.provider_id(), home_id)
        await self.pool.execute("UPDATE staff SET phone = $2 WHERE id = $1", staff.id, phone)
        await self.pool.execute(
            "UPDATE membership SET wants_reminders = $2 WHERE id = $1", member, wants
        )

    async def set_policy(self, policy: ReportingPolicy = ALWAYS, prefix: str = "") -> None:
        async with self.pool.acquire() as connection:
            await record_policy(connection, prefix, policy)

    async def let_pass(self, hours: float) -> None:
        """As if all had happened so much earlier."""
        await self.pool.execute(
            "UPDATE reminder SET due_at = due_at - $1::interval, since = since - $1::interval,"
            " reminded_at = reminded_at - $1::interval,"
            " claimed_until = claimed_until - $1::interval",
            timedelta(hours=hours),
        )
        await self.pool.execute(
            "UPDATE home_state SET observed_at = observed_at - $1::interval,"
            " confirmed_at = confirmed_at - $1::interval",
            timedelta(hours=hours),
        )

    def mails(self) -> list[EmailMessage]:
        return [
            message_from_bytes(path.read_bytes(), policy=mail_policy.default)
            for path in sorted(self.folder.glob("*.eml"))
        ]

    def recipients(self) -> list[str]:
        return sorted(str(mail["To"]) for mail in self.mails())

    async def steps(self) -> list[tuple[str, str, str | None]]:
        rows = await self.pool.fetch(
            "SELECT home_id, step, outcome FROM reminder ORDER BY 1, since"
        )
        return [(row["home_id"], row["step"], row["outcome"]) for row in rows]
