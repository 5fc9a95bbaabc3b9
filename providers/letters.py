"""Printed letters to homes: whoever holds one can have an invitation sent to an e-mail address.

The code in a letter has 80 random bits (16 signs of Crockford's base 32) and is stored nowhere:
whoever guesses a billion times a second needs a million years for one of a thousand letters. It
opens no account and reports nothing by itself; it only has a mail sent.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from providers.desks import Desk
from providers.home_invitations import lock_desk, withdraw_home_invitation
from providers.signin import TooManyInvitations
from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError

LETTER_LIVES = timedelta(days=60)
MOST_LETTERS_AT_ONCE = 500
# Of one letter, in all: a home has a few people who report.
MOST_INVITATIONS_OF_LETTER = 5
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011")
_LENGTH = 16


class LetterRefused(FreiplatzError):
    """The code opens nothing: unknown, revoked, replaced, or who printed it is gone."""

    code = "letter_refused"


class LetterExpired(LetterRefused):
    """The letter was good until its time was over."""

    code = "letter_expired"


class LetterUsed(LetterRefused):
    """Somebody has accepted an invitation that came through it."""

    code = "letter_used"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that is good."""

    id: int
    home_id: str
    home_name: str
    municipality_name: str
    expires_at: datetime


def make_code() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))


def normal_code(text: str) -> str | None:
    """The code as it is meant: people type small letters, O for 0, and their own gaps. None if
    that is no code at all."""
    signs = "".join(sign for sign in text.upper()[:100] if sign.isalnum()).translate(_MISREAD)
    return signs if len(signs) == _LENGTH and set(signs) <= set(_SIGNS) else None


def in_groups(code: str) -> str:
    """As it is printed: XXXX-XXXX-XXXX-XXXX."""
    return "-".join(code[start : start + 4] for start in range(0, _LENGTH, 4))


def hash_code(secret: str, code: str) -> bytes:
    """What is stored of a code; without the secret key nobody can try codes on a copy."""
    key = hashlib.sha256(b"freiplatz letter\0" + secret.encode()).digest()
    return hmac.digest(key, code.encode(), "sha256")


async def insert_letters(
    connection: Connection, desk: Desk, home_ids: Sequence[str], seen: int, secret: str
) -> dict[str, str]:
    """The codes of new letters by home, to be printed now: they can be shown only once. Those
    from before are void. Homes that got a letter since `seen` are left out (within `at_desk`)."""
    await lock_desk(connection, desk)
    rows = await connection.fetch(
        "SELECT h.id FROM care_home h WHERE h.id = ANY($1) AND h.status = 'open'"
        " AND NOT EXISTS (SELECT FROM home_letter l WHERE l.home_id = h.id AND l.id > $2)",
        home_ids,
        seen,
    )
    codes = {row["id"]: make_code() for row in rows}
    await connection.execute(
        "INSERT INTO home_letter (home_id, municipality, code_hash, created_by, expires_at)"
        " SELECT n.home_id, $1, n.code_hash, $2, now() + $5::interval"
        " FROM unnest($3::text[], $4::bytea[]) AS n(home_id, code_hash)",
        desk.key,
        desk.staff_id,
        list(codes),
        [hash_code(secret, code) for code in codes.values()],
        LETTER_LIVES,
    )
    return codes


async def select_letter(connection: Connection | Pool, secret: str, code: str) -> Letter:
    """What the letter with that code is good for. Raises `LetterRefused` and its kinds."""
    row = await connection.fetchrow(
        "SELECT l.id, l.home_id, h.name AS home_name, m.name AS municipality_name, l.expires_at,"
        " l.accepted_at IS NOT NULL AS is_used, l.expires_at <= now() AS is_over,"
        " h.status = 'open' AND coalesce(works_for_home(l.created_by, l.home_id), false)"
        " AND NOT EXISTS (SELECT FROM home_letter n WHERE n.home_id = l.home_id AND n.id > l.id)"
        " AS is_good FROM home_letter l JOIN care_home h ON h.id = l.home_id"
        " JOIN municipality m ON m.key = l.municipality WHERE l.code_hash = $1",
        hash_code(secret, code),
    )
    if row is None:
        raise LetterRefused("There is no such letter.")
    found: dict[str, Any] = dict(row)
    is_used, is_over, is_good = (found.pop(name) for name in ("is_used", "is_over", "is_good"))
    if is_used:
        raise LetterUsed("This letter was used.")
    if not is_good:
        raise LetterRefused("This letter is not good any more.")
    if is_over:
        raise LetterExpired("The time of this letter is over.")
    return Letter(**found)


async def insert_invitation_by_letter(connection: Connection, letter: Letter, email: str) -> None:
    """Have an invitation sent to `email` (as `checked_email` gives it). Once more within ten
    minutes changes nothing. Raises `TooManyInvitations`."""
    async with connection.transaction():
        await connection.execute("SELECT FROM home_letter WHERE id = $1 FOR UPDATE", letter.id)
        row = await connection.fetchrow(
            "SELECT count(*) AS all, count(*) FILTER (WHERE email = $2 AND failure IS NULL"
            " AND asked_at > clock_timestamp() - interval '10 minutes') AS lately"
            " FROM home_invitation WHERE letter_id = $1",
            letter.id,
            email,
        )
        assert row is not None
        if row["lately"]:
            return
        if row["all"] >= MOST_INVITATIONS_OF_LETTER:
            raise TooManyInvitations("Enough people were invited through this letter.")
        await connection.execute(
            "INSERT INTO home_invitation (home_id, municipality, email, letter_id, invited_by)"
            " SELECT home_id, municipality, $2, id, created_by FROM home_letter WHERE id = $1",
            letter.id,
            email,
        )


async def revoke_letters(connection: Connection | Pool, home_id: str) -> int:
    """All letters to that home are void, and what was asked for through them and is not accepted;
    how many letters were good until now."""
    done = await connection.execute(
        "UPDATE home_letter SET expires_at = now()"
        " WHERE home_id = $1 AND expires_at > now() AND accepted_at IS NULL",
        home_id,
    )
    rows = await connection.fetch(
        "SELECT id FROM home_invitation WHERE home_id = $1 AND letter_id IS NOT NULL"
        " AND accepted_at IS NULL AND withdrawn_at IS NULL",
        home_id,
    )
    for row in rows:
        await withdraw_home_invitation(connection, row["id"])
    return int(done.rpartition(" ")[2])
