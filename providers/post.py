"""Mail that leaves the house.

Without FREIPLATZ_SMTP_URL it is written as `.eml` files into the data folder, and the log names
each file.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib
import structlog

from vacancies.config import Settings
from vacancies.errors import FreiplatzError

log = structlog.get_logger()

SEND_SECONDS = 30.0


class PostRefused(FreiplatzError):
    """The mail server did not take the message."""

    code = "post_refused"


class MailSender(Protocol):
    async def send(self, message: EmailMessage) -> None:
        """Hand `message` over; raises `PostRefused`."""


def make_mail(
    sender: str,
    recipient: str,
    subject: str,
    text: str,
) -> EmailMessage:
    """A message that mail programs do not answer by themselves."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">") or None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


class FileSender:
    """Writes what would be sent into `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        path = await asyncio.to_thread(self._write, message.as_bytes())
        log.info("mail was written to a file", path=str(path))

    def _write(self, content: bytes) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}.eml"
        path = self._folder / name
        unfinished = path.with_name(f".{name}")
        unfinished.write_bytes(content)
        unfinished.rename(path)
        return path


class SmtpSender:
    """Sends through the server of an smtp:// (STARTTLS where it is offered) or smtps:// address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._port = parts.port
        self._is_tls = parts.scheme == "smtps"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def send(self, message: EmailMessage) -> None:
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                use_tls=self._is_tls,
                username=self._user,
                password=self._password,
                timeout=SEND_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise PostRefused(
                f"The mail server did not take the message ({type(error).__name__})."
            ) from error


def open_mail_sender(settings: Settings) -> MailSender:
    if settings.smtp_url is None:
        return FileSender(settings.data_dir / "mail")
    return SmtpSender(settings.smtp_url)


def sender_address(settings: Settings) -> str:
    """The address in `From`: `?from=` of the SMTP address, else one at the public host."""
    query = dict(parse_qsl(urlsplit(settings.smtp_url or "").query))
    host = urlsplit(settings.public_url or "").hostname or "localhost"
    return query.get("from") or f"Freiplatz <freiplatz@{host}>"
