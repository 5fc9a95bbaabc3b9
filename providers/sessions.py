"""Who is signed in, and where. A cookie holds 256 random bits; Postgres holds their SHA-256.

Every request looks its session up, so one that was revoked opens nothing from that moment on.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import asyncpg
import msgspec

from providers.staff import Staff
from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError

LIVES = timedelta(days=30)  # from the last use
ENDS = timedelta(days=180)  # from the first, however often it was used
_NOTED_EVERY = timedelta(hours=1)
_MOST_DEVICE_CHARACTERS = 80


class NotSignedIn(FreiplatzError):
    """Nobody is signed in in the browser that asks."""

    code = "not_signed_in"


class FormRefused(FreiplatzError):
    """Not sent by a page of ours, or by one that was made for another session."""

    code = "form_refused"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser in which somebody is signed in. `device` says in words which one."""

    hash: bytes
    staff_id: int
    device: str
    created_at: datetime
    seen_at: datetime  # to the hour
    expires_at: datetime

    @property
    def number(self) -> str:
        """What stands for the session in addresses and forms; it opens nothing."""
        return self.hash.hex()


class Found(msgspec.Struct, frozen=True):
    """A session that is good, whose it is, and whether it was just made to live longer."""

    session: Session
    staff: Staff
    is_renewed: bool


_SESSION = "s.hash, s.staff_id, s.device, s.created_at, s.seen_at, s.expires_at"


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret of 256 random bits: they need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


async def start_session(connection: Connection | Pool, staff_id: int, device: str) -> str:
    """Sign a person in: the value for the cookie, which nobody sees again.

    Every way to sign in (mail link, invitation, passkey; one day OIDC) ends here.
    """
    cookie = secrets.token_urlsafe(32)
    await connection.execute(
        "WITH over AS (DELETE FROM staff_session WHERE expires_at <= now())"
        " INSERT INTO staff_session (hash, staff_id, device, seen_at, expires_at)"
        " VALUES ($1, $2, $3, date_trunc('hour', now()), now() + $4::interval)",
        hash_secret(cookie),
        staff_id,
        device[:_MOST_DEVICE_CHARACTERS],
        LIVES,
    )
    return cookie


async def find_session(connection: Connection | Pool, cookie: str) -> Found | None:
    """The session of that cookie, None if it is unknown, over or revoked.

    Its use is noted once an hour, and it then lives for 30 days from there, to half a year at
    most: a cookie that was stolen is not good for ever.
    """
    hashed = hash_secret(cookie)
    row = await connection.fetchrow(
        f"SELECT {_SESSION}, f.id, f.email, f.name, f.language, f.phone,"
        " s.seen_at <= now() - $2::interval AS is_due"
        " FROM staff_session s JOIN staff f ON f.id = s.staff_id"
        " WHERE s.hash = $1 AND s.expires_at > now()",
        hashed,
        _NOTED_EVERY,
    )
    if row is None:
        return None
    if row["is_due"]:
        await connection.execute(
            "UPDATE staff_session SET seen_at = date_trunc('hour', now()),"
            " expires_at = least(now() + $2::interval, created_at + $3::interval)"
            " WHERE hash = $1",
            hashed,
            LIVES,
            ENDS,
        )
    staff = Staff(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        language=row["language"],
        phone=row["phone"],
    )
    return Found(_session(row), staff, row["is_due"])


async def select_sessions(connection: Connection | Pool, staff_id: int) -> list[Session]:
    """All sessions of a person that are good, the last used first."""
    rows = await connection.fetch(
        f"SELECT {_SESSION} FROM staff_session s WHERE s.staff_id = $1 AND s.expires_at > now()"
        " ORDER BY s.seen_at DESC, s.created_at DESC",
        staff_id,
    )
    return [_session(row) for row in rows]


async def revoke_session(connection: Connection | Pool, staff_id: int, hashed: bytes) -> bool:
    """Sign out one browser of that person; False if it was not signed in."""
    done = await connection.execute(
        "DELETE FROM staff_session WHERE hash = $1 AND staff_id = $2", hashed, staff_id
    )
    return bool(done == "DELETE 1")


async def revoke_sessions(connection: Connection | Pool, staff_id: int) -> int:
    """Sign the person out everywhere; how many browsers that were."""
    done = await connection.execute("DELETE FROM staff_session WHERE staff_id = $1", staff_id)
    return int(done.rpartition(" ")[2])


def _session(row: asyncpg.Record) -> Session:
    return Session(
        hash=row["hash"],
        staff_id=row["staff_id"],
        device=row["device"],
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
    )
