"""The one door through which public state changes: commands in, revisions out.

Waiting commands are committed as one batch. A batch locks its homes in id order, lets every
command decide, takes its revisions from the head, writes, and commits. So order costs no
throughput: one commit serves all who wait.

There are two lanes, so that Postgres writes one batch while the next is decided. A batch writes
only when its turn comes, from the head's lock to the announcement: announcements are in the
order of the commits.

An accepted command has a revision of its own, even when a batch changes a home twice;
the row then carries the last one.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Callable, Sequence
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
from vacancies.lane import Lane, unavailable
from vacancies.tasks import stop_tasks

log = structlog.get_logger()

BATCH_COMMANDS = 512
# Fewer are quicker in the batch that comes next than in one of their own.
LANE_COMMANDS = 16
LANES = 1
WAITING_COMMANDS = 20_000
STOP_SECONDS = 10.0


class Writer:
    """Commits commands in batches; use as `async with`.

    `announce` is called after each commit, before the callers get their answers. It must not
    raise.
    """

    def __init__(self, pool: Pool, announce: Callable[[Announcement], None]) -> None:
        self._announce = announce
        self._lanes = [Lane(pool) for _ in range(LANES)]
        self._turn = asyncio.Lock()
        self._known = KnownHomes()
        self._waiting: deque[Unit] = deque()
        self._waiting_commands = 0
        self._flying_commands = 0
        self._in_flight: set[tuple[int, str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what waits, then stop."""
        self._stopping = True
        try:
            async with asyncio.timeout(STOP_SECONDS):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            log.warning("stopped with reports that were not stored", calls=len(self._waiting))
            await stop_tasks(self._tasks)
        self._finish([*self._waiting], _stopping())
        for lane in self._lanes:
            await lane.drop()

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
        if remembered is not None:
            if remembered.identity in self._in_flight:
                raise idempotency.in_flight_error()
            self._in_flight.add(remembered.identity)
        unit = Unit(commands, remembered, asyncio.get_running_loop().create_future())
        self._waiting.append(unit)
        self._waiting_commands += len(commands)
        self._start_lane()
        return await unit.done

    def _start_lane(self) -> None:
        """Set an idle lane to work, if it is the only one or there is enough to do."""
        lane = next((lane for lane in self._lanes if not lane.is_busy), None)
        if lane is not None and self._is_worth_a_lane():
            lane.is_busy = True
            task = asyncio.create_task(self._work(lane), name="writer")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _is_worth_a_lane(self) -> bool:
        if self._flying_commands:
            return self._waiting_commands >= LANE_COMMANDS
        return bool(self._waiting)

    async def _work(self, lane: Lane) -> None:
        """Commit batches until little is left, which the other lane will see to."""
        try:
            while self._is_worth_a_lane():
                batch, size = self._take()
                self._start_lane()
                try:
                    await self._settle(lane, batch)
                finally:
                    self._flying_commands -= size
                    # Reached with unsettled units only when this task is cancelled.
                    self._finish(batch, _outcome_unknown())
        finally:
            lane.is_busy = False

    def _take(self) -> tuple[list[Unit], int]:
        """The next batch and its commands: half of all there is to do, as there are two lanes."""
        share = (self._waiting_commands + self._flying_commands + 1) // LANES
        limit = min(BATCH_COMMANDS, max(LANE_COMMANDS, share))
        batch = [self._waiting.popleft()]
        size = len(batch[0].commands)
        while self._waiting and size + len(self._waiting[0].commands) <= limit:
            size += len(self._waiting[0].commands)
            batch.append(self._waiting.popleft())
        self._waiting_commands -= size
        self._flying_commands += size
        return batch, size

    async def _settle(self, lane: Lane, batch: list[Unit]) -> None:
        """Commit `batch`; on a database error that one unit causes, spare the others."""
        try:
            await self._commit(lane, batch)
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
            self._finish(batch, None)

    def _finish(self, batch: list[Unit], error: FreiplatzError | None) -> None:
        for unit in batch:
            if unit.remembered is not None:
                self._in_flight.discard(unit.remembered.identity)
            if unit.done.done():
                continue
            settled = error or unit.settled or Settled(unit.outcomes)
            if isinstance(settled, FreiplatzError):
                unit.done.set_exception(settled)
                unit.done.exception()  # the caller may be gone: not "never retrieved"
            else:
                unit.done.set_result(settled)

    async def _commit(self, lane: Lane, batch: list[Unit]) -> None:
        """One transaction, at most thrice when a new home is created under our hands."""
        for attempt in (1, 2, 3):
            try:
                return await self._transact(lane, batch)
            except LostRace:
                if attempt == 3:
                    raise
        raise AssertionError("unreachable")

    async def _transact(self, lane: Lane, batch: list[Unit]) -> None:
        connection, is_new = await lane.begin()
        if is_new:
            self._known.forget()
        committing = False
        try:
            decided = await decide_batch(connection, batch, self._known)
            async with self._turn:
                news = await write_decided(connection, decided)
                committing = True
                await connection.execute("COMMIT")
                self._known.written(decided.locked.transaction, decided.changed.values())
                if news is not None:
                    self._announce(news)
        except BaseException as error:
            await lane.drop()
            if not is_connection_error(error):
                raise
            if committing:
                raise _outcome_unknown() from error
            raise unavailable() from error


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
