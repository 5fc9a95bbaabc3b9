"""Post that leaves the house: mail and SMS, each through a small sender.

Without FREIPLATZ_SMTP_URL mail is written as `.eml` files into the data folder, and the log
names each file. SMS have no provider of their own yet: whoever runs one implements `SmsSender`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email import policy
from email.headerregistry import HeaderRegistry, UnstructuredHeader
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
    """The post could not be handed over. `is_final`: another try would fail too."""

    code = "post_refused"

    def __init__(self, detail: str, *, is_final: bool = False) -> None:
        super().__init__(detail)
        self.is_final = is_final


class MailSender(Protocol):
    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        """Hand `message` over; raises `PostRefused`. What has the same `name` is the same: a
        sender that can does not send it twice."""


class SmsSender(Protocol):
    async def send_text(self, number: str, text: str, *, name: str | None = None) -> None:
        """Send `text` to an international `number`; raises `PostRefused`. `name` as for mail."""


class _WholeHeader(UnstructuredHeader):
    """An address of the web in a header. Where it is longer than a line, Python would encode it,
    and programs that look for an address (RFC 2369) find none; a line may have 998 characters."""

    def fold(self, *, policy: policy.Policy[EmailMessage]) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _WholeHeader)  # type: ignore[arg-type]
_POLICY = policy.default.clone(header_factory=_HEADERS)


def make_mail(
    sender: str,
    recipient: str,
    subject: str,
    text: str,
    *,
    html: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> EmailMessage:
    """A message that mail programs do not answer by themselves."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">") or None)
    message["Auto-Submitted"] = "auto-generated"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


class FileSender:
    """Writes what would be sent into `folder`; of what has the same name only the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        path = await asyncio.to_thread(lambda: self._write(name, ".eml", message.as_bytes()))
        log.info("mail was written to a file", path=str(path))

    async def send_text(self, number: str, text: str, *, name: str | None = None) -> None:
        content = f"{number}\n\n{text}\n".encode()
        path = await asyncio.to_thread(self._write, name, ".txt", content)
        log.info("an SMS was written to a file", path=str(path))

    def _write(self, name: str | None, ending: str, content: bytes) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        once = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}"
        path = self._folder / f"{name or once}{ending}"
        unfinished = self._folder / f".{once}.part"
        unfinished.write_bytes(content)
        # A link, unlike renaming, leaves alone what another process has written meanwhile.
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
        unfinished.unlink()
        return path


class SmtpSender:
    """Sends through the server of an smtp:// or smtps:// address: by STARTTLS where it is offered,
    and with a password by nothing less, since whoever is in between could take the offer away."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "localhost"
        self._port = parts.port
        self._is_tls = parts.scheme == "smtps"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def try_out(self, seconds: float) -> None:
        """Sign in, and send nothing. Raises what aiosmtplib does."""
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._is_tls,
            username=self._user,
            password=self._password,
            timeout=seconds,
        )
        async with client:
            await client.noop()

    async def send(self, message: EmailMessage, *, name: str | None = None) -> None:
        """SMTP knows no names: what tells the same message is its Message-ID."""
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                use_tls=self._is_tls,
                start_tls=True if self._password is not None and not self._is_tls else None,
                username=self._user,
                password=self._password,
                timeout=SEND_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            final = all(500 <= refused.code < 600 for refused in error.recipients)
            raise PostRefused("The mail server refused the address.", is_final=final) from error
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
