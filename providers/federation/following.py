"""Follows all neighbours: each by one process of the deployment, whoever has its lease.

Where a stream goes on is in the memory of that process. Another one that takes over begins with the
whole set: what is the same changes nothing, and what has gone is noticed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import structlog

from providers.federation.addresses import is_loopback
from providers.federation.intake import Intake
from providers.federation.neighbours import (
    Neighbour,
    claim_neighbours,
    record_news,
    release_neighbours,
    select_left,
    select_otherwise_silent,
)
from providers.federation.stream import NeighbourStream
from vacancies.command import Command
from vacancies.database import Pool, borrowed, is_connection_error
from vacancies.errors import FreiplatzError
from vacancies.foreign import Depart, Silence
from vacancies.outbound import Outbound
from vacancies.tasks import stop_tasks
from vacancies.writer import Writer

log = structlog.get_logger()

LOOK_SECONDS = 3.0
LEASE = timedelta(seconds=15)
MATCH_SECONDS = 60.0
# Longer than a restart; then its homes say that nothing has been heard.
SILENT_SECONDS = 180.0
MOST_HOMES = 500  # in one round


@dataclass
class _Followed:
    added_at: datetime
    stream: NeighbourStream
    task: asyncio.Task[None]
    matched_at: float
    noted_at: float | None = None  # when it was heard, as was written down last


class Following:
    """The neighbours that this process follows. `outbound` calls those on the internet; one on
    this machine is called where an operator has added it by its loopback address."""

    def __init__(self, pool: Pool, writer: Writer, outbound: Outbound) -> None:
        self._pool = pool
        self._writer = writer
        self._outbound = outbound
        self._here = Outbound(allow_loopback=True)
        self._name = uuid4()
        self._held_until = 0.0
        self._followed: dict[str, _Followed] = {}

    async def run_for_ever(self) -> None:
        async with self._here:
            try:
                while True:
                    await self._survive(self.look)
                    await asyncio.sleep(LOOK_SECONDS)
            finally:
                await stop_tasks(each.task for each in self._followed.values())
                await self._survive(self._release)

    async def _survive(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            if isinstance(error, FreiplatzError) or is_connection_error(error):
                log.warning("following neighbours failed", error=type(error).__name__)
            else:
                log.exception("following neighbours failed")

    async def look(self) -> None:
        """Take on who is followed by nobody, leave who is not ours, and write down how it goes."""
        asked_at = time.monotonic()
        async with borrowed(self._pool) as connection:
            neighbours = await claim_neighbours(connection, self._name, LEASE)
            left = await select_left(connection, MOST_HOMES)
        self._held_until = asked_at + LEASE.total_seconds()
        await self._begin_and_end({each.slug: each for each in neighbours})
        await self._submit([Depart(home_id=home_id) for home_id in left])
        for slug, followed in self._followed.items():
            await self._keep(slug, followed)

    def _may_write(self) -> bool:
        return time.monotonic() < self._held_until

    async def _begin_and_end(self, neighbours: dict[str, Neighbour]) -> None:
        for slug, followed in [*self._followed.items()]:
            neighbour = neighbours.get(slug)
            if neighbour is None or neighbour.added_at != followed.added_at or followed.task.done():
                await stop_tasks([followed.task])
                del self._followed[slug]
        for slug, neighbour in neighbours.items():
            if slug not in self._followed:
                intake = Intake(neighbour, self._pool, self._writer, self._may_write)
                outbound = self._here if is_loopback(neighbour.url) else self._outbound
                stream = NeighbourStream(neighbour, intake, outbound)
                task = asyncio.create_task(stream.run_for_ever(), name=f"neighbour {slug}")
                self._followed[slug] = _Followed(neighbour.added_at, stream, task, time.monotonic())

    async def _keep(self, slug: str, followed: _Followed) -> None:
        intake = followed.stream.intake
        refused, why = intake.take_refused()
        async with borrowed(self._pool) as connection:
            # Only what is new: said again after a wait, the same moment would be a later one.
            now, heard = time.monotonic(), intake.heard_at
            is_new = heard is not None and heard != followed.noted_at
            heard_at, silent_seconds = await record_news(
                connection,
                slug,
                self._name,
                heard_seconds_ago=now - heard if heard is not None and is_new else None,
                trouble=followed.stream.trouble,
                refused=refused,
                refused_why=why,
            )
            followed.noted_at = heard
            since = heard_at if silent_seconds > SILENT_SECONDS else None
            wrong = await select_otherwise_silent(connection, slug, since, MOST_HOMES)
        await self._submit([Silence(home_id=home_id, since=since) for home_id in wrong])
        if now - followed.matched_at > MATCH_SECONDS:
            followed.matched_at = now
            await intake.match()

    async def _submit(self, commands: Sequence[Command]) -> None:
        if commands:
            await self._writer.submit(commands)

    async def _release(self) -> None:
        async with borrowed(self._pool) as connection:
            await release_neighbours(connection, self._name)
