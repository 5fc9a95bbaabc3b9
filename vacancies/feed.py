"""How news of a commit reaches every process: Redis rings, Postgres tells.

A message is a doorbell with the news on it. A follower applies it if it continues what
the board has; at any gap, any reconnect, and once a second in any case, it catches up from
Postgres. So a lost message, a killed Redis, or a process that died between commit and
publish costs about a second, never a state.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Self

import msgspec
import redis.asyncio
import structlog
from redis.exceptions import RedisError

from vacancies import tracing
from vacancies.board import Board, Change
from vacancies.database import Connection, Pool, borrowed, is_connection_error, select_epoch
from vacancies.homes import TOMBSTONE_DAYS, select_homes_since
from vacancies.listings import public_listing
from vacancies.models import Listing
from vacancies.tasks import stop_tasks

log = structlog.get_logger()

REDIS_TROUBLE = (RedisError, OSError, TimeoutError)
MESSAGE_BYTES = 256 * 1024  # above this a message carries its range alone
REPAIR_SECONDS = 1.0
STEADY_SECONDS = 10.0  # a board that has not agreed with Postgres for longer is out of date
PING_SECONDS = 5.0
DEAF_SECONDS = 12.0  # no word from Redis, not even a pong: the socket is half-open


class Announcement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The revisions `first` to `last` are committed; `listings` are the homes they left
    changed, in ascending revision, or None when that would be too long. `at` is when they were
    decided, by the database's clock (None: the sender is of an older version), `trace` names the
    span of their commit (`tracing.py`)."""

    first: int
    last: int
    at: datetime | None = None
    trace: str = ""
    listings: tuple[Listing, ...] | None = None


class _Range(msgspec.Struct, frozen=True):
    """An announcement without its listings, which it costs little to pass over."""

    last: int


_decoder = msgspec.json.Decoder(Announcement)
_range_decoder = msgspec.json.Decoder(_Range)


def encode_announcement(news: Announcement) -> bytes:
    message = msgspec.json.encode(news)
    if len(message) > MESSAGE_BYTES:
        message = msgspec.json.encode(msgspec.structs.replace(news, listings=None))
    return message


def channel_name(epoch: str) -> str:
    return f"freiplatz:{epoch}:changes"


