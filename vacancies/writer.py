"""The one door through which public state changes: commands in, revisions out.

Waiting commands are committed as one batch by a single task per process. A batch locks
its homes in id order, lets every command decide, takes its revisions from the head, writes,
and commits. So order costs no throughput: one commit serves all who wait.

An accepted command has a revision of its own, even when a batch changes a home twice;
the row then carries the last one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import asyncpg
import structlog
from asyncpg.transaction import Transaction
from msgspec.structs import replace

from vacancies import idempotency, reports
from vacancies.commands import Command, Outcome
from vacancies.database import (
    CONNECTION_ERRORS,
    Connection,
    Pool,
    PoolConnection,
    is_connection_error,
)
from vacancies.errors import FreiplatzError, OutcomeUnknown, Overloaded, Unavailable
from vacancies.feed import Announcement
from vacancies.homes import advance_head, lock_homes, update_reports, upsert_homes
from vacancies.idempotency import Remembered
from vacancies.listings import evaluate, public_listing
from vacancies.models import CareHome

log = structlog.get_logger()

BATCH_COMMANDS = 512
WAITING_COMMANDS = 20_000


@dataclass(slots=True)
class Settled:
    """The outcomes of one call, in the order of its commands; or, when the call repeats
    an `Idempotency-Key`, the bytes of the first answer."""

    outcomes: list[Outcome]
    replay: bytes | None = None


@dataclass(slots=True)
class _Unit:
    """The commands of one call, which commit together."""

    commands: Sequence[Command]
    remembered: Remembered | None
    done: asyncio.Future[Settled]
    outcomes: list[Outcome] = field(default_factory=list)
    settled: Settled | FreiplatzError | None = None


class _LostRace(Exception):
    """Somebody created a home after we looked; the batch is decided anew."""


class Writer:
    """Commits commands in batches; use as `async with`.

    `announce` is called after each commit, before the callers get their answers.
    """

    def __init__(self, pool: Pool, announce: Callable[[Announcement], None]) -> None:
        self._pool = pool
        self._announce = announce
        self._waiting: deque[_Unit] = deque()
        self._waiting_commands = 0
        self._in_flight: set[tuple[int, str, str]] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connection: PoolConnection | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what waits, then stop."""
        assert self._task is not None
        if self._waiting:
            last: set[asyncio.Future[Any]] = {self._waiting[-1].done, self._task}
            await asyncio.wait(last, return_when=asyncio.FIRST_COMPLETED)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._drop_connection()

    async def submit(
        self, commands: Sequence[Command], *, remembered: Remembered | None = None
    ) -> Settled:
        """Commit `commands` together; each is accepted or refused on its own.

        Raises `Overloaded`, `Unavailable` (nothing changed), `OutcomeUnknown` (it may have),
        and the errors of `remembered`. If the caller is cancelled the commit goes on.
        """
        if self._waiting_commands + len(commands) > WAITING_COMMANDS:
            raise Overloaded("Too many reports are waiting. Try again in a few seconds.")
        if remembered is not None:
            if remembered.identity in self._in_flight:
                raise idempotency.in_flight_error()
            self._in_flight.add(remembered.identity)
        unit = _Unit(commands, remembered, asyncio.get_running_loop().create_future())
        self._waiting.append(unit)
        self._waiting_commands += len(commands)
        self._wake.set()
        return await asyncio.shield(unit.done)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = [self._waiting.popleft()]
                size = len(batch[0].commands)
                while self._waiting and size + len(self._waiting[0].commands) <= BATCH_COMMANDS:
                    size += len(self._waiting[0].commands)
                    batch.append(self._waiting.popleft())
                self._waiting_commands -= sum(len(unit.commands) for unit in batch)
                try:
                    await self._settle(batch)
                finally:
                    # Reached with unsettled units only when this task is cancelled.
                    self._finish(batch, OutcomeUnknown("The server is stopping."))

    async def _settle(self, batch: list[_Unit]) -> None:
        """Commit `batch`; on a database error that one unit causes, spare the others."""
        try:
            announcement = await self._commit(batch)
        except FreiplatzError as error:
            self._finish(batch, error)
        except Exception as error:
            if len(batch) > 1:
                for unit in batch:
                    await self._settle([unit])
            else:
                log.exception("commit failed")
                self._finish(batch, _refusal(error))
        else:
            if announcement is not None:
                self._announce(announcement)
            self._finish(batch, None)

    def _finish(self, batch: list[_Unit], error: FreiplatzError | None) -> None:
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

    async def _commit(self, batch: list[_Unit]) -> Announcement | None:
        """One transaction, at most thrice when a new home is created under our hands."""
        for attempt in (1, 2, 3):
            try:
                return await self._transact(batch)
            except _LostRace:
                if attempt == 3:
                    raise
        raise AssertionError("unreachable")

    async def _transact(self, batch: list[_Unit]) -> Announcement | None:
        connection, transaction = await self._begin()
        committing = False
        try:
            announcement = await self._write(connection, batch)
            committing = True
            await transaction.commit()
        except BaseException as error:
            await self._drop_connection()  # closing rolls back, whatever state it is in
            if not is_connection_error(error):
                raise
            if committing:
                raise OutcomeUnknown(
                    "The connection to the database was lost while storing. Read the home to"
                    " see whether it holds your report, or send it again with the same"
                    " Idempotency-Key."
                ) from error
            raise _unavailable() from error
        return announcement

    async def _begin(self) -> tuple[Connection, Transaction]:
        """A transaction on a connection of our own: the pool would reset it every time.

        The one we hold may have died since the last batch, and with it those in the pool;
        nothing was sent yet, so a second try with a new one is safe.
        """
        for attempt in (1, 2):
            try:
                if self._connection is None:
                    self._connection = await self._pool.acquire(timeout=5)
                transaction = self._connection.transaction()
                await transaction.start()
            except BaseException as error:
                await self._drop_connection()
                if not is_connection_error(error):
                    raise
                if attempt == 2:
                    raise _unavailable() from error
                await self._pool.expire_connections()
            else:
                return self._connection, transaction
        raise AssertionError("unreachable")

    async def _write(self, connection: Connection, batch: list[_Unit]) -> Announcement | None:
        """Everything between BEGIN and COMMIT."""
        await _claim(connection, batch)
        units = [unit for unit in batch if unit.settled is None]
        if not units:
            return None
        ids = sorted({command.home_id for unit in units for command in unit.commands})
        stored = await lock_homes(connection, ids)
        at: datetime = await connection.fetchval("SELECT clock_timestamp()")
        accepted = _decide(units, dict(stored), at)
        if not accepted:
            await _remember(connection, units)
            return None
        first = await advance_head(connection, len(accepted))
        changed = _stamp(accepted, stored, first)
        whole = [h for h in changed.values() if not _same_profile(h, stored.get(h.id))]
        partial = [h for h in changed.values() if _same_profile(h, stored.get(h.id))]
        if partial:
            await update_reports(connection, partial)
        if whole and await upsert_homes(connection, whole, stored) < len(whole):
            raise _LostRace
        await reports.insert_reports(connection, accepted)
        await _remember(connection, units)
        return Announcement(
            first=first,
            last=first + len(accepted) - 1,
            listings=tuple(
                public_listing(home) for home in sorted(changed.values(), key=lambda h: h.revision)
            ),
        )

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # One that was lost has gone back to the pool by itself; then both calls complain.
            with suppress(*CONNECTION_ERRORS):
                connection.terminate()
            with suppress(*CONNECTION_ERRORS):
                await self._pool.release(connection)


