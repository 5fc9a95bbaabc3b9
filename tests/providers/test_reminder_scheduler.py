"""Planning and sending over Postgres: each reminder once, whoever dies, stops or reports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email import policy as mail_policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from providers.post import FileSender, MailSender, SmtpSender
from providers.reminder_plan import claim_due, plan_batch, record_settled, select_reminders
from providers.reminder_policy import Policies, ReminderPolicy, record_policy
from providers.reminder_post import ReminderPost
from providers.reminder_scheduler import CLAIM_ROWS, LEASE, Round, Scheduler
from providers.reminders import MOST_FAILURES
from providers.staff import ensure_membership, ensure_staff
from tests.waiting import until
from vacancies.commands import Confirm, Describe, Report, Undo
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.models import CareForm, HomeStatus, Point, Profile, Vacancy
from vacancies.provider import ensure_provider
from vacancies.writer import Writer
from web.reminder_mail import MailWriter

ALWAYS = ReminderPolicy(from_minute=0, until_minute=1440, weekdays=(1, 2, 3, 4, 5, 6, 7))
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

    async def set_policy(self, policy: ReminderPolicy = ALWAYS, prefix: str = "") -> None:
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


@pytest.fixture
async def town(pool: Pool, writer: Writer, tmp_path: Path) -> Town:
    found = Town(pool, writer, tmp_path / "mail")
    await found.set_policy()
    return found


async def test_a_silent_home_is_reminded_once(town: Town) -> None:
    await town.add_home("a")
    await town.add_home("fresh", silent_hours=1)
    await town.add_home("nobody")
    await town.add_person("anna@a.example", "a")
    await town.add_person("fred@fresh.example", "fresh")
    done = await town.scheduler.run_round()
    assert (done.planned, done.sent, done.failed) == (1, 1, 0)
    assert town.recipients() == ["anna@a.example"]
    assert "https://town.example/report/link/" in town.mails()[0].as_string()
    done = await town.scheduler.run_round()
    assert (done.planned, done.sent) == (0, 0)


async def test_it_is_planned_for_later_in_good_time(town: Town) -> None:
    """Half a day after the report: planned, but not due."""
    await town.add_home("a", silent_hours=12.1)
    await town.add_person("anna@a.example", "a")
    await town.set_policy(ReminderPolicy(every_hours=24 * 7), prefix="09")
    done = await town.scheduler.run_round()
    (planned,) = await select_reminders(town.pool)
    assert done.planned == 1
    said_at = planned.since
    assert said_at + timedelta(hours=12) <= planned.due_at <= said_at + timedelta(hours=24)


async def test_a_home_that_never_reported_is_reminded_from_its_first_person_on(
    town: Town,
) -> None:
    await town.add_home("a", silent_hours=None)
    await town.add_person("anna@a.example", "a")
    assert (await town.scheduler.run_round()).planned == 1
    assert town.recipients() == []
    await town.let_pass(25)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example"]
    await town.report("a")
    await town.scheduler.run_round()
    assert await town.steps() == [("a", "admins", "reported")]


async def test_who_gets_it(town: Town) -> None:
    """Own staff that wants it; where there is none, the admins of the provider."""
    await town.add_home("staffed")
    await town.add_home("bare")
    await town.add_person("anna@a.example", "staffed")
    await town.add_person("otto@a.example", "staffed", wants=False)
    await town.add_person("boss@caritas.example", None)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example", "boss@caritas.example"]


async def test_it_stops_when_reported(town: Town) -> None:
    for home_id in ("reports", "confirms", "closes"):
        await town.add_home(home_id, silent_hours=13)
        await town.add_person(f"{home_id}@a.example", home_id)
    assert (await town.scheduler.run_round()).planned == 3
    await town.report("reports")
    await town.submit(Confirm(home_id="confirms"))
    await town.submit(
        Describe(
            home_id="closes",
            provider_id=await town.provider_id(),
            provider="caritas",
            profile=Profile(name="x", point=Point(51, 8), status=HomeStatus.CLOSED),
        )
    )
    await town.pool.execute("UPDATE reminder SET due_at = now()")
    assert (await town.scheduler.run_round()).sent == 0
    assert [(home, outcome) for home, _, outcome in await town.steps()] == [
        ("closes", "closed"),
        ("confirms", "reported"),
        ("reports", "reported"),
    ]


class Meanwhile:
    """While the first mail goes out, something else happens."""

    def __init__(self, sender: MailSender, happens: Callable[[], Awaitable[None]]) -> None:
        self._sender = sender
        self._happens: Callable[[], Awaitable[None]] | None = happens

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens()
        await self._sender.send(message, name=name)


async def test_a_report_in_the_middle_of_a_round_is_seen(town: Town) -> None:
    """The home is due, but its turn comes later."""
    for number in range(CLAIM_ROWS):
        await town.add_home(f"h{number}")
        await town.add_person(f"p{number}@a.example", f"h{number}")
    await town.add_home("later", silent_hours=29)
    await town.add_person("later@a.example", "later")
    meanwhile = Meanwhile(FileSender(town.folder), lambda: town.submit(Confirm(home_id="later")))
    done = await town.scheduler_with(meanwhile).run_round()
    assert (done.planned, done.sent) == (CLAIM_ROWS + 1, CLAIM_ROWS)
    assert "later@a.example" not in town.recipients()
    assert ("later", "staff", "reported") in await town.steps()


async def test_an_undone_report_lets_it_go_on(town: Town) -> None:
    await town.add_home("a")
    await town.add_person("anna@a.example", "a")
    await town.scheduler.run_round()
    said_at = await town.pool.fetchval("SELECT observed_at FROM home_state")
    await town.report("a")
    await town.scheduler.run_round()
    assert await town.steps() == [("a", "admins", "reported")]
    await town.submit(Undo(home_id="a", vacancies=(), said_at=said_at))
    await town.scheduler.run_round()
    assert await town.steps() == [("a", "admins", None)]
    assert town.recipients() == ["anna@a.example"], "once, also in an episode that went on"


async def test_escalation_to_admins_and_municipality(town: Town) -> None:
    told = {"admins_after_hours": 24, "municipality_after_hours": 48}
    await town.set_policy(
        ReminderPolicy(
            from_minute=0,
            until_minute=1440,
            weekdays=ALWAYS.weekdays,
            municipality_email="pflege@stadt.example",
            **told,
        ),
        prefix="0575",
    )
    await town.add_home("a", municipality="05754008")
    await town.add_person("anna@a.example", "a")
    await town.add_person("boss@caritas.example", None)
    await town.add_person("quiet@caritas.example", None, wants=False)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example"]
    await town.let_pass(23)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example"]
    await town.let_pass(1.1)
    await town.scheduler.run_round()
    assert town.recipients() == ["anna@a.example", "boss@caritas.example"]
    await town.let_pass(24.1)
    await town.scheduler.run_round()
    assert await town.steps() == [("a", "municipality", "unanswered")]
    assert town.recipients() == [
        "anna@a.example",
        "boss@caritas.example",
        "pflege@stadt.example",
    ]
    letter = next(mail for mail in town.mails() if mail["To"] == "pflege@stadt.example")
    assert "https://town.example/homes/a" in letter.get_content()
    assert "/report/link/" not in letter.get_content()
    await town.scheduler.run_round()
    assert len(town.mails()) == 3, "then there is nobody left, until it reports"


async def test_not_at_night_also_if_it_was_planned_otherwise(town: Town) -> None:
    """The scheduler stood still until the time of day was over."""
    await town.add_home("a", silent_hours=13)
    await town.add_person("anna@a.example", "a")
    await town.scheduler.run_round()
    other_days = tuple(set(ALWAYS.weekdays) - _today())
    # Reminders that are begun keep their row, whatever the policy.
    await town.pool.execute("UPDATE reminder SET due_at = now(), failures = 1")
    policy = ReminderPolicy(weekdays=other_days)
    await town.set_policy(policy)
    await town.scheduler.run_round()
    assert town.mails() == []
    (left,) = await select_reminders(town.pool)
    assert policy.permits(left.due_at)
    assert left.due_at > datetime.now(UTC)


def _today() -> set[int]:
    """Also if midnight in the region, which is ahead of UTC, passes while the test runs."""
    now = datetime.now(UTC)
    return {now.isoweekday(), (now + timedelta(hours=3)).isoweekday()}


async def test_a_new_policy_plans_anew_what_was_not_begun(town: Town) -> None:
    await town.add_home("a", silent_hours=13, municipality="05754008")
    await town.add_person("anna@a.example", "a")
    await town.scheduler.run_round()
    (before,) = await select_reminders(town.pool)
    await town.set_policy(ReminderPolicy(every_hours=24 * 7), prefix="05")
    await town.scheduler.run_round()
    (after,) = await select_reminders(town.pool)
    assert after.due_at >= before.due_at + timedelta(days=2)


async def test_two_schedulers_send_each_once(town: Town) -> None:
    """The second runs while the first has its first rows in hand."""
    for number in range(3 * CLAIM_ROWS):
        await town.add_home(f"h{number}")
        await town.add_person(f"p{number}@a.example", f"h{number}")
    rounds: list[Round] = []

    async def run_other() -> None:
        rounds.append(await town.scheduler_with(FileSender(town.folder)).run_round())

    first = town.scheduler_with(Meanwhile(FileSender(town.folder), run_other))
    rounds.append(await first.run_round())
    assert [done.planned for done in rounds] == [0, 3 * CLAIM_ROWS]
    assert [done.sent for done in rounds] == [2 * CLAIM_ROWS, CLAIM_ROWS]
    assert town.recipients() == sorted(f"p{number}@a.example" for number in range(3 * CLAIM_ROWS))


async def test_two_schedulers_at_once_plan_and_send_each_once(town: Town) -> None:
    for number in range(3 * CLAIM_ROWS):
        await town.add_home(f"h{number}")
        await town.add_person(f"p{number}@a.example", f"h{number}")
    other = town.scheduler_with(FileSender(town.folder))
    rounds = await asyncio.gather(town.scheduler.run_round(), other.run_round())
    assert sum(done.planned for done in rounds) == 3 * CLAIM_ROWS
    assert sum(done.sent for done in rounds) == 3 * CLAIM_ROWS
    assert town.recipients() == sorted(f"p{number}@a.example" for number in range(3 * CLAIM_ROWS))


class DiesMidway:
    """Hands over some, then the process is gone without a word."""

    def __init__(self, sender: MailSender, mails: int) -> None:
        self._sender = sender
        self._left = mails

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        if self._left == 0:
            await asyncio.Event().wait()
        self._left -= 1
        await self._sender.send(message, name=name)


async def test_what_a_dead_scheduler_has_written_is_not_written_again(town: Town) -> None:
    for number in range(30):
        await town.add_home(f"h{number}")
        await town.add_person(f"p{number}@a.example", f"h{number}")
    dying = town.scheduler_with(DiesMidway(FileSender(town.folder), 7))
    task = asyncio.create_task(dying.run_round())
    await until(lambda: len(list(town.folder.glob("*.eml"))) == 7)
    task.cancel()
    await asyncio.wait([task])
    written = {path.name: path.stat().st_ino for path in town.folder.glob("*.eml")}
    await town.scheduler.run_round()
    assert len(town.mails()) < 30, "its claims hold for a while"
    await town.pool.execute("UPDATE reminder SET claimed_until = now()")
    await town.scheduler.run_until_done()
    assert town.recipients() == sorted(f"p{number}@a.example" for number in range(30))
    inodes = {path.name: path.stat().st_ino for path in town.folder.glob("*.eml")}
    assert written.items() <= inodes.items(), "the first ones are still the same files"
    assert not list(town.folder.glob(".*"))


async def test_who_has_lost_a_claim_cannot_settle_it(town: Town) -> None:
    await town.add_home("a")
    await town.add_person("anna@a.example", "a")
    async with town.pool.acquire() as connection:
        assert await plan_batch(connection, Policies({"": ALWAYS}), 10) == 1
        slow, quick = uuid4(), uuid4()
        held = await claim_due(connection, slow, 10, LEASE)
        assert await claim_due(connection, quick, 10, LEASE) == []
        await connection.execute("UPDATE reminder SET claimed_until = now() - interval '1 s'")
        taken = await claim_due(connection, quick, 10, LEASE)
        assert [row.id for row in taken] == [row.id for row in held]
        assert await record_settled(connection, slow, held) == 0
        assert await record_settled(connection, quick, taken) == 1


class Mailbox:
    """A real SMTP server; `temporary` and `refused` addresses are answered so."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.temporary: set[str] = set()
        self.refused: set[str] = set()

    async def handle_RCPT(  # noqa: N802 (the name is aiosmtpd's)
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: Sequence[str],
    ) -> str:
        if address in self.temporary:
            return "451 come again"
        if address in self.refused:
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=mail_policy.default)
        self.mails.append((envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, SmtpSender]]:
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield box, SmtpSender(f"smtp://127.0.0.1:{port}")
    server.close()
    await server.wait_closed()


