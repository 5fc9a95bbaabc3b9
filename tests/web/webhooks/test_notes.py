"""Notes to owners: once each, to the right people, tried again until they are sent."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

from providers.post import PostRefused
from providers.staff import ensure_membership, ensure_staff
from tests.web.webhooks.conftest import Bench, Inbox, status
from vacancies.provider import select_provider
from web.webhooks.notes import Notes


class Postbox:
    """A mail sender that is away at first."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.sent: list[EmailMessage] = []

    async def send(self, message: EmailMessage) -> None:
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
    await notes.send_due(bench.now)
    await other.send_due(bench.now)
    assert post.sent == []  # refused; it is tried again in ten minutes
    later = bench.now + timedelta(minutes=11)
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
    await Notes(bench.deployment.pool, post, "fp@example.org").send_due(bench.now)
    assert post.sent == []
    assert not await bench.deployment.pool.fetchval(
        "SELECT count(*) FROM webhook WHERE note_at IS NOT NULL"
    )
