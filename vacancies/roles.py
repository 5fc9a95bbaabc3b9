"""The roles in which parts of the service work in the database. Nobody signs in as one of them: the
user of the service takes them on, and then may do what its task needs and no more.

They belong to the server, so all databases on it share them; what they may do in a database is said
by its migrations.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import asyncpg

from vacancies.errors import Unavailable

if TYPE_CHECKING:  # migrations need the roles
    from vacancies.database import Connection

Role = Literal["freiplatz_writer", "freiplatz_follower", "freiplatz_desk"]
ROLES: tuple[Role, ...] = ("freiplatz_writer", "freiplatz_follower", "freiplatz_desk")


async def ensure_roles(connection: Connection) -> None:
    """Make the roles that are missing, and let the user of this connection take them on.

    Raises `Unavailable` where it may not; the sentence says what an administrator has to run.
    """
    for role in ROLES:
        try:
            await _ensure_role(connection, role)
        except asyncpg.InsufficientPrivilegeError as error:
            user = await connection.fetchval("SELECT quote_ident(current_user)")
            wanted = " ".join(f"CREATE ROLE {each}; GRANT {each} TO {user};" for each in ROLES)
            raise Unavailable(
                "The database user may not make the roles that the service needs. Let an"
                f" administrator of the database server run once: {wanted}"
            ) from error


async def _ensure_role(connection: Connection, role: Role) -> None:
    known = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
    if not await connection.fetchval(known, role):
        # Another database of this server may be quicker.
        with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            await connection.execute(f"CREATE ROLE {role} NOLOGIN")
    # A superuser may take on every role. Whoever made one is a member, but may not take it on yet
    # from release 16 on.
    wanted = "SET" if connection.get_server_version().major >= 16 else "MEMBER"
    if not await connection.fetchval("SELECT pg_has_role(current_user, $1, $2)", role, wanted):
        await connection.execute(f"GRANT {role} TO current_user")
