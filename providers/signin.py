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
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg
import msgspec

from providers.desks import DeskRole, ensure_desk_member
from providers.sessions import hash_secret, revoke_sessions
from providers.staff import (
    Staff,
    ensure_membership,
    ensure_staff,
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


class SignInRefused(FreiplatzError):
    """The link opens nothing: unknown, withdrawn, or for somebody who may do nothing here."""

    code = "signin_refused"


class SignInExpired(SignInRefused):
    """The link was good until its time was over."""

    code = "signin_expired"


class SignInUsed(SignInRefused):
    """The link was used before."""

    code = "signin_used"


class OtherBrowser(SignInRefused):
    """The link was asked for in another browser."""

    code = "signin_other_browser"


class TooManyInvitations(FreiplatzError):
    """That address, or the one who invites, has had enough mail for a day."""

    code = "too_many_invitations"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a link offers. An invitation has a provider, and for home staff a home; or it is to the
    desk of a municipality, as what `role` says."""

    email: str
    provider_id: int | None
    provider_name: str | None
    home_id: str | None
    home_name: str | None
    municipality: str | None
    municipality_name: str | None
    role: DeskRole | None
    invited_by: int | None
    expires_at: datetime
    is_known: bool  # somebody has that address here already

    @property
    def is_invitation(self) -> bool:
        return self.provider_id is not None or self.municipality is not None


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


_OFFER = (
    "email, provider_id, home_id, invited_by, expires_at,"
    " (SELECT p.name FROM provider p WHERE p.id = signin.provider_id) AS provider_name,"
    " (SELECT h.name FROM care_home h WHERE h.id = signin.home_id) AS home_name,"
    " municipality, role,"
    " (SELECT m.name FROM municipality m WHERE m.key = signin.municipality) AS municipality_name,"
    " EXISTS (SELECT FROM staff s WHERE s.email = signin.email) AS is_known"
)

# Who invites must still be in charge, of the provider or at the desk of the home's municipality: an
# invitation is no way to come back for somebody who was removed.
_GOOD = (
    "used_at IS NULL AND expires_at > now() AND (browser IS NULL OR browser = $2)"
    " AND (invited_by IS NULL OR EXISTS (SELECT FROM membership m"
    " WHERE m.staff_id = invited_by AND m.provider_id = signin.provider_id"
    " AND m.home_id IS NULL) OR EXISTS (SELECT FROM municipality_member m"
    " WHERE m.staff_id = invited_by AND m.municipality = signin.municipality"
    " AND m.role = 'admin') OR EXISTS (SELECT FROM care_home h WHERE h.id = signin.home_id"
    " AND h.provider_id = signin.provider_id AND works_for_home(invited_by, h.id)))"
)


async def select_offer(connection: Connection, token: str, browser: str) -> Offer:
    """What the link with that `token` offers to this `browser`. Changes nothing.

    Raises `SignInRefused` and its kinds.
    """
    row = await connection.fetchrow(
        f"SELECT {_OFFER} FROM signin WHERE hash = $1 AND {_GOOD}",
        hash_secret(token),
        hash_secret(browser),
    )
    if row is None:
        raise await _why(connection, token, browser)
    return _offer(row)


class Claimed(msgspec.Struct, frozen=True):
    """Who has redeemed a link, and whether that is enough to sign them in."""

    staff: Staff
    may_sign_in: bool


async def claim_offer(
    connection: Connection, token: str, browser: str, language: str = "de"
) -> Claimed:
    """Redeem the link. An accepted invitation has given its membership; whoever is new here gets
    the `language`. An invitation lives long and in any browser: it signs in only who is new, and
    never opens what somebody could do before.

    Raises `SignInRefused` and its kinds; then nothing has changed. Of several calls at the same
    time one gets it: they wait for the row.
    """
    async with connection.transaction():
        row = await connection.fetchrow(
            f"UPDATE signin SET used_at = clock_timestamp() WHERE hash = $1 AND {_GOOD}"
            f" RETURNING {_OFFER}",
            hash_secret(token),
            hash_secret(browser),
        )
        if row is None:
            raise await _why(connection, token, browser)
        offer = _offer(row)
        if not offer.is_invitation:
            staff = await select_staff(connection, offer.email)
            if staff is None:
                raise SignInRefused("Nobody is entered with this address any more.")
            return Claimed(staff, may_sign_in=True)
        staff = await ensure_staff(connection, offer.email, language=language)
        if offer.provider_id is not None:
            await ensure_membership(
                connection, staff.id, offer.provider_id, offer.home_id, created_by=offer.invited_by
            )
            await _record_acceptance(connection, hash_secret(token))
        if offer.municipality is not None and offer.role is not None:
            await ensure_desk_member(
                connection,
                staff.id,
                offer.municipality,
                offer.role,
                created_by=offer.invited_by,
            )
        return Claimed(staff, may_sign_in=not offer.is_known)


async def _record_acceptance(connection: Connection, hashed: bytes) -> None:
    """Where a desk has invited, it sees that; the letter through which it was done is void."""
    await connection.execute(
        "WITH accepted AS (UPDATE home_invitation SET accepted_at = now() WHERE signin = $1"
        " AND accepted_at IS NULL RETURNING letter_id) UPDATE home_letter l"
        " SET accepted_at = coalesce(l.accepted_at, now()) FROM accepted WHERE l.id = letter_id",
        hashed,
    )


async def _why(connection: Connection, token: str, browser: str) -> SignInRefused:
    """Why a link is not good. Only who holds the link learns it."""
    row = await connection.fetchrow(
        "SELECT used_at IS NOT NULL AS is_used, expires_at <= now() AS is_over,"
        " browser IS NOT NULL AND browser <> $2 AS is_elsewhere FROM signin WHERE hash = $1",
        hash_secret(token),
        hash_secret(browser),
    )
    if row is None:
        return SignInRefused("This link is not valid.")
    if row["is_used"]:
        return SignInUsed("This link was used before.")
    if row["is_over"]:
        return SignInExpired("The time of this link is over.")
    if row["is_elsewhere"]:
        return OtherBrowser("This link was asked for in another browser.")
    return SignInRefused("Who invited you may not do so any more.")


def _offer(row: asyncpg.Record) -> Offer:
    return Offer(**dict(row))
