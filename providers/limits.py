"""How often one client may ask, counted in Redis over all processes of a deployment.

Redis may be away: then nothing is refused here. What must hold in any case is counted in
Postgres (`signin.py`).
"""

from __future__ import annotations

import hmac

import msgspec
import redis.asyncio
import structlog
from redis.exceptions import RedisError

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
        self._client = client
        self._epoch = epoch
        self._secret = secret.encode()

    async def allows(self, limit: Limit, client: str) -> bool:
        """Count a call of `client`, and say whether it is within the limit."""
        known = hmac.digest(self._secret, client.encode("utf-8", "replace"), "sha256").hex()[:32]
        key = f"freiplatz:{self._epoch}:limit:{limit.name}:{known}"
        try:
            # One transaction: a counter that was made always has an end, and as each call gets
            # a number of its own, the limit is exact however many come at once.
            async with self._client.pipeline(transaction=True) as together:
                together.set(key, 0, ex=limit.seconds, nx=True)
                together.incr(key)
                _, count = await together.execute()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning(
                "a limit could not be counted", limit=limit.name, error=type(error).__name__
            )
            return True
        return int(count) <= limit.most