async def _claim(connection: Connection, batch: Sequence[_Unit]) -> None:
    """Settle the units that repeat a call, or that another process works on."""
    for unit in batch:
        unit.outcomes, unit.settled = [], None
    calls = [(unit, unit.remembered) for unit in batch if unit.remembered is not None]
    if not calls:
        return
    verdicts = await idempotency.claim_calls(connection, [call for _, call in calls])
    for (unit, _), verdict in zip(calls, verdicts, strict=True):
        unit.settled = Settled([], replay=verdict) if isinstance(verdict, bytes) else verdict


async def _remember(connection: Connection, units: Sequence[_Unit]) -> None:
    answers = [
        (unit.remembered, answer)
        for unit in units
        if unit.remembered is not None
        and (answer := unit.remembered.render(unit.outcomes)) is not None
    ]
    if answers:
        await idempotency.insert_answers(connection, answers)


def _decide(
    units: Sequence[_Unit], homes: dict[str, CareHome], at: datetime
) -> list[tuple[Command, Outcome]]:
    """Let each command decide on the state that those before it leave."""
    accepted = []
    for unit in units:
        for command in unit.commands:
            before = homes.get(command.home_id)
            try:
                after = command.decide(before, at)
            except FreiplatzError as error:
                unit.outcomes.append(Outcome(error=error))
                continue
            outcome = Outcome(home=after, changed=after is not before, created=before is None)
            unit.outcomes.append(outcome)
            if outcome.changed:
                # Never judged for an earlier moment than before, should the clock step back.
                after = evaluate(after, max(at, before.evaluated_at) if before else at)
                outcome.home = homes[command.home_id] = after
                accepted.append((command, outcome))
    return accepted


def _stamp(
    accepted: list[tuple[Command, Outcome]], stored: dict[str, CareHome], first: int
) -> dict[str, CareHome]:
    """Give each accepted change its revision; returns the last state of each home."""
    changed: dict[str, CareHome] = {}
    for revision, (_, outcome) in enumerate(accepted, start=first):
        home = outcome.home
        assert home is not None
        before = changed.get(home.id) or stored.get(home.id)
        moved = before is None or before.profile.point != home.profile.point
        moved_revision = revision if moved or before is None else before.moved_revision
        outcome.home = replace(home, revision=revision, moved_revision=moved_revision)
        changed[home.id] = outcome.home
    return changed


def _same_profile(home: CareHome, before: CareHome | None) -> bool:
    return (
        before is not None and before.profile is home.profile and before.identity == home.identity
    )


def _unavailable() -> Unavailable:
    return Unavailable("The database does not answer. Nothing was changed; try again soon.")


def _refusal(error: Exception) -> FreiplatzError:
    if isinstance(error, (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, _LostRace)):
        return Unavailable("The home is being changed by others. Nothing was changed; try again.")
    return Unavailable("The report could not be stored. Nothing was changed.")
