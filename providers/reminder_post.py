"""Hands the mails of a reminder over: to whom, in whose words, and what became of each."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from email.message import EmailMessage
from functools import partial
from typing import Protocol

import msgspec
import structlog

from providers.post import MailSender, PostRefused, SmsSender, make_mail
from providers.reminder_plan import Reminder
from providers.reminders import Step
from providers.staff import Membership
from vacancies.models import CareHome

log = structlog.get_logger()

SEND_SECONDS = 40.0
AT_ONCE = 10  # mail servers count connections


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail says."""

    subject: str
    text: str
    html: str | None = None
    headers: dict[str, str] = {}


class LetterWriter(Protocol):
    """Puts a reminder into the words of whom it goes to; each call makes links of its own."""

    def for_member(
        self, home: CareHome, member: Membership, step: Step, now: datetime
    ) -> Letter: ...

    def for_municipality(self, home: CareHome, now: datetime) -> Letter: ...

    def text_message(self, home: CareHome, member: Membership, now: datetime) -> str: ...


class Delivery(msgspec.Struct, kw_only=True):
    """What becomes of the mails of one step, as they go out: `told` are done with for good."""

    told: tuple[str, ...]
    sent: int = 0
    refused: int = 0  # for good
    failed: int = 0  # another try may help


def choose_recipients(step: Step, members: Sequence[Membership]) -> list[Membership]:
    """Of all who may report for a home, those whom `step` tells: its own staff; the admins of
    its provider where it has none or they want no reminders, and as the second step."""
    wanting = [member for member in members if member.wants_reminders]
    admins = [member for member in wanting if member.role == "provider_admin"]
    own = [member for member in wanting if member.role == "home_staff"]
    return {"staff": own or admins, "admins": admins, "municipality": []}[step]


class ReminderPost:
    """`sender` is the address in From. A mail that is handed over again, because the process
    that sent it died before it could say so, has the same name and Message-ID: a `FileSender`
    does not write it again, and most mailboxes show it once."""

    def __init__(
        self, mail: MailSender, sender: str, writer: LetterWriter, sms: SmsSender | None = None
    ) -> None:
        self._mail = mail
        self._sender = sender
        self._writer = writer
        self._sms = sms
        self._room = asyncio.Semaphore(AT_ONCE)

    async def deliver(
        self,
        reminder: Reminder,
        home: CareHome,
        members: Sequence[Membership],
        municipality_email: str | None,
        now: datetime,
        delivery: Delivery,
    ) -> None:
        """Tell all whom this step is for, but not those in `delivery.told`, and enter each there
        at once: whoever cancels this knows how far it came."""
        for member in choose_recipients(reminder.step, members):
            await self._mail_member(reminder, home, member, now, delivery)
            if reminder.step == "staff":
                await self._text_member(reminder, home, member, now, delivery)
        if reminder.step == "municipality" and municipality_email is not None:
            address = municipality_email

            async def send(name: str) -> None:
                write = partial(self._writer.for_municipality, home, now)
                await self._send(name, address, write)

            await self._hand_over(reminder, "mail:municipality", delivery, send)

    async def _mail_member(
        self,
        reminder: Reminder,
        home: CareHome,
        member: Membership,
        now: datetime,
        delivery: Delivery,
    ) -> None:
        async def send(name: str) -> None:
            write = partial(self._writer.for_member, home, member, reminder.step, now)
            await self._send(name, member.staff.email, write)

        await self._hand_over(reminder, f"mail:{member.staff.id}", delivery, send)

    async def _text_member(
        self,
        reminder: Reminder,
        home: CareHome,
        member: Membership,
        now: datetime,
        delivery: Delivery,
    ) -> None:
        sms, number = self._sms, member.staff.phone
        if sms is None or number is None:
            return

        async def send(name: str) -> None:
            await sms.send_text(number, self._writer.text_message(home, member, now), name=name)

        await self._hand_over(reminder, f"sms:{member.staff.id}", delivery, send)

    async def _hand_over(
        self,
        reminder: Reminder,
        key: str,
        delivery: Delivery,
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        if key in delivery.told:
            return
        try:
            async with self._room, asyncio.timeout(SEND_SECONDS):
                await send(mail_name(reminder, key))
        except (PostRefused, TimeoutError) as error:
            is_final = isinstance(error, PostRefused) and error.is_final
            log.warning(
                "a reminder could not be handed over",
                home=reminder.home_id,
                step=reminder.step,
                recipient=key,
                final=is_final,
                reason=error.detail if isinstance(error, PostRefused) else "it took too long",
            )
            if not is_final:
                delivery.failed += 1
                return
            delivery.refused += 1
        else:
            delivery.sent += 1
        delivery.told = (*delivery.told, key)

    async def _send(self, name: str, address: str, write: Callable[[], Letter]) -> None:
        # To write a mail takes milliseconds, and this loop serves viewers: in a thread.
        message = await asyncio.to_thread(lambda: self._message(name, address, write()))
        await self._mail.send(message, name=name)

    def _message(self, name: str, address: str, letter: Letter) -> EmailMessage:
        message = make_mail(
            self._sender,
            address,
            letter.subject,
            letter.text,
            html=letter.html,
            headers=letter.headers,
        )
        domain = self._sender.rpartition("@")[2].rstrip(">") or "localhost"
        # Short: a long one would be folded, which some mail servers cannot read.
        identity = hashlib.sha256(name.encode()).hexdigest()[:32]
        message.replace_header("Message-ID", f"<{identity}@{domain}>")
        return message


def mail_name(reminder: Reminder, key: str) -> str:
    """The same for the same mail, in whichever process and however often."""
    return f"reminder-{reminder.id}-{reminder.step}-{key.replace(':', '-')}"
