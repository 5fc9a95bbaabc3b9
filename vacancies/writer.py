"""The one door through which public state changes: commands in, revisions out.

Waiting commands are committed as one batch by a single task per process. A batch locks its
homes in id order, lets every command decide, takes its revisions from the head, writes, and
commits. So order costs no throughput: one commit serves all who wait.

An accepted command has a revision of its own, even when a batch changes a home twice;
the row then carries the last one.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Self

import asyncpg
import structlog

from vacancies import idempotency
from vacancies.batch import LostRace, Settled, Unit, decide_batch, write_decided
from vacancies.commands import Command
from vacancies.database import Pool, is_connection_error
from vacancies.errors import FreiplatzError, OutcomeUnknown, Overloaded, Unavailable
from vacancies.feed import Announcement
from vacancies.idempotency import Remembered
from vacancies.known import KnownHomes
from vacancies.session import Session, unavailable
from vacancies.tasks import stop_tasks

log = structlog.get_logger()

BATCH_COMMANDS = 512
WAITING_COMMANDS = 20_000
STOP_SECONDS = 10.0


class Writer:
    """Commits commands in batches; use as `async with`.

    `announce` is called after each commit, before the callers get their answers.
    """

    def __init__(self, pool: Pool, announce: Callable[[Announcement], None]) -> None:
        self._announce = announce
        self._session = Session(pool)
        self._known = KnownHomes()
        self._waiting: deque[Unit] = deque()
        self._waiting_commands = 0
        self._in_flight: dict[tuple[int, str, str], Unit] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what waits, then stop."""
        self._stopping = True
        try:
            async with asyncio.timeout(STOP_SECONDS):
                if self._task is not None:
                    await asyncio.wait([self._task])
        except TimeoutError:
            log.warning("stopped with reports that were not stored", calls=len(self._waiting))
            if self._task is not None:
                await stop_tasks([self._task])
        self._finish([*self._waiting], _stopping())
        await self._session.drop()

    async def submit(
        self, commands: Sequence[Command], *, remembered: Remembered | None = None
    ) -> Settled:
        """Commit `commands` together; each is accepted or refused on its own.

        Raises `Overloaded`, `Unavailable` (nothing changed), `OutcomeUnknown` (it may have),
        and the errors of `remembered`. If the caller is cancelled the commit goes on.
        """
        if self._stopping:
            raise _stopping()
        if self._waiting_commands + len(commands) > WAITING_COMMANDS:
            raise Overloaded("Too many reports are waiting. Try again in a few seconds.")
        unit = Unit(commands, remembered, asyncio.get_running_loop().create_future())
        if remembered is not None:
            if remembered.identity in self._in_flight:
                raise idempotency.in_flight_error()
            self._in_flight[remembered.identity] = unit
        self._waiting.append(unit)
        self._waiting_commands += len(commands)
        if self._task is None or self._task.done():
            # It begins when all who are ready just now have submitted too: one batch. Not in
            # the context of the call that happens to be the first.
            self._task = asyncio.create_task(self._run(), name="writer", context=Context())
        return await unit.done

    async def _run(self) -> None:
        """Commit batches until nothing waits."""
        while self._waiting:
            batch = [self._waiting.popleft()]
            size = len(batch[0].commands)
            while self._waiting and size + len(self._waiting[0].commands) <= BATCH_COMMANDS:
                size += len(self._waiting[0].commands)
                batch.append(self._waiting.popleft())
            self._waiting_commands -= size
            try:
                await self._settle(batch)
            finally:
                # Reached with unsettled units only when this task is cancelled.
                self._finish(batch, _outcome_unknown())

    async def _settle(self, batch: list[Unit]) -> None:
        """Commit `batch`; on a database error that one unit causes, spare the others."""
        try:
            news = await self._commit(batch)
        except FreiplatzError as error:
            self._finish(batch, error)
        except Exception as error:
            if len(batch) > 1:
                for unit in batch:
                    await self._settle([unit])
            else:
                # Not the message: Postgres puts whole rows into its details.
                log.error(
                    "commit failed",
                    error=type(error).__name__,
                    constraint=getattr(error, "constraint_name", None),
                    where="".join(traceback.format_tb(error.__traceback__)[-3:]),
                )
                self._finish(batch, _refusal(error))
        else:
            if news is not None:
                self._announce(news)
            self._finish(batch, None)

    def _finish(self, batch: list[Unit], error: FreiplatzError | None) -> None:
        for unit in batch:
            # A retry may have come in between, when a batch was split: its mark stays.
            if unit.remembered and self._in_flight.get(unit.remembered.identity) is unit:
                del self._in_flight[unit.remembered.identity]
            if unit.done.done():
                continue
            settled = error or unit.settled or Settled(unit.outcomes)
            if isinstance(settled, FreiplatzError):
                unit.done.set_exception(settled)
                unit.done.exception()  # the caller may be gone: not "never retrieved"
            else:
                unit.done.set_result(settled)

    async def _commit(self, batch: list[Unit]) -> Announcement | None:
        """One transaction, at most thrice when a new home is created under our hands."""
        for attempt in (1, 2, 3):
            try:
                return await self._transact(batch)
            except LostRace:
                if attempt == 3:
                    raise
        raise AssertionError("unreachable")

    async def _transact(self, batch: list[Unit]) -> Announcement | None:
        connection, is_new = await self._session.begin()
        if is_new:
            self._known.forget()
        committing = False
        try:
            decided = await decide_batch(connection, batch, self._known)
            news = await write_decided(connection, decided)
            committing = True
            await connection.execute("COMMIT")
        except BaseException as error:
            if isinstance(error, Exception) and not is_connection_error(error):
                await self._session.roll_back()
                raise
            await self._session.drop()
            if not isinstance(error, Exception):
                raise
            if committing:
                raise _outcome_unknown() from error
            raise unavailable() from error
        self._known.written(decided.locked.transaction, decided.changed.values())
        return news


def _stopping() -> Unavailable:
    return Unavailable("The server is stopping. Nothing was changed; try again soon.")


def _outcome_unknown() -> OutcomeUnknown:
    return OutcomeUnknown(
        "The connection to the database was lost while storing. Read the home to see whether it"
        " holds your report, or send it again with the same Idempotency-Key."
    )


def _refusal(error: Exception) -> FreiplatzError:
    if isinstance(error, (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, LostRace)):
        return Unavailable("The home is being changed by others. Nothing was changed; try again.")
    return Unavailable("The report could not be stored. Nothing was changed.")
