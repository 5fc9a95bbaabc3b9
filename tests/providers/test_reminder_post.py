"""Handing over: a mail server that refuses, is busy or is away, and SMS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from email import message_from_bytes
from email import policy as mail_policy
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from providers.post import SmtpSender
from providers.reminder_plan import select_reminders
from providers.reminders import MOST_FAILURES
from tests.providers.reminder_town import Town


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
