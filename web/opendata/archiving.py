"""Once a day the files of that moment are kept: by one process of the deployment, from its board.

Whoever holds the advisory lock makes them, and they are stored in one transaction under their
day: a process that is killed leaves nothing behind, and another makes the day a few minutes
later. A day on which no process ran stays missing.
"""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import replace
from datetime import date, datetime

import msgspec
import structlog

from vacancies.board import Board
from vacancies.database import Connection, Pool, borrowed, is_connection_error
from vacancies.feed import Follower
from vacancies.listings import REGION
from vacancies.models import Listing
from web.opendata.archive import (
    FORMATS,
    ArchivedDay,
    delete_days_before,
    describe_file,
    has_day,
    insert_day,
)
from web.opendata.served import LAST_UPDATED, Taken, rfc3339, take
from web.opendata.terms import Terms

log = structlog.get_logger()

LOOK_SECONDS = 300.0
ARCHIVE_LOCK = 0x61726368  # "arch"
_LEVEL = 9  # once a day, in a thread, for years


class Archiver:
    """Keeps the days of the last `years`, from `board`, which `follower` keeps up to date; with
    0 years nothing is made."""

    def __init__(
        self, pool: Pool, board: Board, follower: Follower, terms: Terms, years: int
    ) -> None:
        self._pool = pool
        self._board = board
        self._follower = follower
        self._terms = terms
        self._years = years

    async def run_for_ever(self, *, seconds: float = LOOK_SECONDS) -> None:
        """Every `seconds`: make the day if it is not there and nobody else is at it."""
        while True:
            try:
                await self.make_if_due()
            except Exception as error:
                if is_connection_error(error):
                    log.warning("archiving failed", error=type(error).__name__)
                else:
                    log.exception("archiving failed")
            await asyncio.sleep(seconds)

    async def make_if_due(self) -> ArchivedDay | None:
        """The day of the database's clock, if it was made now. A region without homes has
        nothing to keep."""
        if not self._years or not len(self._board):
            return None
        async with borrowed(self._pool) as connection:
            if await has_day(connection, region_day(await select_now(connection))):
                return None
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", ARCHIVE_LOCK):
                return None
            try:
                # Another one may have been at it while we looked.
                at = await select_now(connection)
                if await has_day(connection, region_day(at)):
                    return None
                made = await self._make(connection, at)
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", ARCHIVE_LOCK)
        log.info("kept the open data of a day", day=str(made.day), homes=made.homes)
        return made

    async def _make(self, connection: Connection, at: datetime) -> ArchivedDay:
        await self._follower.catch_up()
        taken, terms = take(self._board), self._terms
        bodies = await asyncio.to_thread(encode_files, taken, terms, at)
        made = ArchivedDay(
            day=region_day(at),
            made_at=at,
            revision=taken.revision,
            homes=len(taken.homes),
            licence=terms.licence.text_url,
            attribution=terms.attribution,
            files=[describe_file(form, body) for form, body in bodies.items()],
        )
        async with connection.transaction():
            await insert_day(connection, made, bodies)
            await delete_days_before(connection, made.day, self._years)
        return made


async def select_now(connection: Connection | Pool) -> datetime:
    """The database's clock, to the second."""
    at: datetime = await connection.fetchval("SELECT date_trunc('second', now())")
    return at


def region_day(at: datetime) -> date:
    return at.astimezone(REGION).date()


def encode_files(taken: Taken, terms: Terms, at: datetime) -> dict[str, bytes]:
    """The dumps of `taken` as they are kept, by their formats. In a thread."""
    homes = sorted(map(_without_person, taken.homes), key=lambda home: home.id)
    kept = replace(taken, homes=homes)
    last_updated = rfc3339(at).encode()
    return {
        form: gzip.compress(
            document.build(kept, terms).replace(LAST_UPDATED, last_updated), _LEVEL, mtime=0
        )
        for form, document in FORMATS.items()
    }


def _without_person(home: Listing) -> Listing:
    """Who answers the telephone today is of no use in five years, and a name is a person's."""
    profile = home.profile
    if profile.contact.person is None:
        return home
    contact = msgspec.structs.replace(profile.contact, person=None)
    return msgspec.structs.replace(home, profile=msgspec.structs.replace(profile, contact=contact))
