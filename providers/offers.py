"""What a link of `signin.py` offers, and how it is redeemed: once, and by whom it was meant for."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from providers.desks import DeskRole, ensure_desk_member
from providers.sessions import hash_secret
from providers.staff import Staff, ensure_membership, ensure_staff, select_staff
from vacancies.database import Connection
from vacancies.errors import FreiplatzError


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
