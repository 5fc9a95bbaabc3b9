"""Asks a home by mail whether a place is still free, after a caller said that it is not.

Every web process works on it. A question is claimed, its mails are handed over, and it is settled;
if a process dies in between, another does it again with mails of the same names.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

import structlog

from providers.call_feedback import (
    Feedback,
    claim_questions,
    delete_old_feedback,
    has_reported_since,
    postpone,
    record_outcome,
)
from providers.post import MailSender, PostRefused, make_mail
from providers.reminder_post import SEND_SECONDS, Letter, choose_recipients
from providers.reporting_policy import select_policies
from providers.staff import Membership, select_members_of
from vacancies.database import Pool, borrowed, is_connection_error
from vacancies.homes import select_homes
from vacancies.listings import public_listing
from vacancies.models import CareForm, CareHome

log = structlog.get_logger()

ROUND_SECONDS = 30.0
# Longer than the mails of one round take; after a failure, the wait for the next try.
LEASE = timedelta(minutes=10)


class QuestionWriter(Protocol):
    """Puts the question into the words of whom it goes to."""

    def for_member(
        self, home: CareHome, member: Membership, care_form: CareForm | None, now: datetime
    ) -> Letter: ...


class Asker:
    """`sender` is the address in From."""

    def __init__(self, pool: Pool, mail: MailSender, sender: str, writer: QuestionWriter) -> None:
        self._pool = pool
        self._mail = mail
        self._sender = sender
        self._writer = writer

    async def ask_due(self) -> int:
        """Ask all homes that are to be asked; returns how many mails were handed over."""
        async with borrowed(self._pool) as connection:
            await delete_old_feedback(connection)
            due = await claim_questions(connection, LEASE)
        sent = 0
        in_order = sorted(due, key=lambda feedback: feedback.home_id)
        for home_id, questions in groupby(in_order, key=lambda feedback: feedback.home_id):
            sent += await self._ask(home_id, list(questions))
        return sent

    async def _ask(self, home_id: str, questions: Sequence[Feedback]) -> int:
        """One mail to each who may answer for the home, whatever the number of `questions`."""
        ids = [question.id for question in questions]
        async with borrowed(self._pool) as connection:
            now: datetime = await connection.fetchval("SELECT now()")
            (home,) = await select_homes(connection, [home_id])
            newest = max(questions, key=lambda question: question.revision)
            members = choose_recipients(
                "staff", (await select_members_of(connection, [home_id]))[home_id]
            )
            is_answered = await has_reported_since(connection, home_id, newest.revision)
            if is_answered or not members or not is_offered(home, newest.care_form):
                await record_outcome(connection, ids, "dropped")
                return 0
            policy = (await select_policies(connection)).of(home.profile.municipality)
            if not policy.permits(now):
                await postpone(connection, ids, policy.next_permitted(now))
                return 0
        sent = [await self._send(home, member, newest, ids[0].hex, now) for member in members]
        if any(sent):
            await record_outcome(self._pool, ids, "asked")
        return sum(sent)

    async def _send(
        self, home: CareHome, member: Membership, question: Feedback, first: str, now: datetime
    ) -> bool:
        name = f"question-{first}-{member.staff.id}"
        letter = self._writer.for_member(home, member, question.care_form, now)
        message = make_mail(
            self._sender,
            member.staff.email,
            letter.subject,
            letter.text,
            html=letter.html,
            headers=letter.headers,
        )
        domain = self._sender.rpartition("@")[2].rstrip(">") or "localhost"
        identity = hashlib.sha256(name.encode()).hexdigest()[:32]
        message.replace_header("Message-ID", f"<{identity}@{domain}>")
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._mail.send(message, name=name)
        except (PostRefused, TimeoutError) as error:
            log.warning(
                "a question could not be handed over",
                home=home.id,
                recipient=member.staff.id,
                reason=error.detail if isinstance(error, PostRefused) else "it took too long",
            )
            return False
        return True


def is_offered(home: CareHome, care_form: CareForm | None) -> bool:
    """Whether the public still sees a free place: only then is there something to ask."""
    free = public_listing(home).free
    return bool(free) if care_form is None else care_form in free


async def ask_for_ever(asker: Asker, seconds: float = ROUND_SECONDS) -> None:
    while True:
        try:
            if sent := await asker.ask_due():
                log.info("homes were asked after calls", sent=sent)
        except Exception as error:
            if is_connection_error(error):
                log.warning("asking failed", error=type(error).__name__)
            else:
                log.exception("asking failed")
        await asyncio.sleep(seconds)