async def test_over_smtp_what_failed_is_tried_again_and_nothing_else(
    town: Town, mailbox: tuple[Mailbox, SmtpSender]
) -> None:
    box, sender = mailbox
    scheduler = town.scheduler_with(sender)
    await town.add_home("a")
    for email in ("anna@a.example", "busy@a.example", "gone@a.example"):
        await town.add_person(email, "a")
    box.temporary, box.refused = {"busy@a.example"}, {"gone@a.example"}
    done = await scheduler.run_round()
    assert (done.sent, done.failed) == (1, 2)
    (left,) = await select_reminders(town.pool)
    assert (left.step, left.failures) == ("staff", 1)
    box.temporary.clear()
    await scheduler.run_round()
    assert len(box.mails) == 1, "not before some time has passed"
    await town.let_pass(1)
    done = await scheduler.run_round()
    assert (done.sent, done.failed) == (1, 0)
    assert [to for to, _ in box.mails] == [["anna@a.example"], ["busy@a.example"]]
    identities = {str(mail["Message-ID"]) for _, mail in box.mails}
    assert len(identities) == 2
    (left,) = await select_reminders(town.pool)
    assert left.step == "admins"


async def test_while_the_mail_server_is_away_a_round_ends_and_all_waits(
    town: Town, mailbox: tuple[Mailbox, SmtpSender]
) -> None:
    for number in range(50):
        await town.add_home(f"h{number}")
        await town.add_person(f"p{number}@a.example", f"h{number}")
    scheduler = town.scheduler_with(SmtpSender("smtp://127.0.0.1:1"))
    done = await scheduler.run_until_done()
    assert done.is_stuck
    assert done.sent == 0
    assert 0 < done.failed < 50, "it did not try them all"
    await town.let_pass(1)
    box, sender = mailbox
    done = await town.scheduler_with(sender).run_until_done()
    assert (done.sent, done.failed, done.is_stuck) == (50, 0, False)
    assert len(box.mails) == 50


