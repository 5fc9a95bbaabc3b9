"""The curves in Postgres: fitted once a day by one process, read by all.

Whoever holds the advisory lock fits; all others see from `lasting_fit` that there is something
new. A demo has no curves: its reports are made up.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from vacancies.database import Connection, Pool, borrowed, is_connection_error
from vacancies.lasting import Curves, Step, fit
from vacancies.lasting_history import select_cells

log = structlog.get_logger()

LOOK_SECONDS = 300.0
FIT_AFTER = timedelta(hours=24)
FIT_LOCK = 0x6C617374  # "last"


async def fit_history(connection: Connection) -> int:
    """Fit the history as it is now, and put the steps in the place of those before; returns how
    many there are. A demo has none."""
    async with connection.transaction():
        at: datetime = await connection.fetchval("SELECT now()")
        demo = await connection.fetchval("SELECT demo FROM deployment")
        steps = [] if demo else fit(await select_cells(connection, at))
        await record_steps(connection, steps, at)
    return len(steps)


async def record_steps(connection: Connection, steps: list[Step], at: datetime) -> None:
    """In a transaction: nobody sees half of them."""
    await connection.execute("DELETE FROM lasting_curve")
    await connection.copy_records_to_table("lasting_curve", records=steps, columns=Step._fields)
    await connection.execute(
        "INSERT INTO lasting_fit (fitted_at) VALUES ($1)"
        " ON CONFLICT (only_row) DO UPDATE SET fitted_at = excluded.fitted_at",
        at,
    )


async def select_steps(connection: Connection | Pool) -> list[Step]:
    """All steps, shown and refused ones, in order."""
    columns = ", ".join(Step._fields)
    rows = await connection.fetch(f"SELECT {columns} FROM lasting_curve ORDER BY {columns}")
    return [Step(*row) for row in rows]


async def select_fitted_at(connection: Connection | Pool) -> datetime | None:
    """When the history was fitted last."""
    at: datetime | None = await connection.fetchval("SELECT fitted_at FROM lasting_fit")
    return at


class Lasting:
    """The curves as this process knows them."""

    def __init__(self) -> None:
        self.curves = Curves()
        self._fitted_at: datetime | None = None

    async def refresh(self, pool: Pool) -> None:
        """Read the curves if there are newer ones. In a demo there are none, whatever stands in
        the database."""
        at = await select_fitted_at(pool)
        if at == self._fitted_at:
            return
        demo = await pool.fetchval("SELECT demo FROM deployment")
        self.curves = Curves([] if demo else await select_steps(pool))
        self._fitted_at = at

    async def run_for_ever(self, pool: Pool, *, seconds: float = LOOK_SECONDS) -> None:
        """Every `seconds`: fit if it is time and nobody else does, and read what is new."""
        while True:
            try:
                await self.refresh(pool)
                if await fit_if_due(pool):
                    await self.refresh(pool)
            except Exception as error:
                if is_connection_error(error):
                    log.warning("fitting failed", error=type(error).__name__)
                else:
                    log.exception("fitting failed")
            await asyncio.sleep(seconds)


async def fit_if_due(pool: Pool) -> bool:
    """Whether it was a day ago, and is done now."""
    async with borrowed(pool) as connection:
        if not await _is_due(connection):
            return False
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", FIT_LOCK):
            return False
        try:
            # Another one may have been at it while we looked.
            if not await _is_due(connection):
                return False
            steps = await fit_history(connection)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", FIT_LOCK)
    log.info("fitted how long places stay free", steps=steps)
    return True


async def _is_due(connection: Connection) -> bool:
    """By the database's clock."""
    return bool(
        await connection.fetchval(
            "SELECT NOT EXISTS (SELECT FROM lasting_fit WHERE fitted_at > now() - $1::interval)",
            FIT_AFTER,
        )
    )
