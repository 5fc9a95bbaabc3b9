"""Notes to the owner of a webhook that was stopped: by mail, once at least one has it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog

from providers.post import MailSender, PostRefused, make_mail
from vacancies.database import Connection, Pool, borrowed
from web.language import DEFAULT, Language, choose
from web.webhooks.endpoints import Language as Speech
from web.webhooks.endpoints import Reason

log = structlog.get_logger()

# How long a note that was begun keeps others from sending it too; then it is tried again.
AGAIN_AFTER = timedelta(minutes=10)
AT_ONCE = 10
GIVE_UP_AFTER = timedelta(days=1)


class DueNote(msgspec.Struct, frozen=True, kw_only=True):
    webhook_id: str
    provider_id: int | None
    contact: str | None
    host: str
    reason: Reason
    speaks: Speech
    stopped_at: datetime


async def claim_notes(connection: Connection, now: datetime) -> list[DueNote]:
    rows = await connection.fetch(
        "UPDATE webhook w SET note_at = $1 FROM ("
        "SELECT id FROM webhook WHERE note_at <= $2 LIMIT $3 FOR UPDATE SKIP LOCKED) due"
        " WHERE w.id = due.id RETURNING w.id, w.provider_id, w.contact, w.address, w.reason,"
        " w.speaks, w.updated_at",
        now + AGAIN_AFTER,
        now,
        AT_ONCE,
    )
    return [
        DueNote(
            webhook_id=row["id"],
            provider_id=row["provider_id"],
            contact=row["contact"],
            host=urlsplit(row["address"]).hostname or "",  # the rest may hold a secret
            reason=row["reason"],
            speaks=row["speaks"],
            stopped_at=row["updated_at"],
        )
        for row in rows
    ]


async def select_recipients(connection: Connection, note: DueNote) -> list[tuple[str, str]]:
    """(mail address, language) of whom to write to."""
    if note.contact is not None:
        return [(note.contact, DEFAULT)]
    rows = await connection.fetch(
        "SELECT s.email, s.language FROM membership m JOIN staff s ON s.id = m.staff_id"
        " WHERE m.provider_id = $1 AND m.home_id IS NULL ORDER BY s.id",
        note.provider_id,
    )
    return [(row["email"], row["language"]) for row in rows]


async def delete_note(connection: Connection, webhook_id: str, claimed_until: datetime) -> None:
    """It is sent. If the webhook was stopped anew in the meantime that is another note."""
    await connection.execute(
        "UPDATE webhook SET note_at = NULL WHERE id = $1 AND note_at = $2",
        webhook_id,
        claimed_until,
    )


class Notes:
    """Writes to owners, from `sender_address`."""

    def __init__(self, pool: Pool, sender: MailSender, sender_address: str) -> None:
        self._pool = pool
        self._sender = sender
        self._sender_address = sender_address

    async def send_due(self, now: datetime) -> None:
        """Send what nobody else sends just now. What nobody can be reached with is tried again
        for a day; who has no mail address finds the state in the list of webhooks."""
        async with borrowed(self._pool) as connection:
            due = await claim_notes(connection, now)
        for note in due:
            async with borrowed(self._pool) as connection:
                recipients = await select_recipients(connection, note)
            is_over = now - note.stopped_at >= GIVE_UP_AFTER
            if await self._send(note, recipients) or is_over:
                async with borrowed(self._pool) as connection:
                    await delete_note(connection, note.webhook_id, now + AGAIN_AFTER)

    async def _send(self, note: DueNote, recipients: list[tuple[str, str]]) -> bool:
        """Whether it is done: somebody has it, or nobody ever will. One admin whose mailbox is
        full must not make us write to the others again and again."""
        is_sent = is_delayed = False
        for address, code in recipients:
            language = choose(code)
            subject, text = _texts(note, language)
            try:
                await self._sender.send(make_mail(self._sender_address, address, subject, text))
                is_sent = True
            except (PostRefused, ValueError) as error:  # ValueError: no mail can be sent there
                log.warning("a note about a webhook was not sent", webhook=note.webhook_id)
                is_delayed |= isinstance(error, PostRefused) and not error.is_final
        return is_sent or not is_delayed


def _texts(note: DueNote, language: Language) -> tuple[str, str]:
    """Subject and text."""
    _ = language.gettext
    values: dict[str, Any] = {"host": note.host, "id": note.webhook_id}
    why = (
        _("%(host)s says that it takes no more messages (410).", **values)
        if note.reason == "gone"
        else _("%(host)s has not accepted any message for three days.", **values)
    )
    lines = [
        why,
        _("So Freiplatz sends nothing there for now. Nothing is lost."),
        _("When you resume, the newest state of each changed home is sent."),
        _("To resume, sign in and open: Report to another Freiplatz too")
        if note.speaks == "freiplatz"
        else _("To resume, call: POST /api/v1/webhooks/%(id)s/resume", **values)
        if note.provider_id is not None
        else _("To resume, write to those who run Freiplatz, with this id: %(id)s", **values),
    ]
    return _("Freiplatz: your webhook is stopped"), "\n\n".join(lines) + "\n"