class Doorbell:
    """Publishes announcements in the order of their commits, in the background.

    What cannot be delivered is dropped: followers repair the gap from Postgres.
    """

    def __init__(self, client: redis.asyncio.Redis, epoch: str) -> None:
        self._client = client
        self.channel = channel_name(epoch)
        self._queue: asyncio.Queue[Announcement] = asyncio.Queue(maxsize=1_000)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="doorbell")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give what waits a moment to get out, then stop."""
        assert self._task is not None
        with suppress(TimeoutError):
            await asyncio.wait_for(self._queue.join(), 1.0)
        await stop_tasks([self._task])

    def ring(self, news: Announcement) -> None:
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(news)

    async def _run(self) -> None:
        while True:
            waiting = [await self._queue.get()]
            while not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            try:
                with tracing.span("publish", _trace_of(waiting), messages=len(waiting)):
                    await self._publish(waiting)
            except REDIS_TROUBLE as error:
                log.warning("publishing failed, followers will repair", error=type(error).__name__)
            except Exception:
                log.exception("publishing failed, followers will repair")
            finally:
                for _ in waiting:
                    self._queue.task_done()

    async def _publish(self, waiting: Sequence[Announcement]) -> None:
        async with asyncio.timeout(2.0), self._client.pipeline(transaction=False) as pipe:
            for news in waiting:
                pipe.publish(self.channel, encode_announcement(news))
            await pipe.execute()


def _trace_of(waiting: Sequence[Announcement]) -> str:
    """Of what goes out together, the trace of the first that has one."""
    return next((news.trace for news in waiting if news.trace), "")


class Follower:
    """Keeps a board up to date; the one subscriber of this process.

    `on_changes` gets every applied batch, with no await between board and viewers, and how many
    seconds ago the first of it was decided (None: that is not known);
    `on_restart` is called after the board was loaded anew from another history.
    """

    def __init__(
        self,
        pool: Pool,
        client: redis.asyncio.Redis,
        board: Board,
        *,
        on_changes: Callable[[Sequence[Change], float | None], None] = lambda changes, age: None,
        on_restart: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._client = client
        self._board = board
        self._on_changes = on_changes
        self._on_restart = on_restart
        self._catching_up = asyncio.Lock()
        self._repair = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.caught_up_at: float | None = None  # time.monotonic of the last success
        self.steady_since = time.time()  # without having been out of date
        self.is_listening = False
        self.repairs = 0  # how often Postgres had news that Redis did not bring
        self.clock_ahead_seconds = 0.0  # by how much the database's clock is ahead of ours

    async def __aenter__(self) -> Self:
        """Load the board; raises if the database cannot be read."""
        await self.catch_up()
        self._tasks = [
            asyncio.create_task(self._listen_for_ever(), name="follower-listen"),
            asyncio.create_task(self._repair_for_ever(), name="follower-repair"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop_tasks(self._tasks)

    def lag_seconds(self) -> float:
        """Seconds since the board was last known to agree with Postgres."""
        return float("inf") if self.caught_up_at is None else time.monotonic() - self.caught_up_at

    def age_seconds(self, at: datetime) -> float:
        """How long ago a moment of the database's clock was."""
        return max(0.0, time.time() + self.clock_ahead_seconds - at.timestamp())

    def receive(self, news: Announcement) -> None:
        """Apply news that continues the board, from Redis or from a commit of our own.

        Anything that leaves a gap must wait: a viewer's cursor would skip what is missing.
        """
        if news.last <= self._board.revision:
            return
        if news.first > self._board.revision + 1 or news.listings is None:
            self._repair.set()
            return
        with tracing.span("follow", news.trace, homes=len(news.listings)):
            self._apply(news.listings, news.last, news.at)

    def _apply(self, listings: Sequence[Listing], last: int, at: datetime | None = None) -> None:
        changes = self._board.apply(listings, last)
        try:
            if changes:
                self._on_changes(changes, None if at is None else self.age_seconds(at))
        except Exception:
            # Some viewers may not have been told; the board is right, so begin anew with all.
            log.exception("telling the viewers failed")
            self._on_restart()

    async def catch_up(self) -> None:
        """Bring the board to the head of Postgres, from one snapshot; one at a time."""
        async with self._catching_up, borrowed(self._pool) as connection:
            # Before the snapshot: news that comes while we read may carry the board past it.
            known = self._board.revision
            epoch = await select_epoch(connection)
            head = await self._select_head(connection)
            if epoch != self._board.epoch or head != known:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    await self._load(connection, epoch, known)
            if self.lag_seconds() > STEADY_SECONDS:
                self.steady_since = time.time()
            self.caught_up_at = time.monotonic()

    async def _select_head(self, connection: Connection) -> int:
        """And how far our clock is from the database's, as near as the way there and back tells."""
        began_at = time.time()
        row = await connection.fetchrow(
            "SELECT revision, clock_timestamp() AS clock FROM revision_head"
        )
        assert row is not None
        self.clock_ahead_seconds = row["clock"].timestamp() - (began_at + time.time()) / 2
        return int(row["revision"])

    async def _load(self, connection: Connection, epoch: str, known: int) -> None:
        head = await connection.fetchval("SELECT revision FROM revision_head")
        if epoch != self._board.epoch or head < known:
            await self._reload(connection, epoch, head)
            return
        if head > self._board.revision:
            self.repairs += 1
        async for homes in select_homes_since(connection, known):
            # In ascending revision, so the board may go on from the last of each batch.
            first_at = min(home.evaluated_at for home in homes)
            self._apply([public_listing(home) for home in homes], homes[-1].revision, first_at)
        self._apply((), head)

    async def _reload(self, connection: Connection, epoch: str, head: int) -> None:
        """Another history of the database. Loaded aside and swapped in at once: searches
        never see half a board, nor one that mixes two histories."""
        fresh = Board(epoch, await _select_floor(connection))
        with _no_collection():
            async for homes in select_homes_since(connection, 0):
                fresh.apply(map(public_listing, homes), 0)
                await asyncio.sleep(0)  # let requests through: a region is many homes
        fresh.apply((), head)
        log.info("board loaded", homes=len(fresh), revision=head, epoch=epoch)
        self._board.become(fresh)
        self._on_restart()
        self._repair.set()  # what was announced meanwhile was for the old board

    async def _repair_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REPAIR_SECONDS):
                    await self._repair.wait()
            self._repair.clear()
            try:
                await self.catch_up()
            except Exception as error:
                if is_connection_error(error):
                    log.warning("the database does not answer", error=type(error).__name__)
                    await self._pool.expire_connections()  # they died together
                else:
                    log.exception("catching up failed")

    async def _listen_for_ever(self) -> None:
        pause = 0.1
        while True:
            began = time.monotonic()
            try:
                await self._listen()
            except REDIS_TROUBLE as error:
                log.warning("Redis is away, following Postgres", error=type(error).__name__)
            except Exception:
                log.exception("listening failed, following Postgres")
            finally:
                self.is_listening = False
            pause = 0.1 if time.monotonic() - began > 10 else min(2 * pause, 2.0)
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        """Subscribe and apply until Redis goes deaf or away; then raise or return.

        redis-py re-subscribes silently and does not notice a half-open socket, so a new
        subscription is made for every try, and silence has a limit of our own.
        """
        epoch = self._board.epoch
        async with self._client.pubsub() as pubsub:
            await pubsub.subscribe(channel_name(epoch))
            heard_at = pinged_at = time.monotonic()
            while epoch == self._board.epoch:
                message = await pubsub.get_message(timeout=1.0)
                now = time.monotonic()
                if message is not None:
                    heard_at = now
                    if message["type"] == "subscribe":
                        self.is_listening = True
                        self._repair.set()  # what was published before is not coming again
                    elif message["type"] == "message":
                        self._receive_message(message["data"])
                elif now - heard_at > DEAF_SECONDS:
                    raise TimeoutError(f"no word for {DEAF_SECONDS:g} seconds")
                if now - pinged_at > PING_SECONDS:
                    pinged_at = now
                    await asyncio.wait_for(pubsub.ping(), 2.0)

    def _receive_message(self, data: bytes) -> None:
        try:
            # Most of what comes is news of our own, which has been on the board for long.
            if _range_decoder.decode(data).last > self._board.revision:
                self.receive(_decoder.decode(data))
        except msgspec.MsgspecError:
            # Another version of the program; Postgres has it all.
            log.warning("a message could not be read")
            self._repair.set()


@contextmanager
def _no_collection() -> Iterator[None]:
    """The garbage collector would look at all that is loaded again and again, and all of it
    stays: a quarter of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


async def _select_floor(connection: Connection) -> int:
    """The revision below which a cursor may have missed a tombstone that is gone."""
    floor: int = await connection.fetchval(
        "SELECT coalesce(max(s.revision), 0) FROM care_home h JOIN home_state s ON s.home_id = h.id"
        " WHERE h.closed_at <= now() - make_interval(days => $1)",
        TOMBSTONE_DAYS,
    )
    return floor
