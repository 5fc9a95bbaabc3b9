"""API keys: who may report for which homes.

A key is `fp_` and 256 random bits, shown once and stored as its SHA-256: that many bits
cannot be guessed, so a slow hash would only cost time.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from contextvars import Context
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from vacancies.commands import Actor
from vacancies.database import Connection, Pool, borrowed
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
        return Actor(provider_id=self.provider_id, api_key_id=self.id, via="api")


_SELECT = (
    "SELECT k.id, k.provider_id, p.slug AS provider, k.prefix, k.hash, k.label, k.created_at,"
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
    return [_key_from_row(row) for row in rows]


async def revoke_key(connection: Connection | Pool, key_id: int) -> bool:
    """Revoke at once; False if there is no such key, or it was revoked before."""
    done = await connection.execute(
        "UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", key_id
    )
    return bool(done == "UPDATE 1")


class KeyRing:
    """Checks keys for all calls of this process: what comes while one question is out goes
    into the next. So a hundred calls ask the database twice, and a key that is revoked opens
    nothing from that moment on."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._asking: dict[bytes, asyncio.Future[ApiKey | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def authenticate(self, authorization: str | None) -> ApiKey:
        """The key in an `Authorization: Bearer fp_…` header.

        Raises `Unauthenticated`, in the same words whatever the reason.
        """
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() == "bearer" and key.startswith(PREFIX) and len(key) < 200:
            # Shielded: others may wait for the same key.
            found = await asyncio.shield(self._ask(hash_key(key.strip())))
            if found is not None:
                return found
        raise Unauthenticated(
            "This needs a valid key: send the header `Authorization: Bearer fp_…`."
        )

    def _ask(self, hashed: bytes) -> asyncio.Future[ApiKey | None]:
        if hashed not in self._asking:
            self._asking[hashed] = asyncio.get_running_loop().create_future()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(), name="keys", context=Context())
        return self._asking[hashed]

    async def _run(self) -> None:
        while self._asking:
            asking, self._asking = self._asking, {}
            try:
                async with borrowed(self._pool) as connection:
                    found = await _use_keys(connection, list(asking))
            except BaseException as error:
                for future in asking.values():
                    if not future.done():
                        future.set_exception(error)
                        future.exception()  # the caller may be gone: not "never retrieved"
                if not isinstance(error, Exception):
                    raise
            else:
                for hashed, future in asking.items():
                    if not future.done():
                        future.set_result(found.get(hashed))


async def _use_keys(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, ApiKey]:
    """The keys that are good, by hash. Notes their use, to the minute: a write for every call
    would double the load."""
    rows = await connection.fetch(
        f"{_SELECT} WHERE k.hash = ANY($1) AND k.revoked_at IS NULL", hashes
    )
    found = {row["hash"]: _key_from_row(row) for row in rows}
    now = datetime.now(UTC)
    used = [
        key.id
        for key in found.values()
        if key.last_used_at is None or now - key.last_used_at > _USED_EVERY
    ]
    if used:
        await connection.execute("UPDATE api_key SET last_used_at = now() WHERE id = ANY($1)", used)
    return found


def _key_from_row(row: asyncpg.Record) -> ApiKey:
    return ApiKey(
        id=row["id"],
        provider_id=row["provider_id"],
        provider=row["provider"],
        prefix=row["prefix"],
        label=row["label"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )
