"""Passkeys (WebAuthn Level 3): the quick way back in, without typing an address.

A challenge lies, signed, in a cookie of the browser that asked for it, with the database's clock
at that moment. It is good for five minutes, and once: a passkey that was used after the challenge
was made does not answer it again, and a passkey is entered only once. So nothing need be stored
for people who never come back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
import webauthn
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from providers.staff import Staff
from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError

CHALLENGE_LIVES = timedelta(minutes=5)
MOST_PASSKEYS = 20
_TIMEOUT_MS = int(CHALLENGE_LIVES.total_seconds() * 1000)
_MOST_LABEL_CHARACTERS = 80

Purpose = Literal["register", "authenticate"]


class PasskeyRefused(FreiplatzError):
    """The answer of the device is not good, whatever the reason."""

    code = "passkey_refused"


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey of a person; `label` says in words on which device it was made."""

    credential_id: bytes
    label: str
    created_at: datetime
    used_at: datetime | None

    @property
    def number(self) -> str:
        """What stands for the passkey in forms."""
        return self.credential_id.hex()


class Site(msgspec.Struct, frozen=True):
    """Where passkeys hold: `host` is the relying party's id, `origin` its address."""

    host: str
    origin: str
    secret: str  # signs challenges


class _Challenge(msgspec.Struct, frozen=True, array_like=True):
    purpose: Purpose
    staff_id: int  # 0 to authenticate: who it is will be seen
    made_at: int  # microseconds since 1970, by the database's clock
    value: bytes


async def begin_registration(connection: Connection, site: Site, staff: Staff) -> tuple[str, str]:
    """(options for the browser as JSON, value of the challenge cookie)."""
    known = await connection.fetch(
        "SELECT credential_id FROM passkey WHERE staff_id = $1", staff.id
    )
    if len(known) >= MOST_PASSKEYS:
        raise PasskeyRefused(f"Nobody needs more than {MOST_PASSKEYS} passkeys. Remove some first.")
    value, cookie = await _challenge(connection, site, "register", staff.id)
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Freiplatz",
        user_id=_user_handle(staff.id),
        user_name=staff.email,
        user_display_name=staff.name or staff.email,
        challenge=value,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            # Found by the device itself, and only after it has made sure who holds it: the
            # passkey is all that is asked for.
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=row["credential_id"]) for row in known
        ],
    )
    return webauthn.options_to_json(options), cookie


async def finish_registration(
    connection: Connection, site: Site, staff: Staff, cookie: str, credential: str, label: str
) -> None:
    """Enter the passkey that `credential` (JSON of the browser) tells of.

    Raises `PasskeyRefused`; then nothing has changed.
    """
    challenge = await _opened(connection, site, cookie, "register", staff.id)
    try:
        found = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge.value,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _refused() from error
    done = await connection.execute(
        "INSERT INTO passkey (credential_id, staff_id, public_key, sign_count, label)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        found.credential_id,
        staff.id,
        found.credential_public_key,
        found.sign_count,
        label[:_MOST_LABEL_CHARACTERS],
    )
    if done != "INSERT 0 1":
        raise PasskeyRefused("This passkey is entered already.")


async def begin_authentication(connection: Connection, site: Site) -> tuple[str, str]:
    """(options for the browser as JSON, value of the challenge cookie). They name no passkey, so
    they say nothing about who is known here."""
    value, cookie = await _challenge(connection, site, "authenticate", 0)
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        challenge=value,
        timeout=_TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options), cookie


async def finish_authentication(
    connection: Connection, site: Site, cookie: str, credential: str
) -> Staff:
    """The person whose passkey signed the challenge in `cookie`.

    Raises `PasskeyRefused`, in the same words whatever the reason.
    """
    challenge = await _opened(connection, site, cookie, "authenticate", 0)
    answer = _parsed(credential)
    row = await connection.fetchrow(
        "SELECT staff_id, public_key, sign_count FROM passkey WHERE credential_id = $1",
        answer.raw_id,
    )
    handle = answer.response.user_handle
    if row is None or (handle and handle != _user_handle(row["staff_id"])):
        raise _refused()
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge.value,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=row["public_key"],
            credential_current_sign_count=row["sign_count"],
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _refused() from error
    # Once more, with the row locked: of two calls with the same answer one gets in, and a
    # counter that does not rise is a copy of the passkey (devices without one stay at 0).
    signed_in = await connection.fetchrow(
        "UPDATE passkey p SET sign_count = $2, used_at = clock_timestamp() FROM staff f"
        " WHERE credential_id = $1 AND f.id = p.staff_id AND (used_at IS NULL OR used_at < $3)"
        " AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))"
        " RETURNING f.id, f.email, f.name, f.language, f.phone",
        answer.raw_id,
        found.new_sign_count,
        datetime.fromtimestamp(0, UTC) + timedelta(microseconds=challenge.made_at),
    )
    if signed_in is None:
        raise _refused()
    return Staff(**dict(signed_in))


async def select_passkeys(connection: Connection | Pool, staff_id: int) -> list[Passkey]:
    rows = await connection.fetch(
        "SELECT credential_id, label, created_at, used_at FROM passkey WHERE staff_id = $1"
        " ORDER BY created_at, credential_id",
        staff_id,
    )
    return [Passkey(**dict(row)) for row in rows]


async def delete_passkey(
    connection: Connection | Pool, staff_id: int, credential_id: bytes
) -> bool:
    """Forget a passkey of that person; False if there was none."""
    done = await connection.execute(
        "DELETE FROM passkey WHERE staff_id = $1 AND credential_id = $2", staff_id, credential_id
    )
    return bool(done == "DELETE 1")


def _user_handle(staff_id: int) -> bytes:
    """What a device keeps of the person: it must not say who they are (WebAuthn, 14.6.1)."""
    return staff_id.to_bytes(8)


def _refused() -> PasskeyRefused:
    return PasskeyRefused("This passkey does not open anything here.")


def _parsed(credential: str) -> AuthenticationCredential:
    try:
        return parse_authentication_credential_json(credential)
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _refused() from error


async def _challenge(
    connection: Connection, site: Site, purpose: Purpose, staff_id: int
) -> tuple[bytes, str]:
    """(what the device has to sign, what remembers it in the browser)."""
    made_at = await connection.fetchval("SELECT clock_timestamp()")
    since = (made_at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
    challenge = _Challenge(purpose, staff_id, since, secrets.token_bytes(32))
    body = msgspec.msgpack.encode(challenge)
    packed = base64.urlsafe_b64encode(_sign(site.secret, body) + body)
    return challenge.value, packed.rstrip(b"=").decode()


async def _opened(
    connection: Connection, site: Site, cookie: str, purpose: Purpose, staff_id: int
) -> _Challenge:
    """The challenge in the cookie, if it was made here, for this, and less than five minutes
    ago; raises `PasskeyRefused`."""
    try:
        packed = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
    except ValueError:
        raise _refused() from None
    signature, body = packed[:32], packed[32:]
    if not hmac.compare_digest(signature, _sign(site.secret, body)):
        raise _refused()
    challenge = msgspec.msgpack.decode(body, type=_Challenge)
    made_at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=challenge.made_at)
    now = await connection.fetchval("SELECT clock_timestamp()")
    if (challenge.purpose, challenge.staff_id) != (purpose, staff_id):
        raise _refused()
    if now >= made_at + CHALLENGE_LIVES:
        raise PasskeyRefused("That took longer than five minutes. Please try again.")
    return challenge


def _sign(secret: str, body: bytes) -> bytes:
    key = hashlib.sha256(b"freiplatz passkey challenge\0" + secret.encode()).digest()
    return hmac.digest(key, body, "sha256")
