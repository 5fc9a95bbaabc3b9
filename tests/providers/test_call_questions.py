"""A home is asked after a call: seldom, in its hours, once, and not if it has reported since."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from providers.call_feedback import ASKED_EVERY, SETTLES_AFTER, Kind, record_feedback
from providers.call_questions import LEASE, Asker
from providers.post import FileSender, MailSender, PostRefused
from providers.reporting_policy import ReportingPolicy
from tests.providers.reminder_town import ALWAYS, SENDER, Town
from tests.providers.test_call_feedback import let_pass
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.homes import select_homes
from vacancies.models import CareForm
from vacancies.writer import Writer
from web.feedback_mail import QuestionMail

SETTINGS = Settings(public_url="https://town.example", secret_key="x" * 32)


class Asked(Town):
    """The town, and callers who say that its places are gone."""

    @property
    def asker(self) -> Asker:
        return self.asker_with(FileSender(self.folder))

    def asker_with(self, mail: MailSender) -> Asker:
        return Asker(self.pool, mail, SENDER, QuestionMail(SETTINGS))

    async def call(
        self,
        home_id: str = "a",
        kind: Kind = "taken",
        *,
        network: str = "192.0.2.1",
        care_form: CareForm | None = CareForm.SHORT_TERM,
    ) -> None:
        """Somebody has called, and by now can no longer take it back."""
        (home,) = await select_homes(self.pool, [home_id])
        async with self.pool.acquire() as connection:
            await record_feedback(
                connection,
                home_id,
                kind,
                care_form=care_form,
                revision=home.revision,
                network=network,
            )
        await let_pass(self.pool, SETTLES_AFTER)

    async def outcomes(self) -> list[str | None]:
        rows = await self.pool.fetch("SELECT outcome FROM call_feedback ORDER BY at")
        return [row["outcome"] for row in rows]


@pytest.fixture
async def town(pool: Pool, writer: Writer, tmp_path: Path) -> Asked:
    found = Asked(pool, writer, tmp_path / "box")
    await found.set_policy(ALWAYS)
    await found.add_home("a", silent_hours=2)
    await found.add_person("anna@a.example", "a")
    return found


async def test_the_staff_is_asked_once_and_the_listing_stays(town: Asked) -> None:
    before = await select_homes(town.pool, ["a"])
    await town.call()
    await town.call(network="192.0.2.2")
    assert await town.asker.ask_due() == 1
    assert await town.asker.ask_due() == 0
    assert town.recipients() == ["anna@a.example"]
    assert await town.outcomes() == ["asked", "asked"], "one mail for both"
    assert await select_homes(town.pool, ["a"]) == before


@pytest.mark.parametrize("kind", ["confirmed", "unsuitable"])
async def test_other_answers_are_counted_only(town: Asked, kind: Kind) -> None:
    await town.call(kind=kind)
    assert await town.asker.ask_due() == 0
    assert await town.outcomes() == [None]


async def test_nothing_is_asked_that_a_report_has_answered(town: Asked) -> None:
    await town.call()
    await town.report("a")
    assert await town.asker.ask_due() == 0
    assert await town.outcomes() == ["dropped"]


async def test_what_is_not_shown_as_free_is_not_asked_about(town: Asked) -> None:
    await town.call(care_form=CareForm.HOSPICE)
    assert await town.asker.ask_due() == 0
    await town.add_home("stale", silent_hours=80)
    await town.add_person("s@a.example", "stale")
    await town.call("stale")
    assert await town.asker.ask_due() == 0
    assert await town.outcomes() == ["dropped", "dropped"]


async def test_who_wants_no_reminders_is_not_asked(town: Asked) -> None:
    await town.add_home("b", silent_hours=2)
    await town.add_person("quiet@a.example", "b", wants=False)
    await town.call("b")
    assert await town.asker.ask_due() == 0
    assert await town.outcomes() == ["dropped"]


async def test_a_home_is_asked_at_most_every_six_hours_and_twice_a_day(town: Asked) -> None:
    asked = []
    for number in range(5):
        await town.call(network=f"192.0.2.{number}")
        asked.append(await town.asker.ask_due())
        await let_pass(town.pool, ASKED_EVERY / 2 + timedelta(minutes=1))
    assert asked == [1, 0, 1, 0, 0], "the fifth is more than twelve hours on, but the third mail"
    await let_pass(town.pool, timedelta(hours=12))
    assert await town.asker.ask_due() == 1, "a day later"
    assert len(town.mails()) == 3


async def test_mail_waits_for_the_hours_of_reminders(town: Asked) -> None:
    """Only on the weekday after tomorrow."""
    day = (datetime.now(UTC) + timedelta(days=2)).isoweekday()
    await town.set_policy(ReportingPolicy(from_minute=0, until_minute=1440, weekdays=(day,)))
    await town.call()
    assert await town.asker.ask_due() == 0
    assert await town.outcomes() == [None]
    until: datetime = await town.pool.fetchval("SELECT claimed_until FROM call_feedback")
    assert until > datetime.now(UTC) + timedelta(hours=12)
    await town.set_policy(ALWAYS)
    await town.pool.execute("UPDATE call_feedback SET claimed_until = now()")
    assert await town.asker.ask_due() == 1


async def test_what_is_two_days_old_is_not_asked_about(town: Asked) -> None:
    await town.call()
    await let_pass(town.pool, timedelta(hours=48))
    assert await town.asker.ask_due() == 0


async def test_many_processes_ask_once(town: Asked) -> None:
    for number in range(4):
        await town.call(network=f"192.0.2.{number}")
    sent = await asyncio.gather(*(town.asker.ask_due() for _ in range(6)))
    assert sum(sent) == 1
    assert len(town.mails()) == 1


class Refusing:
    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        raise PostRefused("The mail server did not take the message.")


async def test_a_mail_server_that_is_down_is_tried_again_later(town: Asked) -> None:
    await town.call()
    assert await town.asker_with(Refusing()).ask_due() == 0
    assert await town.asker.ask_due() == 0, "not at once"
    await let_pass(town.pool, LEASE)
    assert await town.asker.ask_due() == 1


async def test_after_a_process_was_killed_the_same_mail_goes_out(town: Asked) -> None:
    await town.call()
    assert await town.asker.ask_due() == 1
    # It died before it could write that down.
    await town.pool.execute("UPDATE call_feedback SET outcome = NULL, settled_at = NULL")
    await let_pass(town.pool, LEASE)
    assert await town.asker.ask_due() == 1
    assert len(town.mails()) == 1, "of the same name: written once"
