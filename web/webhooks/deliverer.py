"""Delivers to webhooks, beside the deliverers of all other processes.

The board is the queue. A webhook has a cursor; what lies behind it is sent one home after the
other, each in the state that it has when its turn comes. So a slow receiver gets fewer, newer
events, in ascending revision, and one that fails holds up nobody but itself.

A change wakes the webhooks that it may concern: of those that follow the homes of a provider
only that provider's. Every few seconds all are looked at, so nothing hangs on being woken.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from vacancies.board import Board, Change
from vacancies.config import Settings
from vacancies.database import Pool, borrowed
from vacancies.geocoding import Geocoder
from vacancies.outbound import CALL_SECONDS, Outbound
from vacancies.tasks import stop_tasks
from web.portals.passing_on import open_passing_on
from web.standards.ngsi_ld_notifications import open_notifications
from web.webhooks.claims import (
    Claim,
    claim_webhooks,
    record_failure,
    record_success,
    release_claim,
)
from web.webhooks.endpoints import Reason, WebhookState
from web.webhooks.news import ListingNews, News
from web.webhooks.schedule import next_attempt
from web.webhooks.searches import read_search
from web.webhooks.sending import Clock, Sent, send, utc_now
from web.webhooks.trouble import survive

log = structlog.get_logger()

LOOK_SECONDS = 5.0
GATHER_SECONDS = 0.5  # what comes within this is looked at together
SLOTS = 16  # webhooks that this process delivers to at once
TURN_SECONDS = 30.0  # then others have the slot
# Longer than a call, or another process would take over while we wait for an answer.
LEASE_SECONDS = 4 * CALL_SECONDS
STALE = timedelta(seconds=2)


class Deliverer:
    """`clock` and `chance` (0 to 1, for jitter) are given by tests."""

    def __init__(
        self,
        pool: Pool,
        board: Board,
        outbound: Outbound,
        geocoder: Geocoder,
        settings: Settings,
        *,
        clock: Clock = utc_now,
        chance: Callable[[], float] = random.random,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._pool = pool
        self._board = board
        self._outbound = outbound
        self._geocoder = geocoder
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._lease = timedelta(seconds=lease_seconds)
        self._wake = asyncio.Event()
        self._turns: set[asyncio.Task[bool]] = set()
        self._is_all_due = True
        self._providers: set[str] = set()  # whose homes have changed since the last look

    def wake(self, changes: Iterable[Change] | None = None) -> None:
        """Look soon: the board has taken `changes`; without, whatever may be due."""
        if changes is None:
            self._is_all_due = True
        else:
            for change in changes:
                self._providers.add(change.new.provider)
                if change.old is not None:
                    self._providers.add(change.old.provider)
        self._wake.set()

    async def run_for_ever(self) -> None:
        looked_at = float("-inf")
        try:
            while True:
                if time.monotonic() - looked_at >= LOOK_SECONDS:
                    looked_at, self._is_all_due = time.monotonic(), True
                if not await survive(self._begin_turns()):
                    self._is_all_due = True
                await asyncio.sleep(GATHER_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            await stop_tasks(self._turns)

    async def deliver_due(self) -> None:
        """Do all that is due, and return when there is nothing more to do just now."""
        while claims := await self._claim(SLOTS):
            await asyncio.gather(*map(self._turn, claims))

    async def _begin_turns(self) -> None:
        providers = None if self._is_all_due else sorted(self._providers)
        self._is_all_due = False
        self._providers.clear()
        room = SLOTS - len(self._turns)
        claims = await self._claim(room, providers)
        if len(claims) == room:
            self._is_all_due = True  # there may be more, whose turn it is when there is room
        for claim in claims:
            turn = asyncio.create_task(survive(self._turn(claim)), name="webhook")
            self._turns.add(turn)
            turn.add_done_callback(self._end_turn)

    def _end_turn(self, turn: asyncio.Task[bool]) -> None:
        self._turns.discard(turn)
        if self._is_all_due:
            self._wake.set()

    async def _claim(self, limit: int, providers: list[str] | None = None) -> list[Claim]:
        board = self._board
        if limit <= 0 or not board.epoch:
            return []
        async with borrowed(self._pool) as connection:
            return await claim_webhooks(
                connection,
                epoch=board.epoch,
                revision=board.revision,
                now=self._clock(),
                lease=self._lease,
                limit=limit,
                providers=providers,
            )

    async def _turn(self, claim: Claim) -> None:
        """Deliver until nothing is left, a try fails, the claim is lost, or time is up."""
        news = await self._news(claim)
        if news is None:
            return  # it was removed
        if not await news.begin():
            # Whoever has the new history delivers; we have it in a second.
            await self._release(claim, self._clock() + STALE)
            return
        ends_at, again_at = time.monotonic() + TURN_SECONDS, self._clock()
        while time.monotonic() < ends_at and again_at <= self._clock():
            message = await news.next()
            if message is None:
                break
            # Anew for each call: a new secret signs from the moment that its owner has it.
            keys = await news.keys(self._clock())
            if keys is None:
                return  # the webhook was removed
            attempt = claim.attempts + 1
            sent = await send(
                self._outbound, claim.address, keys, message, attempt=attempt, clock=self._clock
            )
            if not sent.is_delivered:
                await self._fail(claim, news, sent)
                return
            again_at = sent.delivery.sent_at + news.pause()
            if not await self._succeed(claim, news, sent, again_at):
                return
        await self._release(claim, max(again_at, self._clock()))
        if claim.cursor < self._board.revision:
            # News that came while the claim was still ours woke nobody.
            self._providers.add(claim.provider or "")
            self._wake.set()

    async def _news(self, claim: Claim) -> News | None:
        if claim.speaks == "ngsi_ld":
            return await open_notifications(self._pool, self._board, claim, self._settings)
        if claim.speaks == "freiplatz":
            return open_passing_on(self._pool, self._board, claim, self._settings)
        query = None
        if claim.search is not None:
            query = await read_search(claim.search, self._geocoder)
        secret_key = self._settings.secret_key
        return ListingNews(self._pool, self._board, claim, query, secret_key)

    async def _release(self, claim: Claim, again_at: datetime) -> None:
        async with borrowed(self._pool) as connection:
            await release_claim(connection, claim, again_at)

    async def _succeed(self, claim: Claim, news: News, sent: Sent, again_at: datetime) -> bool:
        news.pass_over()
        claim.attempts, claim.failing_since = 0, None
        async with borrowed(self._pool) as connection, connection.transaction():
            until = self._clock() + self._lease
            if not await record_success(connection, claim, sent.delivery, until, again_at):
                return False
            await news.settle(connection, sent)
        return True

    async def _fail(self, claim: Claim, news: News, sent: Sent) -> None:
        now = self._clock()
        claim.attempts += 1
        claim.failing_since = claim.failing_since or now
        wait = max(sent.retry_after or timedelta(), news.pause())
        again_at = next_attempt(claim.attempts, claim.failing_since, now, wait, self._chance())
        state: WebhookState = "active"
        reason: Reason | None = None
        if sent.is_gone:
            state, reason, again_at = "disabled", "gone", None
        elif again_at is None:
            state, reason = "paused", "failing"
        async with borrowed(self._pool) as connection, connection.transaction():
            recorded = await record_failure(
                connection,
                claim,
                sent.delivery,
                again_at=again_at,
                state=state,
                reason=reason,
            )
            if recorded:
                await news.settle(connection, sent)
        if recorded and state != "active":
            log.warning("a webhook was stopped", webhook=claim.id, reason=reason)
