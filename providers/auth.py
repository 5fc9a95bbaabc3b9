"""API keys: who may report for which homes.

A key is `fp_` and 256 random bits, shown once and stored as its SHA-256: that many bits
cannot be guessed, so a slow hash would only cost time. It is for all homes of a provider, or for
one of them.

A test key begins with `fpt_`: whoever finds it in a configuration sees that it reports nothing.
What counts is the column `is_test`; the database refuses a row in which the two disagree.
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

from vacancies.actors import Actor
from vacancies.database import Connection, Pool, borrowed
from vacancies.errors import FreiplatzError, Unauthenticated

PREFIX, TEST_PREFIX = "fp_", "fpt_"
OVERLAP = timedelta(hours=72)
LONGEST_DAYS = 3650
_USED_EVERY = timedelta(minutes=1)


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A stored key, without its secret."""

    id: int
    provider_id: int
    provider: str
    prefix: str
    label: str
    home_id: str | None = None  # None: all homes of the provider
    is_test: bool = False
    created_at: datetime
    expires_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: int | None = None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def actor(self) -> Actor:
        return Actor(
            provider_id=self.provider_id, home_id=self.home_id, api_key_id=self.id, via="api"
        )


class KeyRefused(FreiplatzError):
    """A key cannot be made or rotated as asked."""

    code = "key_refused"


_SELECT = (
    "SELECT k.id, k.provider_id, p.slug AS provider, k.prefix, k.hash, k.label, k.home_id,"
    " k.is_test, k.created_at, k.expires_at, k.replaced_at, k.replaced_by, k.last_used_at,"
    " k.revoked_at FROM api_key k JOIN provider p ON p.id = k.provider_id"
)
_IS_GOOD = "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())"


def hash_key(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


async def create_key(
    connection: Connection | Pool,
    provider_id: int,
    label: str = "",
    *,
    home_id: str | None = None,
    is_test: bool = False,
    lifetime: timedelta | None = None,
) -> str:
    """Make a key and return it: the only time that anybody sees it.

    With `home_id` it is for that home only. Raises `KeyRefused` if that is none of the provider's.
    """
    key = _new_key(is_test)
    made = await connection.fetchval(
        "INSERT INTO api_key (provider_id, prefix, hash, label, home_id, is_test, expires_at)"
        " SELECT $1::bigint, $2::text, $3::bytea, $4::text, $5::text, $6::boolean,"
        " now() + $7::interval WHERE $5 IS NULL"
        " OR EXISTS (SELECT FROM care_home WHERE id = $5 AND provider_id = $1) RETURNING id",
        provider_id,
        key[:8],
        hash_key(key),
        label,
        home_id,
        is_test,
        lifetime,
    )
    if made is None:
        raise KeyRefused(f"This provider has no home {home_id}. `freiplatz home list` shows all.")
    return key


async def rotate_key(pool: Pool, key_id: int, overlap: timedelta = OVERLAP) -> str:
    """Make a key in place of another and return it: same homes, mode, label and lifetime.

    The old one goes on for `overlap`, or to its own end if that is sooner; meanwhile its answers
    say that it is outdated. Raises `KeyRefused` if it opens nothing any more or has been replaced.
    """
    async with borrowed(pool) as connection, connection.transaction():
        # Locked: of two who rotate it at once, the second one must not make another key.
        row = await connection.fetchrow(
            f"SELECT k.* FROM api_key k WHERE k.id = $1 AND {_IS_GOOD} FOR UPDATE", key_id
        )
        if row is None:
            raise KeyRefused(f"There is no key {key_id} that could be replaced.")
        if row["replaced_by"] is not None:
            raise KeyRefused(
                f"Key {key_id} has been replaced by key {row['replaced_by']}. Rotate that one."
            )
        expires_at, created_at = row["expires_at"], row["created_at"]
        key = await create_key(
            connection,
            row["provider_id"],
            row["label"],
            home_id=row["home_id"],
            is_test=row["is_test"],
            lifetime=None if expires_at is None else expires_at - created_at,
        )
        await connection.execute(
            "UPDATE api_key SET replaced_at = now(), expires_at = least(expires_at, now() + $2),"
            " replaced_by = (SELECT id FROM api_key WHERE hash = $3) WHERE id = $1",
            key_id,
            overlap,
            hash_key(key),
        )
    return key


def _new_key(is_test: bool) -> str:
    return (TEST_PREFIX if is_test else PREFIX) + secrets.token_urlsafe(32)


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
        is_ours = key.startswith((PREFIX, TEST_PREFIX)) and len(key) < 200
        if scheme.lower() == "bearer" and is_ours:
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
    rows = await connection.fetch(f"{_SELECT} WHERE k.hash = ANY($1) AND {_IS_GOOD}", hashes)
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
    return ApiKey(**{name: row[name] for name in ApiKey.__struct_fields__})
