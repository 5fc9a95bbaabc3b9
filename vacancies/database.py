"""The pool of connections, and migrations.

SQL itself stands beside the dataclass that it fills: `homes.py`, `reports.py`, …
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from vacancies.errors import FreiplatzError, Unavailable
from vacancies.roles import ensure_roles

if TYPE_CHECKING:
    PoolConnection: TypeAlias = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnection
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:  # asyncpg's own classes take no parameters
    Connection = PoolConnection = Pool = Any

# A transaction that waits or dawdles for longer than this is in trouble; without these
# limits one stuck process would hold the revision head against all others.
SERVER_SETTINGS = {
    "application_name": "freiplatz",
    "timezone": "UTC",
    "lock_timeout": "5s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "10s",
    # A machine that vanishes says nothing. Without these Postgres keeps its sessions for two hours,
    # and the advisory locks with them: nobody else could sweep. Over a Unix socket they do nothing.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25s",
}
# A server that is stopped or cut off says nothing at all: then we give up, and try anew.
ACQUIRE_SECONDS = 2.0
COMMAND_SECONDS = 5.0
MIGRATION_SECONDS = 3600.0
MIGRATION_LOCK = 0x66726569  # "frei": one migrator at a time

# What asyncpg and the socket below it raise when the server is away or going away.
CONNECTION_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # the server's farewell came between two calls
)


def is_connection_error(error: BaseException) -> bool:
    """Whether the server or the way to it is the trouble, not the statement or its values
    (asyncpg's error for an argument of the wrong type is an `InterfaceError` too)."""
    return isinstance(error, CONNECTION_ERRORS) and not isinstance(error, ValueError)


class OutdatedSchema(FreiplatzError):
    """The database and the program do not fit together."""

    code = "outdated_schema"


async def open_pool(database_url: str, *, size: int = 8, role: str | None = None) -> Pool:
    """Connect; raises `Unavailable` if nobody answers. With a `role` (`roles.py`) all connections
    work as that one from their beginning, and are opened when they are needed."""
    try:
        return await asyncpg.create_pool(
            database_url,
            min_size=0 if role else 1,
            max_size=size,
            timeout=10,
            command_timeout=COMMAND_SECONDS,
            server_settings=SERVER_SETTINGS | ({"role": role} if role else {}),
            reset=_leave_as_it_is,
        )
    except (*CONNECTION_ERRORS, asyncpg.PostgresError, ValueError) as error:
        raise Unavailable(
            f"The database does not answer ({error}). Check FREIPLATZ_DATABASE_URL."
        ) from error


async def _leave_as_it_is(connection: Connection) -> None:
    """Resetting a session asks the server once more after every query: nobody who borrows a
    connection leaves settings or locks of a session behind."""


@asynccontextmanager
async def borrowed(pool: Pool) -> AsyncIterator[PoolConnection]:
    """A connection of the pool, which does not come back to it if it is in trouble: giving
    back waits for the server's word, and a server that hangs has none."""
    connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
    try:
        yield connection
    except BaseException as error:
        if is_connection_error(error) or isinstance(error, asyncio.CancelledError):
            with suppress(asyncpg.InterfaceError):
                connection.terminate()
        raise
    finally:
        with suppress(asyncpg.InterfaceError):
            await pool.release(connection, timeout=ACQUIRE_SECONDS)


def migrations() -> list[tuple[int, str, str]]:
    """(number, name, SQL) of every migration, in order."""
    folder = files("vacancies").joinpath("migrations")
    return sorted(
        (int(entry.name[:4]), entry.name, entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    )


async def migrate(pool: Pool, report: Callable[[str], None] = lambda line: None) -> int:
    """Bring the schema up to date; returns how many migrations ran.

    Each runs in a transaction of its own under one advisory lock. A migration that was
    edited after it ran is an error: its hash is stored.
    """
    done = 0
    async with pool.acquire() as connection:
        lock = "SELECT set_config('statement_timeout', '0', false), pg_advisory_lock($1)"
        await connection.execute(lock, MIGRATION_LOCK, timeout=MIGRATION_SECONDS)
        try:
            await ensure_roles(connection)
            await create_migration_table(connection)
            applied = await select_applied(connection)
            for number, name, sql in migrations():
                if number in applied:
                    if applied[number] != migration_hash(sql):
                        raise OutdatedSchema(f"Migration {name} was edited after it ran.")
                    continue
                report(f"Migrating: {name}")
                async with connection.transaction():
                    await apply_migration(connection, number, name, sql)
                done += 1
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)
            await connection.execute("RESET statement_timeout")
    return done


def migration_hash(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


async def create_migration_table(connection: Connection) -> None:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY,"
        " name text NOT NULL, hash text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )


async def apply_migration(connection: Connection, number: int, name: str, sql: str) -> None:
    """Run one migration and note it, in the caller's transaction."""
    await connection.execute(sql, timeout=MIGRATION_SECONDS)
    await connection.execute(
        "INSERT INTO migration (number, name, hash) VALUES ($1, $2, $3)",
        number,
        name,
        migration_hash(sql),
    )


async def check_schema(pool: Pool) -> None:
    """Raise `OutdatedSchema` while migrations are missing."""
    try:
        applied = await select_applied(pool)
    except asyncpg.UndefinedTableError:
        applied = {}
    missing = [name for number, name, _ in migrations() if number not in applied]
    if missing:
        raise OutdatedSchema(
            f"The database lacks {len(missing)} migration(s). Run `freiplatz migrate` first."
        )


async def select_applied(connection: Connection | Pool) -> dict[int, str]:
    """The number and the hash of every migration that has run."""
    rows = await connection.fetch("SELECT number, hash FROM migration")
    return {row["number"]: row["hash"] for row in rows}


async def select_epoch(connection: Connection | Pool) -> str:
    """What names this history of the database: the stored random value with the system
    identifier and timeline, so that a restored or promoted copy is another epoch."""
    row = await connection.fetchrow(
        "SELECT epoch, s.system_identifier, c.timeline_id"
        " FROM deployment, pg_control_system() s, pg_control_checkpoint() c"
    )
    assert row is not None
    parts = f"{row['epoch']}/{row['system_identifier']}/{row['timeline_id']}"
    return hashlib.sha256(parts.encode()).hexdigest()[:12]
