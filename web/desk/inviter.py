"""Sends the invitations that wait, in the background: a desk asks 120 homes by one click, and no
request is held up by that.

Every process works on them; each claims what it sends for two minutes. One that is killed between
handing a mail over and writing that down has another send it again: its newer link is then good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from providers.home_invitations import (
    MOST_TRIES,
    Failure,
    Waiting,
    claim_waiting,
    delete_old_invitations,
    postpone,
    record_failure,
    record_sent,
)
from providers.home_lists import delete_old_lists
from providers.post import MailSender, PostRefused, sender_address
from providers.sessions import hash_secret
from providers.signin import TooManyInvitations, discard_invitation, issue_invitation
from providers.staff import select_staff
from vacancies.config import Settings
from vacancies.database import Connection, Pool, borrowed, is_connection_error
from vacancies.errors import InvalidInput
from web.desk.home_mail import home_mail
from web.language import DEFAULT, choose
from web.link_mail import public_address
from web.signin_mail import offer_address

log = structlog.get_logger()

POLL_SECONDS = 5.0
SEND_SECONDS = 40.0
AT_ONCE = 4  # mail servers count connections
_FORGET_EVERY = 3600 / POLL_SECONDS
_FIRST_PAUSE = timedelta(minutes=1)


class Inviter:
    """Of one process; `wake` says that something waits."""

    def __init__(self, pool: Pool, mail: MailSender, settings: Settings) -> None:
        self._pool = pool
        self._mail = mail
        self._settings = settings
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run_for_ever(self) -> None:
        turn = 0
        while True:
            self._woken.clear()
            await self._at_once(*(self._send_all() for _ in range(AT_ONCE)))
            if turn % _FORGET_EVERY == 0:
                await self._at_once(
                    delete_old_invitations(self._pool), delete_old_lists(self._pool)
                )
            turn += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()

    async def _at_once(self, *work: Coroutine[None, None, None]) -> None:
        """What goes wrong is logged, and holds up nothing else."""
        for error in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(error, BaseException):
                # Not the message: it may hold somebody's address.
                (log.warning if is_connection_error(error) else log.error)(
                    "inviting homes failed", error=type(error).__name__
                )

    async def _send_all(self) -> None:
        while True:
            async with borrowed(self._pool) as connection:
                waiting = await claim_waiting(connection)
            if not waiting:
                return
            await self._send(waiting)

    async def _send(self, waiting: Sequence[Waiting]) -> None:
        """One mail, to the one address of `waiting`."""
        async with borrowed(self._pool) as connection:
            tokens = await self._issue(connection, waiting)
            known = await select_staff(connection, waiting[0].email)
        if not tokens:
            return
        language = choose(known.language if known else DEFAULT, reporting=True)
        origin = public_address(self._settings)
        homes = [(each.home_name, offer_address(origin, token, language)) for each, token in tokens]
        mail = home_mail(
            sender_address(self._settings),
            waiting[0].email,
            waiting[0].municipality_name,
            homes,
            origin,
            language,
        )
        hashes = {each.id: hash_secret(token) for each, token in tokens}
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._mail.send(mail)
        except (PostRefused, TimeoutError) as error:
            await self._not_sent([each for each, _ in tokens], hashes, error)
        else:
            await record_sent(self._pool, hashes)

    async def _issue(
        self, connection: Connection, waiting: Sequence[Waiting]
    ) -> list[tuple[Waiting, str]]:
        """A link for each that may go out; what may not is written down."""
        tokens: list[tuple[Waiting, str]] = []
        for each in waiting:
            failure: Failure | None = None if each.may_invite else "void"
            if each.tries > MOST_TRIES:
                failure = "away"
            if failure is None:
                try:
                    token = await issue_invitation(
                        connection,
                        each.email,
                        each.provider_id,
                        each.home_id,
                        invited_by=each.invited_by,
                        by_desk=True,
                        in_same_mail=bool(tokens),
                    )
                    tokens.append((each, token))
                except InvalidInput:
                    failure = "address"
                except TooManyInvitations:
                    failure = "often"
            if failure is not None:
                await record_failure(connection, [each.id], failure)
        return tokens

    async def _not_sent(
        self, waiting: Sequence[Waiting], hashes: dict[int, bytes], error: Exception
    ) -> None:
        is_final = isinstance(error, PostRefused) and error.is_final
        tries = waiting[0].tries
        ids = [each.id for each in waiting]
        log.warning("an invitation could not be sent", invitations=ids, tries=tries, final=is_final)
        async with borrowed(self._pool) as connection:
            for hashed in hashes.values():
                await discard_invitation(connection, hashed)
            if is_final or tries >= MOST_TRIES:
                await record_failure(connection, ids, "refused" if is_final else "away")
            else:
                await postpone(connection, ids, _FIRST_PAUSE * 2 ** (tries - 1))
