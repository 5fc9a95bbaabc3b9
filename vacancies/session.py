"""The writer's own connection, from one batch to the next."""

from __future__ import annotations

from contextlib import suppress

import asyncpg

from vacancies.database import CONNECTION_ERRORS, Pool, PoolConnection, is_connection_error
from vacancies.errors import FreiplatzError, Unavailable

# The writer may do what a batch needs, and no more (`roles.py`).
# A plan for each batch anew would cost more than the batch. One that is kept must not be what was
# best while the tables were still empty: a batch goes by the indexes, always.
_SETTINGS = (
    "SET ROLE freiplatz_writer; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
    " SET enable_hashjoin = off; SET enable_mergejoin = off"
)


class Session:
    """Begins one transaction after the other; whoever fails in one must `drop` it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._connection: PoolConnection | None = None

    @property
    def connection(self) -> PoolConnection | None:
        """The connection of the last transaction, unless it is known to be lost."""
        held = self._connection
        try:
            return None if held is None or held.is_closed() else held
        except asyncpg.InterfaceError:  # it has gone back to the pool by itself
            return None

    async def begin(self) -> tuple[PoolConnection, bool]:
        """A connection with a transaction just begun, and whether the connection is new.

        The one we hold may have died since the last batch, and with it those in the pool;
        nothing was sent yet, so a second try with a new one is safe.
        """
        for attempt in (1, 2):
            is_new = self._connection is None
            try:
                if self._connection is None:
                    self._connection = await self._pool.acquire(timeout=5)
                    await self._connection.execute(_SETTINGS)
                await self._connection.execute("BEGIN")
            except BaseException as error:
                await self.drop()
                if not is_connection_error(error):
                    raise
                if attempt == 2:
                    raise unavailable() from error
                await self._pool.expire_connections()
            else:
                return self._connection, is_new
        raise AssertionError("unreachable")

    async def fail(self, error: BaseException, lost: FreiplatzError) -> None:
        """End the transaction that `error` has interrupted. Raises `lost` if the connection was
        lost over the last statement: then nobody knows what became of it; `Unavailable` if it
        was lost before."""
        if isinstance(error, Exception) and not is_connection_error(error):
            await self._roll_back()
            return
        await self.drop()
        if isinstance(error, Exception):
            raise (unavailable() if _was_not_sent(error) else lost) from error

    async def _roll_back(self) -> None:
        """Before anything else is begun: a connection that is closed may hold its locks a
        moment longer."""
        try:
            if self._connection is not None and self._connection.is_in_transaction():
                await self._connection.execute("ROLLBACK")
        except BaseException as error:
            await self.drop()
            if not is_connection_error(error):
                raise

    async def drop(self) -> None:
        """Close the connection: that rolls back, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # One that was lost has gone back to the pool by itself; then both calls complain.
            with suppress(*CONNECTION_ERRORS):
                connection.terminate()
            with suppress(*CONNECTION_ERRORS):
                await self._pool.release(connection)


def _was_not_sent(error: Exception) -> bool:
    """Whether asyncpg refused by itself: the connection is closed, or the server's farewell
    has come and its end has not."""
    return isinstance(error, asyncpg.InterfaceError) or (
        isinstance(error, asyncpg.InternalClientError) and "cannot switch" in str(error)
    )


def unavailable() -> Unavailable:
    return Unavailable("The database does not answer. Nothing was changed; try again soon.")
