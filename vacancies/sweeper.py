"""Time is a reporter: homes whose listing time alone has changed get a new revision, and so do
those for which another policy holds now, or that lie in another municipality by now.

One sweeper in the deployment, whoever holds the advisory lock, by the database's clock. So
there is one mechanism for every change, and no client needs a clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from vacancies.assignment import Assigner
from vacancies.command import Command
from vacancies.database import Pool, borrowed, is_connection_error
from vacancies.errors import FreiplatzError
from vacancies.idempotency import delete_old_answers
from vacancies.judging import (
    Admit,
    Judge,
    Reevaluate,
    select_due_homes,
    select_homes_to_admit,
    select_misjudged_homes,
)
from vacancies.municipalities import select_generation
from vacancies.writer import Writer

log = structlog.get_logger()

SWEEP_SECONDS = 10.0
SWEEP_HOMES = 500
SWEEPER_LOCK = 0x73776565  # "swee"


async def sweep_for_ever(pool: Pool, writer: Writer, *, seconds: float = SWEEP_SECONDS) -> None:
    """Sweep every `seconds`, in whichever process has the lock just then."""
    assigner = Assigner()
    while True:
        try:
            await sweep(pool, writer, assigner)
        except FreiplatzError as error:
            log.warning("sweeping failed", code=error.code)
        except Exception as error:
            if is_connection_error(error):
                log.warning("sweeping failed", error=type(error).__name__)
            else:
                log.exception("sweeping failed")
        await asyncio.sleep(seconds)


async def sweep(pool: Pool, writer: Writer, assigner: Assigner | None = None) -> int:
    """Judge all homes that are due, or by another policy now, assign those that are new or have
    moved, and show those that wait where nobody approves; returns how many changed.

    Does nothing while another process sweeps. The lock ends with its connection, so a
    process that dies does not hold it.
    """
    changed = 0
    async with borrowed(pool) as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", SWEEPER_LOCK):
            return 0
        try:
            while ids := await select_due_homes(connection, SWEEP_HOMES):
                done = await _submit(writer, [Reevaluate(home_id=home_id) for home_id in ids])
                changed += done
                if done == 0:
                    break  # the clock of the next round will see them
            # First: another municipality may have another policy.
            changed += await (assigner or Assigner()).run(connection, writer)
            while misjudged := await select_misjudged_homes(connection, SWEEP_HOMES):
                done = await _submit(
                    writer, [Judge(home_id=home_id, policy=policy) for home_id, policy in misjudged]
                )
                changed += done
                if done == 0:
                    break
            generation = await select_generation(connection)
            while waiting := await select_homes_to_admit(connection, generation, SWEEP_HOMES):
                done = await _submit(
                    writer, [Admit(home_id=home_id, municipality=key) for home_id, key in waiting]
                )
                changed += done
                if done == 0:
                    break
            await delete_old_answers(connection)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", SWEEPER_LOCK)
    return changed


async def _submit(writer: Writer, commands: Sequence[Command]) -> int:
    """How many homes have changed."""
    settled = await writer.submit(commands)
    return sum(outcome.changed for outcome in settled.outcomes)
