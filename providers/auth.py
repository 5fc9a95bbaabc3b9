"""API keys: who may report for which homes.

A key is `fp_` and 256 random bits, shown once and stored as its SHA-256: that many bits
cannot be guessed, so a slow hash would only cost time.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

import msgspec

from vacancies.commands import Actor
from vacancies.database import Connection, Pool
from vacancies.errors import Unauthenticated

PREFIX = "fp_"
_USED_EVERY = timedelta(minutes=1)


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A stored key, without its secret."""

    id: int
    provider_id: int
    provider: str
    prefix: str
    label: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def actor(self) -> Actor:
        return Actor(provider_id=self.provider_id, api_key_id=self.id)


_SELECT = (
    "SELECT k.id, k.provider_id, p.slug AS provider, k.prefix, k.label, k.created_at,"
    " k.last_used_at, k.revoked_at FROM api_key k JOIN provider p ON p.id = k.provider_id"
)


def hash_key(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


async def create_key(connection: Connection | Pool, provider_id: int, label: str = "") -> str:
    """Make a key and return it: the only time that anybody sees it."""
    key = PREFIX + secrets.token_urlsafe(32)
    await connection.execute(
        "INSERT INTO api_key (provider_id, prefix, hash, label) VALUES ($1, $2, $3, $4)",
        provider_id,
        key[:8],
        hash_key(key),
        label,
    )
    return key


async def select_keys(connection: Connection | Pool) -> list[ApiKey]:
    rows = await connection.fetch(f"{_SELECT} ORDER BY p.slug, k.id")
    return [ApiKey(**dict(row)) for row in rows]


async def revoke_key(connection: Connection | Pool, key_id: int) -> bool:
    """Revoke at once; False if there is no such key, or it was revoked before."""
    done = await connection.execute(
        "UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", key_id
    )
    return bool(done == "UPDATE 1")


async def authenticate(connection: Connection | Pool, authorization: str | None) -> ApiKey:
    """The key in an `Authorization: Bearer fp_…` header.

    Raises `Unauthenticated`, in the same words whatever the reason. Notes the use, to the
    minute: a write for every call would double the load.
    """
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and key.startswith(PREFIX) and len(key) < 200:
        row = await connection.fetchrow(
            f"{_SELECT} WHERE k.hash = $1 AND k.revoked_at IS NULL", hash_key(key.strip())
        )
        if row is not None:
            found = ApiKey(**dict(row))
            used_at = found.last_used_at
            if used_at is None or datetime.now(UTC) - used_at > _USED_EVERY:
                await connection.execute(
                    "UPDATE api_key SET last_used_at = now() WHERE id = $1", found.id
                )
            return found
    raise Unauthenticated("This needs a valid key: send the header `Authorization: Bearer fp_…`.")
