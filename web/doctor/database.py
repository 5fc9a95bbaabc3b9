"""Looks at Postgres: that it keeps what it takes, and has what the service needs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from vacancies.database import Connection, OutdatedSchema, Pool, check_schema
from vacancies.listings import REGION
from vacancies.roles import ROLES
from web.doctor.finding import Finding, bad, good, warning

TESTED_POSTGRES = 18
OLDEST_POSTGRES = 15
WORKER_CONNECTIONS = 13
SPARE_CONNECTIONS = 10  # for commands, backups, and whoever looks
CLOCK_SECONDS = 1.0
_DURABLE = {"fsync": "on", "full_page_writes": "on"}


async def look_at_database(pool: Pool, workers: int) -> AsyncIterator[Finding]:
    """`workers` is how many web processes of one machine are to be served."""
    async with pool.acquire() as connection:
        yield _of_version(connection)
        yield await _of_schema(pool)
        yield await _of_roles(connection)
        async for finding in _of_owner(connection):
            yield finding
        yield await _of_durability(connection)
        yield await _of_connections(connection, workers)
        yield await _of_time_zone(connection)
        yield await _of_clock(connection)


def _of_version(connection: Connection) -> Finding:
    found = connection.get_server_version()
    says = f"PostgreSQL {found.major}.{found.micro} answers."
    if found.major < OLDEST_POSTGRES:
        remedy = f"Take {OLDEST_POSTGRES} or newer; the tests run with {TESTED_POSTGRES}."
        return bad("database", says, remedy)
    return good("database", says)


async def _of_schema(pool: Pool) -> Finding:
    try:
        await check_schema(pool)
    except OutdatedSchema as error:
        return bad("migrations", error.detail, "Run: freiplatz migrate")
    return good("migrations", "All migrations have run.")


async def _of_roles(connection: Connection) -> Finding:
    wanted = "SET" if connection.get_server_version().major >= 16 else "MEMBER"
    missing = [
        role
        for role in ROLES
        if not await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1"
            " AND pg_has_role(current_user, oid, $2))",
            role,
            wanted,
        )
    ]
    if missing:
        return bad(
            "roles",
            f"The user of the database cannot take on {', '.join(missing)}.",
            "Run: freiplatz migrate. If it may not make roles, it says what an administrator runs.",
        )
    return good("roles", "The user can take on all roles.")


async def _of_owner(connection: Connection) -> AsyncIterator[Finding]:
    """Row-level security shows nothing to one that is neither owner nor superuser."""
    row = await connection.fetchrow(
        "SELECT tableowner, quote_ident(current_user) AS mine,"
        " pg_has_role(current_user, tableowner, 'USAGE') AS is_owner"
        " FROM pg_tables WHERE schemaname = 'public' AND tablename = 'care_home'"
    )
    if row is not None and not row["is_owner"]:
        yield bad(
            "owner",
            f"The tables belong to {row['tableowner']}, and the service works as {row['mine']}.",
            "Migrate and serve with the same user, or run as an administrator:"
            f" REASSIGN OWNED BY {row['tableowner']} TO {row['mine']};",
        )


async def _of_durability(connection: Connection) -> Finding:
    found = {name: await connection.fetchval(f"SHOW {name}") for name in _DURABLE}
    found["synchronous_commit"] = await connection.fetchval("SHOW synchronous_commit")
    loose = [name for name, value in found.items() if value == "off"]
    if loose:
        return bad(
            "durability",
            f"{', '.join(loose)} is off: reports that were taken can be lost.",
            " ".join(f"ALTER SYSTEM SET {name} = on;" for name in loose)
            + " SELECT pg_reload_conf();",
        )
    return good("durability", "What is committed is on the disk.")


async def _of_connections(connection: Connection, workers: int) -> Finding:
    most = int(await connection.fetchval("SHOW max_connections"))
    used = int(await connection.fetchval("SELECT count(*) FROM pg_stat_activity"))
    needed = workers * WORKER_CONNECTIONS + SPARE_CONNECTIONS
    says = f"{used} of {most} connections are in use; {workers} web processes take up to {needed}."
    if most < needed:
        return bad(
            "connections",
            says,
            f"ALTER SYSTEM SET max_connections = {2 * needed}; then start Postgres again.",
        )
    if used > most * 0.9:
        return warning(
            "connections",
            says,
            "See who has them: SELECT usename, application_name, count(*) FROM pg_stat_activity"
            " GROUP BY 1, 2;",
        )
    return good("connections", says)


async def _of_time_zone(connection: Connection) -> Finding:
    known = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)", str(REGION)
    )
    if not known:
        return bad(
            "time zone",
            f"Postgres does not know {REGION}: days would begin at the wrong hour.",
            "Install the time zones of the database server (Debian: apt-get install tzdata).",
        )
    return good("time zone", f"Postgres knows {REGION}.")


async def _of_clock(connection: Connection) -> Finding:
    began_at = time.time()
    at = await connection.fetchval("SELECT clock_timestamp()")
    ahead = at.timestamp() - (began_at + time.time()) / 2
    says = f"The clock of the database is {abs(ahead):.3f} s {'ahead' if ahead > 0 else 'behind'}."
    if abs(ahead) > CLOCK_SECONDS:
        return warning(
            "clock",
            says,
            "Let both machines keep time (chrony or systemd-timesyncd): timedatectl status",
        )
    return good("clock", says)
