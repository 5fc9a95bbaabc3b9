"""The one door through which public state changes: commands in, revisions out.

Waiting commands are committed as one batch. A batch locks its homes in id order, lets every
command decide, takes its revisions from the head, writes, and commits. So order costs no
throughput: one commit serves all who wait. Where many wait a second lane takes a share, so that
one batch is decided while Postgres writes the other; no home is in both.

An accepted command has a revision of its own, even when a batch changes a home twice;
the row then carries the last one.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Self

import asyncpg
import structlog

from vacancies import idempotency, tracing
from vacancies.batch import (
    Decided,
    LostRace,
    Settled,
    Unit,
    decide_batch,
    decide_from_memory,
    write_decided,
)
from vacancies.command import Command
from vacancies.database import Pool
from vacancies.errors import (
    FreiplatzError,
    OutcomeUnknown,
    Overloaded,
    TooManyRequests,
    Unavailable,
)
from vacancies.feed import Announcement
from vacancies.idempotency import Remembered
from vacancies.known import KnownHomes
from vacancies.session import Session, unavailable
from vacancies.tasks import stop_tasks

log = structlog.get_logger()

BATCH_COMMANDS = 512
LANES = 2
GATHER_TURNS = 4
SHARED_COMMANDS = 16  # so many must wait before another lane takes its share of them
WAITING_COMMANDS = 20_000
WAITING_OF_KEY = 5_000  # so that one key alone never fills the queue for all
RETRY_AFTER_SECONDS = 2
STOP_SECONDS = 10.0


class _Lane:
    """A connection, and the task that commits one batch after the other on it. `homes` are
    those of the batch in hand, which has so many `commands`: another batch with one of them
    waits."""

    __slots__ = ("commands", "homes", "is_busy", "session", "task")

    def __init__(self, pool: Pool) -> None:
        self.session = Session(pool)
        self.homes: set[str] = set()
        self.commands = 0
        self.task: asyncio.Task[None] | None = None
        self.is_busy = False


class Writer:
    """Commits commands in batches; use as `async with`.

    `announce` is called after each commit, before the callers get their answers.
    """

    def __init__(self, pool: Pool, announce: Callable[[Announcement], None]) -> None:
        self._announce = announce
        self._lanes = [_Lane(pool) for _ in range(LANES)]
        self._busy = 0  # lanes
        self._known = KnownHomes()
        self._waiting: deque[Unit] = deque()
        self._waiting_commands = 0
        self._waiting_by_key: Counter[int] = Counter()
        self._in_flight: dict[tuple[str, str, str], Unit] = {}
        self._stopping = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what waits, then stop."""
        self._stopping = True
        try:
            async with asyncio.timeout(STOP_SECONDS):
                while tasks := self._tasks():
                    await asyncio.wait(tasks)
        except TimeoutError:
            log.warning("stopped with reports that were not stored", calls=len(self._waiting))
            await stop_tasks(self._tasks())
        self._finish([*self._waiting], _stopping())
        for lane in self._lanes:
            await lane.session.drop()

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [lane.task for lane in self._lanes if lane.task is not None and lane.is_busy]

    async def submit(
        self, commands: Sequence[Command], *, remembered: Remembered | None = None
    ) -> Settled:
        """Commit `commands` together; each is accepted or refused on its own.

        Raises `Overloaded`, `TooManyRequests`, `Unavailable` (nothing changed), `OutcomeUnknown`
        (it may have), and the errors of `remembered`. If the caller is cancelled the commit
        goes on.
        """
        if self._stopping:
            raise _stopping()
        key = _key_of(commands)
        self._check_room(key, len(commands))
        unit = Unit(commands, remembered, asyncio.get_running_loop().create_future())
        unit.trace = tracing.current()
        if remembered is not None:
            if remembered.identity in self._in_flight:
                raise idempotency.in_flight_error()
            self._in_flight[remembered.identity] = unit
        self._waiting.append(unit)
        self._waiting_commands += len(commands)
        if key is not None:
            self._waiting_by_key[key] += len(commands)
        self._wake()
        return await unit.done

    def _check_room(self, key: int | None, count: int) -> None:
        if self._waiting_commands + count > WAITING_COMMANDS:
            raise Overloaded("Too many reports are waiting. Try again in a few seconds.")
        if key is not None and self._waiting_by_key[key] + count > WAITING_OF_KEY:
            raise TooManyRequests(
                "Too many reports with this key are waiting. Wait for answers to them.",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )

    def _wake(self) -> None:
        """Let a lane begin, if one is needed and free.

        It begins when all who are ready just now have submitted too: one batch. Not in the
        context of the call that happens to be the first.
        """
        if self._busy and (self._busy == LANES or self._waiting_commands < SHARED_COMMANDS):
            return
        lane = next(lane for lane in self._lanes if not lane.is_busy)
        lane.is_busy = True
        self._busy += 1
        lane.task = asyncio.create_task(self._run(lane), name="writer", context=Context())

    async def _run(self, lane: _Lane) -> None:
        """Commit batches until nothing waits that this lane may take."""
        try:
            await self._gather()
            while batch := self._take(lane):
                try:
                    await self._settle(lane, batch)
                finally:
                    lane.homes.clear()
                    lane.commands = 0
                    # Reached with unsettled units only when this task is cancelled.
                    self._finish(batch, _outcome_unknown())
                await self._gather()
        finally:
            lane.is_busy = False
            self._busy -= 1

    async def _gather(self) -> None:
        """Let those submit who are about to: a commit costs as much as several reports. As
        long as every turn of the loop brings more; on a loop that has nothing else to do that
        is over at once."""
        for _ in range(GATHER_TURNS):
            waiting = len(self._waiting)
            await asyncio.sleep(0)
            if len(self._waiting) == waiting:
                return

    def _take(self, lane: _Lane) -> list[Unit]:
        """The next batch for `lane`: from the front, up to the first call with a home that
        another lane has in hand. No more than its share where there are many: lanes that are
        not equally full wait for each other."""
        others = [other for other in self._lanes if other is not lane]
        all_commands = self._waiting_commands + sum(other.commands for other in others)
        limit = BATCH_COMMANDS
        if all_commands >= LANES * SHARED_COMMANDS:
            limit = min(limit, -(-all_commands // LANES))
        batch: list[Unit] = []
        size = 0
        while self._waiting:
            commands = self._waiting[0].commands
            if batch and size + len(commands) > limit:
                break
            homes = {command.home_id for command in commands}
            if not all(homes.isdisjoint(other.homes) for other in others):
                break
            lane.homes |= homes
            size += len(commands)
            batch.append(self._waiting.popleft())
            if (key := _key_of(commands)) is not None:
                self._waiting_by_key[key] -= len(commands)
                if not self._waiting_by_key[key]:
                    del self._waiting_by_key[key]
        lane.commands = size
        self._waiting_commands -= size
        return batch

    async def _settle(self, lane: _Lane, batch: list[Unit]) -> None:
        """Commit `batch`; on a database error that one unit causes, spare the others."""
        # One span for all of them, in the trace of the first call that has one.
        trace = next((unit.trace for unit in batch if unit.trace), "")
        try:
            with tracing.span("commit", trace, calls=len(batch)):
                news = await self._commit(lane.session, batch)
        except FreiplatzError as error:
            self._finish(batch, error)
        except Exception as error:
            if len(batch) > 1:
                for unit in batch:
                    await self._settle(lane, [unit])
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

    async def _commit(self, session: Session, batch: list[Unit]) -> Announcement | None:
        """One transaction; another, with locks, if what was known is over; at most thrice when
        a new home is created under our hands."""
        decided = decide_from_memory(batch, self._known)
        if decided is not None and session.connection is not None:
            with suppress(LostRace, Unavailable):
                return await self._write(session, decided)
        for attempt in (1, 2, 3):
            try:
                return await self._transact(session, batch)
            except LostRace:
                if attempt == 3:
                    raise
        raise AssertionError("unreachable")

    async def _write(self, session: Session, decided: Decided) -> Announcement | None:
        """Write what rests on memory: one statement, which is a transaction by itself."""
        assert session.connection is not None
        try:
            news = await write_decided(session.connection, decided)
        except BaseException as error:
            if decided.written is not None:  # so it is stored, whatever went wrong after that
                raise _outcome_unknown() from error
            await session.fail(error, _outcome_unknown())
            raise
        self._remember(decided)
        return news

    async def _transact(self, session: Session, batch: list[Unit]) -> Announcement | None:
        connection, is_new = await session.begin()
        if is_new:
            self._known.forget()
        committing = False
        try:
            decided = await decide_batch(connection, batch, self._known)
            news = await write_decided(connection, decided)
            committing = True
            await connection.execute("COMMIT")
        except BaseException as error:
            await session.fail(error, _outcome_unknown() if committing else unavailable())
            raise
        self._remember(decided)
        return news

    def _remember(self, decided: Decided) -> None:
        """`decided` is committed."""
        if (written := decided.written) is not None:
            self._known.written(written.transaction, written.at, decided.changed.values())


def _key_of(commands: Sequence[Command]) -> int | None:
    """The key with which they came: all of a call have the same."""
    return commands[0].actor.api_key_id if commands else None


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