async def test_an_address_that_is_none_does_not_hold_up_the_others(town: Town) -> None:
    for home_id, email in (("a", "anna\n@a.example"), ("b", "bert@b.example")):
        await town.add_home(home_id)
        await town.add_person(email, home_id)
    await town.add_person("boss@caritas.example", None)
    for _ in range(MOST_FAILURES):
        await town.scheduler.run_round()
        await town.pool.execute("UPDATE reminder SET due_at = now() WHERE step = 'staff'")
    assert town.recipients() == ["bert@b.example"]
    # In the end it is given up, and the admins hear of it.
    assert await town.steps() == [("a", "admins", None), ("b", "admins", None)]


async def test_an_sms_goes_to_who_has_a_number(town: Town) -> None:
    await town.add_home("a")
    await town.add_person("anna@a.example", "a", phone="+4915112345678")
    await town.add_person("otto@a.example", "a")
    assert (await town.scheduler.run_round()).sent == 3
    (text,) = [path.read_text() for path in town.folder.glob("*.txt")]
    number, said = text.strip().split("\n\n")
    assert number == "+4915112345678"
    assert said.count("https://town.example/report/link/") == 1


async def test_what_is_long_past_is_forgotten_and_begins_anew(town: Town) -> None:
    await town.add_home("a")
    await town.add_person("anna@a.example", "a")
    await town.scheduler.run_round()
    await town.pool.execute(
        "UPDATE reminder SET outcome = 'unanswered', closed_at = now() - interval '29 days'"
    )
    assert (await town.scheduler.run_round()).planned == 0
    await town.pool.execute("UPDATE reminder SET closed_at = now() - interval '31 days'")
    done = await town.scheduler.run_round()
    assert (done.planned, done.sent) == (1, 1)
