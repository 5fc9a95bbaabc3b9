"""Notes to owners: once each, to the right people, tried again until they are sent."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest

from providers.post import PostRefused
from providers.staff import ensure_membership, ensure_staff
from tests.web.webhooks.conftest import Bench, Inbox, status
from vacancies.provider import select_provider
from web.webhooks.notes import Notes


class Postbox:
    """A mail sender that is away at first, and cannot put anything into the mailbox `full`."""

    def __init__(self, refusals: int = 0, full: str = "", *, is_final: bool = False) -> None:
        self.refusals = refusals
        self.full = full
        self.is_final = is_final
        self.sent: list[EmailMessage] = []

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        if message["To"] == self.full:
            raise PostRefused("The mailbox is full.", is_final=self.is_final)
        if self.refusals:
            self.refusals -= 1
            raise PostRefused("The mail server is away.")
        self.sent.append(message)


async def stopped(bench: Bench, inbox: Inbox, **more: str) -> str:
    """A webhook of Nord whose receiver is gone."""
    inbox.behave = status(410)
    await bench.home("a")
    webhook = await bench.webhook(inbox.url, provider="Nord", **more)
    await bench.follower.catch_up()
    for claim in await bench.deliverer._claim(1):
        await bench.deliverer._turn(claim)
    return webhook.id


async def test_the_admins_of_the_provider_are_written_to(bench: Bench, inbox: Inbox) -> None:
    pool = bench.deployment.pool
    webhook_id = await stopped(bench, inbox)
    owner = await select_provider(pool, "Nord")
    assert owner is not None
    for email, home, language in (
        ("chief@example.org", None, "en"),
        ("carer@example.org", "a", "en"),
    ):
        person = await ensure_staff(pool, email, language=language)
        await ensure_membership(pool, person.id, owner.id, home)
    post = Postbox(refusals=1)
    notes, other = Notes(pool, post, "fp@example.org"), Notes(pool, post, "fp@example.org")
    post.refusals = 0
    await notes.send_due(bench.now + timedelta(minutes=9))
    assert post.sent == []  # whoever resumes it by now gets none
    post.refusals = 1
    await notes.send_due(bench.now + timedelta(minutes=10))
    await other.send_due(bench.now + timedelta(minutes=10))
    assert post.sent == []  # refused; it is tried again in ten minutes
    later = bench.now + timedelta(minutes=21)
    await notes.send_due(later)
    await other.send_due(later)
    await notes.send_due(later + timedelta(days=1))
    (message,) = post.sent
    assert message["To"] == "chief@example.org"
    assert message["Subject"] == "Freiplatz: your webhook is stopped"
    assert f"/api/v1/webhooks/{webhook_id}/resume" in message.get_content()
    assert "127.0.0.1 says that it takes no more messages" in message.get_content()


async def test_who_has_no_mail_address_gets_no_note(bench: Bench, inbox: Inbox) -> None:
    await stopped(bench, inbox)
    post = Postbox()
    later = bench.now + timedelta(minutes=10)
    await Notes(bench.deployment.pool, post, "fp@example.org").send_due(later)
    assert post.sent == []
    assert not await bench.deployment.pool.fetchval(
        "SELECT count(*) FROM webhook WHERE note_at IS NOT NULL"
    )


async def test_a_mailbox_that_is_full_brings_no_second_note_to_the_others(
    bench: Bench, inbox: Inbox
) -> None:
    pool = bench.deployment.pool
    await stopped(bench, inbox)
    owner = await select_provider(pool, "Nord")
    assert owner is not None
    for email in ("full@example.org", "chief@example.org"):
        await ensure_membership(pool, (await ensure_staff(pool, email)).id, owner.id, None)
    post = Postbox(full="full@example.org")
    notes = Notes(pool, post, "fp@example.org")
    for hours in range(1, 4):
        await notes.send_due(bench.now + timedelta(hours=hours))
    assert [message["To"] for message in post.sent] == ["chief@example.org"]


@pytest.mark.parametrize(
    ("contact", "is_final", "is_tried_again"),
    [
        ("full@example.org", False, True),
        ("full@example.org", True, False),
        ("no mail\naddress", False, False),
    ],
)
async def test_what_nobody_takes_is_tried_for_a_day_unless_that_is_in_vain(
    bench: Bench, inbox: Inbox, contact: str, is_final: bool, is_tried_again: bool
) -> None:
    pool = bench.deployment.pool
    await stopped(bench, inbox, contact=contact)
    post = Postbox(full="full@example.org", is_final=is_final)
    notes = Notes(pool, post, "fp@example.org")
    waiting = "SELECT note_at IS NOT NULL FROM webhook"
    await notes.send_due(bench.now + timedelta(hours=23))
    assert await pool.fetchval(waiting) == is_tried_again
    await notes.send_due(bench.now + timedelta(hours=25))
    assert not await pool.fetchval(waiting)


async def test_who_cannot_resume_by_a_key_is_told_whom_to_ask(bench: Bench, inbox: Inbox) -> None:
    inbox.behave = status(410)
    await bench.home("a")
    webhook = await bench.webhook(inbox.url, search="include_full=true", contact="it@example.org")
    await bench.deliver()
    post = Postbox()
    notes = Notes(bench.deployment.pool, post, "fp@example.org")
    await notes.send_due(bench.now + timedelta(minutes=10))
    (message,) = post.sent
    text = message.get_content()
    assert webhook.id in text
    assert "/api/" not in text
