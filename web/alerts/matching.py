"""Matches alerts with what changes, by the code that serves live viewers (`vacancies.watching`).

One process of the deployment does it, by a lease. How far it came and which homes match each
alert stand in Postgres and move in one transaction; so whoever is killed loses nothing, and what
is done again changes nothing. A home is news to an alert when it matches and did not match
before: a new report of a home that matched anyway is none, and one that is taken again before
anybody was told is forgotten.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import structlog

from vacancies.board import Board
from vacancies.database import Pool, borrowed, select_epoch
from vacancies.errors import FreiplatzError
from vacancies.geocoding import Geocoder
from vacancies.models import Listing
from vacancies.search import Query
from vacancies.watching import Rows, are_alike
from web.alerts.alerts import open_contents
from web.alerts.place import (
    Matched,
    Place,
    claim_matching,
    delete_vanished,
    record_matched,
    release_matching,
    select_known_alerts,
    select_new_alerts,
)
from web.alerts.sealing import Seal, SealBroken
from web.webhooks.searches import read_search
from web.webhooks.sending import Clock, utc_now
from web.webhooks.trouble import survive

log = structlog.get_logger()

LOOK_SECONDS = 2.0
GATHER_SECONDS = 0.5  # what comes within this is looked at together
LEASE = timedelta(seconds=15)
# Rounds end: looking holds up the loop.
MOST_CHANGES = 50
MOST_NEW = 200
LOOK_FOR_ENDED_EVERY = timedelta(minutes=1)


class Matcher:
    """`clock` is given by tests. `told` is called when somebody may have to be told."""

    def __init__(
        self, pool: Pool, board: Board, geocoder: Geocoder, seal: Seal, *, clock: Clock = utc_now
    ) -> None:
        self._pool = pool
        self._board = board
        self._geocoder = geocoder
        self._seal = seal
        self._clock = clock
        self._name: UUID = uuid4()
        self._wake = asyncio.Event()
        self._forget()

    def _forget(self) -> None:
        """Another process has the turn, or the last one failed: begin with what is stored."""
        self._turn: int | None = None
        self._rows: Rows[str] = Rows()
        self._rows_of: dict[str, list[int]] = {}
        self._seen: dict[str, Listing] = {}  # homes as they were when last matched
        self._looked_for_ended_at: datetime | None = None

    def wake(self) -> None:
        """Look soon: something has changed."""
        self._wake.set()

    async def run_for_ever(self) -> None:
        try:
            while True:
                await survive(self.match_due(), "alerts")
                await asyncio.sleep(GATHER_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            await survive(self._release(), "alerts")

    async def match_due(self) -> None:
        """Match all that is not matched yet, unless another process is at it."""
        while await self._run_round():
            pass

    async def _release(self) -> None:
        if self._turn is not None:
            async with borrowed(self._pool) as connection:
                await release_matching(connection, self._name)

    async def _run_round(self) -> bool:
        """Whether there may be more to do."""
        if not self._board.epoch:
            return False
        place = await self._claim()
        if place is None:
            return False
        turn, self._turn = self._turn, None  # what fails from here on begins anew
        if turn is None or place.turn != turn + 1:
            self._forget()
            await self._load()
        async with borrowed(self._pool) as connection:
            new = await select_new_alerts(connection, MOST_NEW)
        queries = await self._read(new)
        # No await in here: all of it is of one moment of the board.
        matched, listings = self._match(place)
        matched.begun = {alert_id: self._homes_of(queries.get(alert_id)) for alert_id, _ in new}
        async with borrowed(self._pool) as connection:
            if not await record_matched(connection, self._name, place, matched, self._clock()):
                return False
        self._seen.update((listing.id, listing) for listing in listings)
        self._enter(queries)
        self._turn = place.turn
        await self._leave_ended()
        return matched.revision < self._board.revision or len(new) == MOST_NEW

    async def _claim(self) -> Place | None:
        """None: it is another process's turn, or our board is older than what was matched."""
        board, now = self._board, self._clock()
        async with borrowed(self._pool) as connection:
            place = await claim_matching(connection, self._name, now, now + LEASE)
            if place is None:
                self._forget()
                return None
            if place.epoch != board.epoch:
                if await select_epoch(connection) != board.epoch:
                    return None
                place = msgspec.structs.replace(place, epoch=board.epoch, revision=0)
            elif board.revision < place.revision:
                return None
            if place.revision < board.floor or not place.revision:
                # What went with a restore, or so long ago that no board has a tombstone of it.
                here = [board.listing(slot).id for slot in board.changed_since(-1).tolist()]
                await delete_vanished(connection, here)
        return place

    async def _load(self) -> None:
        """All alerts that were matched before."""
        async with borrowed(self._pool) as connection:
            known = await select_known_alerts(connection)
        for first in range(0, len(known), MOST_NEW):
            self._enter(await self._read(known[first : first + MOST_NEW]))
            await asyncio.sleep(0)

    async def _read(self, rows: list[tuple[str, bytes]]) -> dict[str, Query]:
        found: dict[str, Query] = {}
        for alert_id, sealed in rows:
            try:
                search = open_contents(self._seal, alert_id, sealed).search
                found[alert_id] = await read_search(search, self._geocoder)
            except (SealBroken, msgspec.MsgspecError, FreiplatzError) as error:
                # Of another secret key, or a parameter that is no more. It ends by itself.
                log.warning("an alert cannot be read", alert=alert_id, why=type(error).__name__)
        return found

    def _enter(self, queries: dict[str, Query]) -> None:
        for alert_id, query in queries.items():
            self._rows_of[alert_id] = self._rows.add(alert_id, query)

    def _match(self, place: Place) -> tuple[Matched, list[Listing]]:
        """Of the next homes that changed: which alerts they match now."""
        board = self._board
        slots = board.changed_since(place.revision)[:MOST_CHANGES].tolist()
        listings = [board.listing(slot) for slot in slots]
        is_all = len(listings) < MOST_CHANGES
        shown: dict[str, set[str]] = {}
        for listing in listings:
            old = self._seen.get(listing.id)
            if old is None or not are_alike(old, listing):
                shown[listing.id] = set(self._rows.match(None, listing)[0])
        revision = board.revision if is_all else listings[-1].revision
        return Matched(shown=shown, revision=revision), listings

    def _homes_of(self, query: Query | None) -> list[str]:
        if query is None:
            return []
        slots, _ = self._board.match(query)
        return [self._board.listing(slot).id for slot in slots.tolist()]

    async def _leave_ended(self) -> None:
        """Forget the searches of alerts that are no more, from time to time."""
        now = self._clock()
        last = self._looked_for_ended_at
        if last is not None and now - last < LOOK_FOR_ENDED_EVERY:
            return
        self._looked_for_ended_at = now
        async with borrowed(self._pool) as connection:
            there = {row["id"] for row in await connection.fetch("SELECT id FROM alert")}
        for alert_id in self._rows_of.keys() - there:
            self._rows.remove(self._rows_of.pop(alert_id))
