"""Sends what alerts have to say, in every web process: whoever comes first."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import suppress

import msgspec
import structlog

from providers.post import MailSender, PostRefused
from vacancies.database import Pool, borrowed
from web.alerts.alerts import delete_alerts, delete_over, open_contents
from web.alerts.claims import (
    Claim,
    Kind,
    claim_due,
    record_delay,
    record_nothing,
    record_sent,
    retry_at,
)
from web.alerts.letters import Writer, identity
from web.alerts.push import Pusher, PushOutcome
from web.alerts.sealing import Seal, SealBroken
from web.webhooks.sending import Clock, utc_now
from web.webhooks.trouble import survive

log = structlog.get_logger()

LOOK_SECONDS = 5.0
CLAIM_ROWS = 16  # as many are sent at once, and are in doubt if a process is killed
SEND_SECONDS = 40.0  # well within the lease


class Told(msgspec.Struct):
    """What a round did: messages handed over, tries that failed, readers who are gone."""

    sent: int = 0
    failed: int = 0
    gone: int = 0


class Teller:
    """`clock` is given by tests."""

    def __init__(
        self,
        pool: Pool,
        seal: Seal,
        writer: Writer,
        mail: MailSender,
        pusher: Pusher,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._pool = pool
        self._seal = seal
        self._writer = writer
        self._mail = mail
        self._pusher = pusher
        self._clock = clock
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look soon: somebody has just asked."""
        self._wake.set()

    async def run_for_ever(self) -> None:
        while True:
            await survive(self.tell_due(), "alerts")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            self._wake.clear()

    async def tell_due(self) -> Told:
        """Send all that is due, and forget what is over."""
        told = Told()
        async with borrowed(self._pool) as connection:
            await delete_over(connection, self._clock())
        while True:
            async with borrowed(self._pool) as connection:
                claims = await claim_due(connection, self._clock(), CLAIM_ROWS)
            if not claims:
                break
            await asyncio.gather(*(self._turn(claim, told) for claim in claims))
        if told.sent or told.failed or told.gone:
            log.info("alerts were sent", sent=told.sent, failed=told.failed, gone=told.gone)
        return told

    async def _turn(self, claim: Claim, told: Told) -> None:
        now = self._clock()
        kind = claim.kind(now)
        allowed_at = claim.allowed_at(kind, now)
        if kind == "news" and not claim.homes:
            async with borrowed(self._pool) as connection, connection.transaction():
                await record_nothing(connection, claim)
        elif allowed_at > now:
            async with borrowed(self._pool) as connection, connection.transaction():
                await record_delay(connection, claim, kind, allowed_at)
        else:
            await self._tell(claim, kind, told)

    async def _tell(self, claim: Claim, kind: Kind, told: Told) -> None:
        outcome = await self._hand_over(claim, kind)
        now = self._clock()
        async with borrowed(self._pool) as connection, connection.transaction():
            if outcome == "sent":
                told.sent += 1
                await record_sent(connection, claim, kind, now)
            elif outcome == "gone":
                told.gone += 1
                await delete_alerts(connection, [claim.id])
            else:
                told.failed += 1
                again_at = retry_at(claim.failures, now)
                await record_delay(connection, claim, kind, again_at, has_failed=True)

    async def _hand_over(self, claim: Claim, kind: Kind) -> PushOutcome:
        """In the log stands which alert it was, and not whose."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await self._send(claim, kind)
        except (PostRefused, TimeoutError) as error:
            is_final = isinstance(error, PostRefused) and error.is_final
            log.warning("an alert could not be handed over", alert=claim.id, final=is_final)
            return "gone" if is_final else "failed"
        except SealBroken:
            log.error("an alert was sealed with another secret key", alert=claim.id)
        except Exception as error:
            # One that cannot be written must not hold up the others, again and again.
            where = "".join(traceback.format_tb(error.__traceback__)[-5:])
            kind_of_error = type(error).__name__
            log.error("an alert failed", alert=claim.id, error=kind_of_error, where=where)
        return "failed"

    async def _send(self, claim: Claim, kind: Kind) -> PushOutcome:
        contents = open_contents(self._seal, claim.id, claim.sealed)
        if contents.subscription is None:
            # To write a mail takes milliseconds, and this loop serves viewers: in a thread.
            message = await asyncio.to_thread(self._writer.mail, claim, kind, contents)
            await self._mail.send(message, name=claim.name)
            return "sent"
        body = await asyncio.to_thread(self._writer.push, claim, kind, contents)
        return await self._pusher.push(contents.subscription, body, topic=identity(claim))
