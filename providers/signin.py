"""Links sent by mail: to sign in, and to accept an invitation. Each is good once.

A link to sign in lives for ten minutes and opens only in the browser that asked, so that a link
that was passed on, or read by somebody else, is of no use. An invitation lives for a week, opens
in any browser, and gives the membership when it is accepted.

How many go to one address is counted here, under a lock, in the table that holds them: nobody's
mailbox can be flooded, whatever else fails.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import NamedTuple

from providers.desks import DeskRole
from providers.sessions import hash_secret, revoke_sessions
from providers.staff import (
    Staff,
    normal_email,
    select_staff,
)
from vacancies.database import Connection
from vacancies.errors import FreiplatzError, InvalidInput

LINK_LIVES = timedelta(minutes=10)
INVITATION_LIVES = timedelta(days=7)
MOST_LINKS_AN_HOUR = 5
MOST_INVITATIONS_A_DAY = 3
MOST_INVITATIONS_BY_ONE_A_DAY = 100
# A desk asks all homes of its area on one day; more than a few mails a home it never needs.
MOST_INVITATIONS_BY_DESK_A_DAY = 1000
MOST_INVITATIONS_FOR_HOME_A_DAY = 5
_SIGNS_IN = "provider_id IS NULL AND municipality IS NULL"  # no invitation
_KEPT = timedelta(days=1)  # after they are void, so that the counts are right
_MOST_ADDRESS_CHARACTERS = 254  # RFC 5321, section 4.5.3.1.3
# The dot-string of RFC 5321, section 4.1.2: quoted names are not in use.
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*")


class TooManyInvitations(FreiplatzError):
    """That address, or the one who invites, has had enough mail for a day."""

    code = "too_many_invitations"


def checked_email(text: str) -> str:
    """An address to which mail can go, as it is stored: domains with umlauts in their ASCII form
    (IDNA). Raises `InvalidInput`."""
    name, at, domain = normal_email(text).rpartition("@")
    try:
        # Long ones are not even looked at: the codec takes its time for them.
        is_long = len(domain) > _MOST_ADDRESS_CHARACTERS
        email = "" if is_long else f"{name}@{domain.encode('idna').decode()}"
    except UnicodeError:
        email = ""
    if not at or not _ADDRESS.fullmatch(email) or len(email) > _MOST_ADDRESS_CHARACTERS:
        raise InvalidInput("This is no e-mail address. Check it.", field="email")
    return email


async def issue_link(connection: Connection, email: str, browser: str) -> tuple[Staff, str] | None:
    """For whom, and what the link to sign in holds; None if nobody has that address, or it was
    sent enough links in the last hour.

    `browser` is the value of a cookie of the browser that asks.
    """
    staff = await select_staff(connection, email)
    if staff is None:
        return None
    token = secrets.token_urlsafe(32)
    async with connection.transaction():
        await _lock(connection, f"links to {staff.email}")
        sent = await connection.fetchval(
            f"SELECT count(*) FROM signin WHERE email = $1 AND {_SIGNS_IN}"
            " AND created_at > clock_timestamp() - interval '1 hour'",
            staff.email,
        )
        if sent >= MOST_LINKS_AN_HOUR:
            return None
        # The clock as it is once the lock is held: now() is when the transaction began.
        await connection.execute(
            "INSERT INTO signin (hash, email, browser, created_at, expires_at)"
            " VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4::interval)",
            hash_secret(token),
            staff.email,
            hash_secret(browser),
            LINK_LIVES,
        )
    await connection.execute("DELETE FROM signin WHERE expires_at < now() - $1::interval", _KEPT)
    return staff, token


async def issue_invitation(
    connection: Connection,
    email: str,
    provider_id: int | None,
    home_id: str | None = None,
    *,
    municipality: str | None = None,
    role: DeskRole | None = None,
    invited_by: int | None = None,
    by_desk: bool = False,
    in_same_mail: bool = False,
) -> str:
    """What the link of an invitation holds: to report for a provider, or to the desk of a
    municipality. One that was sent for the same is void from now on.

    `by_desk`: somebody at the desk of a municipality asks a home, and may ask many. With
    `in_same_mail` it goes out together with the one before, which has counted for the address.

    Raises `InvalidInput` and `TooManyInvitations`.
    """
    email = checked_email(email)
    token = secrets.token_urlsafe(32)
    most_by_one = MOST_INVITATIONS_BY_DESK_A_DAY if by_desk else MOST_INVITATIONS_BY_ONE_A_DAY
    async with connection.transaction():
        await _lock(connection, f"invitations by {invited_by}")
        await _lock(connection, f"invitations to {email}")
        if by_desk:
            await _lock(connection, f"invitations for {home_id}")
        sent = await _count_invitations(connection, email, invited_by, home_id)
        if sent.to_address >= MOST_INVITATIONS_A_DAY and not in_same_mail:
            raise TooManyInvitations("This address was invited often today. Try again tomorrow.")
        if invited_by is not None and sent.by_one >= most_by_one:
            raise TooManyInvitations("You have invited many people today. Go on tomorrow.")
        if by_desk and sent.for_home >= MOST_INVITATIONS_FOR_HOME_A_DAY:
            raise TooManyInvitations("This home was asked often today. Try again tomorrow.")
        await connection.execute(
            "UPDATE signin SET expires_at = least(expires_at, clock_timestamp())"
            " WHERE email = $1 AND (provider_id, home_id, municipality)"
            " IS NOT DISTINCT FROM ($2::bigint, $3::text, $4::text)"
            f" AND NOT ({_SIGNS_IN})",
            email,
            provider_id,
            home_id,
            municipality,
        )
        await connection.execute(
            "INSERT INTO signin (hash, email, provider_id, home_id, municipality, role,"
            " invited_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7,"
            " clock_timestamp(), clock_timestamp() + $8::interval)",
            hash_secret(token),
            email,
            provider_id,
            home_id,
            municipality,
            role,
            invited_by,
            INVITATION_LIVES,
        )
    return token


async def revoke_access(connection: Connection, staff: Staff) -> int:
    """For a phone that was lost, or an account that somebody else got into: sign the person out
    everywhere, and end links that were sent and passkeys, which may be somebody else's. The
    number of sessions that were ended. The person may sign in anew."""
    async with connection.transaction():
        await connection.execute(
            "UPDATE signin SET expires_at = least(expires_at, now())"
            f" WHERE email = $1 AND {_SIGNS_IN}",
            staff.email,
        )
        await connection.execute("DELETE FROM passkey WHERE staff_id = $1", staff.id)
        return await revoke_sessions(connection, staff.id)


class _Sent(NamedTuple):
    """Invitations of the last 24 hours."""

    to_address: int
    by_one: int
    for_home: int


async def _count_invitations(
    connection: Connection, email: str, invited_by: int | None, home_id: str | None
) -> _Sent:
    """How many went to that address, how many that person sent, and how many are for that home."""
    row = await connection.fetchrow(
        "SELECT count(*) FILTER (WHERE email = $1) AS to_address,"
        " count(*) FILTER (WHERE invited_by = $2) AS by_one,"
        " count(*) FILTER (WHERE home_id = $3) AS for_home FROM signin"
        f" WHERE NOT ({_SIGNS_IN}) AND created_at > clock_timestamp() - interval '24 hours'"
        " AND (email = $1 OR invited_by = $2 OR home_id = $3)",
        email,
        invited_by,
        home_id,
    )
    assert row is not None
    return _Sent(*row)


async def discard_invitation(connection: Connection, hashed: bytes) -> None:
    """Nobody has got it: the mail could not be handed over. So it does not count either."""
    await connection.execute("DELETE FROM signin WHERE hash = $1 AND used_at IS NULL", hashed)


async def _lock(connection: Connection, what: str) -> None:
    """Hold back all others who count the same, to the end of the transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", what)
