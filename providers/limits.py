"""How often one client may ask, counted in Redis over all processes of a deployment.

Redis may be away: then nothing is refused here. What must hold in any case is counted in
Postgres (`signin.py`).
"""

from __future__ import annotations

import hmac

import msgspec
import redis.asyncio
import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

log = structlog.get_logger()


class Limit(msgspec.Struct, frozen=True):
    """At most `most` calls in each window of `seconds`, which opens with the first of them."""

    name: str
    most: int
    seconds: int


class Limiter:
    """The counters of one deployment. Clients are counted under a keyed hash: no address of
    anybody stands in Redis."""

    def __init__(self, client: redis.asyncio.Redis, epoch: str, secret: str) -> None:
        storage = RedisStorage(
            "async+redis://",  # not used: the pool says where
            implementation="redispy",
            wrap_exceptions=True,
            key_prefix=f"freiplatz:{epoch}:limit",
            connection_pool=client.connection_pool,  # type: ignore[arg-type]
        )
        self._counter = FixedWindowRateLimiter(storage)
        self._secret = secret.encode()

    async def allows(self, limit: Limit, client: str) -> bool:
        """Count a call of `client`, and say whether it is within the limit."""
        known = hmac.digest(self._secret, client.encode("utf-8", "replace"), "sha256").hex()[:32]
        window = RateLimitItemPerSecond(limit.most, limit.seconds)
        try:
            return await self._counter.hit(window, limit.name, known)
        except (StorageError, OSError, TimeoutError) as error:
            log.warning(
                "a limit could not be counted", limit=limit.name, error=type(error).__name__
            )
            return True
