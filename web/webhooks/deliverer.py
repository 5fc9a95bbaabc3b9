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
from datetime import timedelta

import structlog

from vacancies.board import Board, Change
from vacancies.database import Pool, borrowed, select_epoch
from vacancies.geocoding import Geocoder
from vacancies.outbound import CALL_SECONDS, Outbound
from vacancies.search import Query
from vacancies.tasks import stop_tasks
from web.webhooks.claims import (
    Claim,
    claim_webhooks,
    record_failure,
    record_success,
    release_claim,
    select_on_list,
)
from web.webhooks.endpoints import Reason, WebhookState, select_secrets
from web.webhooks.events import Event, changed_event, gone_event, look
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
        secret_key: str,
        *,
        clock: Clock = utc_now,
        chance: Callable[[], float] = random.random,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._pool = pool
        self._board = board
        self._outbound = outbound
        self._geocoder = geocoder
        self._secret_key = secret_key
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
        query = None
        if claim.search is not None:
            query = await read_search(claim.search, self._geocoder)
        if not await self._prepare(claim):
            # Whoever has the new history delivers; we have it in a second.
            async with borrowed(self._pool) as connection:
                await release_claim(connection, claim, self._clock() + STALE)
            return
        ends_at = time.monotonic() + TURN_SECONDS
        while time.monotonic() < ends_at:
            event = await self._next_event(claim, query)
            if event is None:
                break
            # Anew for each event: a new secret signs from the moment that its owner has it.
            async with borrowed(self._pool) as connection:
                keys = await select_secrets(connection, claim.id, self._secret_key, self._clock())
            if not keys:
                return  # the webhook was removed
            attempt = claim.attempts + 1
            sent = await send(
                self._outbound, claim.address, keys, event, attempt=attempt, clock=self._clock
            )
            if not sent.is_delivered:
                await self._fail(claim, sent)
                return
            if not await self._succeed(claim, event, sent):
                return
        async with borrowed(self._pool) as connection:
            await release_claim(connection, claim, self._clock())
        if claim.cursor < self._board.revision:
            # News that came while the claim was still ours woke nobody.
            self._providers.add(claim.provider or "")
            self._wake.set()

    async def _prepare(self, claim: Claim) -> bool:
        """Find the place to begin at; False if our board is of a history that is over."""
        board = self._board
        is_new = claim.epoch != board.epoch
        if not is_new and claim.cursor >= board.floor:
            return True
        async with borrowed(self._pool) as connection:
            if is_new and await select_epoch(connection) != board.epoch:
                return False
            # What went with a restore, or so long ago that no board has a tombstone of it.
            on_list = await select_on_list(connection, claim.id)
        claim.lost = sorted(home for home in on_list if board.get(home) is None)
        if is_new:
            claim.epoch, claim.cursor = board.epoch, 0
        return True

    async def _next_event(self, claim: Claim, query: Query | None) -> Event | None:
        """The next thing that the receiver must hear of. Moves the cursor over all before."""
        board = self._board
        while claim.epoch == board.epoch:
            if claim.lost:
                return gone_event(board, claim, claim.lost[-1])
            sights = look(board, claim, query)
            if not sights:
                claim.cursor = max(claim.cursor, board.revision)
                return None
            others = {sight.home_id for sight in sights if not sight.concerns}
            if unknown := others - claim.known.keys():
                async with borrowed(self._pool) as connection:
                    on_list = await select_on_list(connection, claim.id, unknown)
                claim.known.update({home_id: home_id in on_list for home_id in unknown})
                continue  # the board may have changed while we waited
            for sight in sights:
                if sight.concerns:
                    return changed_event(board, claim, sight)
                if claim.known[sight.home_id]:
                    return gone_event(board, claim, sight.home_id)
                claim.cursor = sight.revision
        return None

    async def _succeed(self, claim: Claim, event: Event, sent: Sent) -> bool:
        assert event.home_id is not None
        if claim.lost:
            claim.lost.pop()
        elif event.revision is not None:
            claim.cursor = event.revision
        claim.known[event.home_id] = event.type == "listing.changed"
        claim.attempts, claim.failing_since = 0, None
        async with borrowed(self._pool) as connection, connection.transaction():
            until = self._clock() + self._lease
            return await record_success(connection, claim, sent.delivery, until)

    async def _fail(self, claim: Claim, sent: Sent) -> None:
        now = self._clock()
        claim.attempts += 1
        claim.failing_since = claim.failing_since or now
        again_at = next_attempt(
            claim.attempts, claim.failing_since, now, sent.retry_after, self._chance()
        )
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
        if recorded and state != "active":
            log.warning("a webhook was stopped", webhook=claim.id, reason=reason)
