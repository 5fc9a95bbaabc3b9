"""Mail is handed to a real server, or written to a file."""

from __future__ import annotations

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.message import Message as AnyMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult

from providers.post import PostRefused, make_mail, open_mail_sender, sender_address
from vacancies.config import Settings


class Inbox(Message):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(EmailMessage)
        self.mails: list[AnyMessage] = []

    def handle_message(self, message: AnyMessage) -> None:
        self.mails.append(message)


def mail(settings: Settings) -> EmailMessage:
    return make_mail(sender_address(settings), "pat@example.org", "Grüße\nBcc: x@y.z", "Hallo ü")


async def test_a_server_gets_it() -> None:
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        settings = Settings(smtp_url=f"smtp://127.0.0.1:{port}?from=plaetze@kreis.example")
        await open_mail_sender(settings).send(mail(settings))
    finally:
        controller.stop()
    (message,) = inbox.mails
    assert message["From"] == "plaetze@kreis.example"
    assert message["Bcc"] is None
    # Nobody is there any more.
    with pytest.raises(PostRefused):
        await open_mail_sender(settings).send(mail(settings))


async def test_no_password_goes_over_an_open_line() -> None:
    """The server, or whoever stands in between, offers no STARTTLS."""
    seen: list[object] = []

    def authenticate(*told: object) -> AuthResult:
        seen.append(told)
        return AuthResult(success=True)

    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        authenticator=authenticate,
        auth_require_tls=False,
    )
    controller.start()
    try:
        settings = Settings(smtp_url=f"smtp://freiplatz:geheim@127.0.0.1:{port}")
        with pytest.raises(PostRefused):
            await open_mail_sender(settings).send(mail(settings))
    finally:
        controller.stop()
    assert seen == []
    assert inbox.mails == []


async def test_without_a_server_it_is_a_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, public_url="https://plaetze.example")
    await open_mail_sender(settings).send(mail(settings))
    (path,) = (tmp_path / "mail").iterdir()
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["From"] == "Freiplatz <freiplatz@plaetze.example>"
    assert message.get_content() == "Hallo ü\n"


def test_a_long_address_to_unsubscribe_stays_one_that_programs_find() -> None:
    address = f"<https://freiplatz.kreis-musterstadt.example.org/alerts/{'A' * 40}/stop>"
    message = make_mail(
        "f@example.org", "a@example.org", "Ä" * 90, "x", headers={"List-Unsubscribe": address}
    )
    for sent in (message.as_bytes(), message.as_bytes(policy=policy.SMTP)):
        assert f"\nList-Unsubscribe: {address}".encode() in sent
        assert message_from_bytes(sent, policy=policy.default)["Subject"] == "Ä" * 90
