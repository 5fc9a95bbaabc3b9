"""How often one client may ask, counted in Redis over all processes of a deployment.

While Redis is away each process counts by itself: whoever is spread over N processes may then ask
N times as often, and nobody is refused for Redis' sake. What must hold in any case is counted in
Postgres (`signin.py`).
"""

from __future__ import annotations

import asyncio
import hmac
import math
import time
from collections.abc import Callable, Mapping
from contextvars import Context

import msgspec
import redis.asyncio
import structlog

from vacancies.feed import REDIS_TROUBLE
from vacancies.tasks import stop_tasks

log = structlog.get_logger()

REDIS_SECONDS = 1.0  # how long the answer may take
AWAY_SECONDS = 5.0  # then Redis is asked again, by one call
MOST_KNOWN = 20_000  # windows that a process remembers

# A window opens with its first call. Whatever made the key, it does not stay for ever.
_COUNT = """
local calls = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
    left = tonumber(ARGV[2])
    redis.call('PEXPIRE', KEYS[1], left)
end
return {calls, left}
"""


class Limit(msgspec.Struct, frozen=True):
    """At most `most` calls in each window of `seconds`, which opens with the first of them."""

    name: str
    most: int
    seconds: int


class _Window(msgspec.Struct):
    """What is known of a client and a limit: `calls` until `ends_at` (monotonic seconds)."""

    calls: int
    ends_at: float


class _Asking(msgspec.Struct, frozen=True):
    """Calls of one client, in the order in which they came, that are counted together."""

    limit: Limit
    calls: list[asyncio.Future[int]]


class Limiter:
    """The counters of one deployment. Clients are counted under a keyed hash: no address of
    anybody stands in Redis.

    All calls that come while Redis is being asked go into the next question: so they cost a
    fifth, and a thousand at once need one connection. `limits` takes one for each, of which the
    pool has a hundred; the others could not be counted, and were let through.
    """

    def __init__(self, client: redis.asyncio.Redis, epoch: Callable[[], str], secret: str) -> None:
        self._client = client
        self._epoch = epoch
        self._secret = secret.encode()
        self._asking: dict[str, _Asking] = {}
        self._task: asyncio.Task[None] | None = None
        self._over: dict[str, _Window] = {}  # over their limit, as Redis has said
        self._local: dict[str, _Window] = {}  # counted here, while Redis is away
        self._is_away = False
        self._ask_again_at = 0.0

    async def aclose(self) -> None:
        if self._task is not None:
            await stop_tasks([self._task])

    async def allows(self, limit: Limit, client: str) -> bool:
        """Count a call of `client`, and say whether it is within the limit."""
        return await self.wait_seconds(limit, client) == 0

    async def wait_seconds(self, limit: Limit, client: str) -> int:
        """Count a call of `client`: 0 if it is within the limit, else in how many seconds there
        is a new window. Who is over the limit is refused without asking Redis again."""
        known = hmac.digest(self._secret, client.encode("utf-8", "replace"), "sha256").hex()[:32]
        key = f"{limit.name}:{known}"
        now = time.monotonic()
        if (window := self._over.get(key)) is not None:
            if now < window.ends_at:
                return _left(window, now)
            del self._over[key]
        if self._is_away:
            if now < self._ask_again_at:
                return self._count_here(limit, key)
            self._ask_again_at = now + AWAY_SECONDS  # this call tries, the others go on
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = _Asking(limit, [])
        counted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        asking.calls.append(counted)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="limits", context=Context())
        return await counted

    async def _run(self) -> None:
        while self._asking:
            asking, self._asking = self._asking, {}
            try:
                await self._count(asking)
            finally:
                for each in asking.values():
                    for counted in each.calls:
                        counted.cancel()  # unless it has its answer, as all have but at the end

    async def _count(self, asking: Mapping[str, _Asking]) -> None:
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                found = await self._ask(asking)
        except REDIS_TROUBLE as error:
            if not self._is_away:
                log.warning("limits are counted by each process", error=type(error).__name__)
            self._is_away = True
            self._ask_again_at = time.monotonic() + AWAY_SECONDS
            for key, each in asking.items():
                for counted in each.calls:
                    _settle(counted, self._count_here(each.limit, key))
            return
        if self._is_away:
            log.info("limits are counted in Redis again")
            self._is_away = False
            self._local.clear()
        self._tell(asking, found)

    async def _ask(self, asking: Mapping[str, _Asking]) -> list[tuple[int, int]]:
        """For each client: its calls in this window, and milliseconds until that ends."""
        prefix = f"freiplatz:{self._epoch()}:limit:"
        async with self._client.pipeline(transaction=False) as pipe:
            for key, each in asking.items():
                pipe.eval(_COUNT, 1, prefix + key, len(each.calls), each.limit.seconds * 1000)
            found: list[tuple[int, int]] = await pipe.execute()
        return found

    def _tell(self, asking: Mapping[str, _Asking], found: list[tuple[int, int]]) -> None:
        now = time.monotonic()
        for (key, each), (calls, left_ms) in zip(asking.items(), found, strict=True):
            window = _Window(calls, now + left_ms / 1000)
            if calls >= each.limit.most:
                _keep(self._over, key, window)
            for number, counted in enumerate(each.calls, calls - len(each.calls) + 1):
                _settle(counted, 0 if number <= each.limit.most else _left(window, now))

    def _count_here(self, limit: Limit, key: str) -> int:
        now = time.monotonic()
        window = self._local.get(key)
        if window is None or now >= window.ends_at:
            window = _Window(0, now + limit.seconds)
            _keep(self._local, key, window)
        window.calls += 1
        return 0 if window.calls <= limit.most else _left(window, now)


def _keep(windows: dict[str, _Window], key: str, window: _Window) -> None:
    """Remember `window`; where there are too many, the one that opened first is forgotten."""
    windows.pop(key, None)
    windows[key] = window
    if len(windows) > MOST_KNOWN:
        del windows[next(iter(windows))]


def _left(window: _Window, now: float) -> int:
    return max(1, math.ceil(window.ends_at - now))


def _settle(counted: asyncio.Future[int], seconds: int) -> None:
    if not counted.done():  # the caller may be gone
        counted.set_result(seconds)
