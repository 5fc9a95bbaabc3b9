"""Hands out what waits: one loop for all viewers of the process, no task for each.

News of a watch are encoded once and written to all who keep up with it. Who does not keep up
(its connection is full) is told nothing until it can take more, and then what it has missed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import cast

import structlog

from vacancies import tracing
from vacancies.audience import Audience, Watch
from vacancies.board import Board, Change
from vacancies.search import Query
from vacancies.tasks import stop_tasks
from web.frames import Frames, Framing
from web.stream import Stream

log = structlog.get_logger()

HEARTBEAT_SECONDS = 15
WRITE_DEADLINE_SECONDS = 30.0
WRITES_AT_ONCE = 200
CATCH_UPS_AT_ONCE = 20
# Each may hold 128 kB here. A viewer who is dropped resumes from its cursor, and loses nothing.
MOST_FULL = 2_000
FULL_SECONDS = 1.0  # less is no sign of not reading
# A process that retires lets its viewers go in at most so many portions, each so much later.
MOST_DISMISSALS = 40
LEAST_DISMISSED = 25  # in each
DISMISSAL_SECONDS = 0.1
FAREWELL_SECONDS = 0.5  # for the ends of streams to get out when the process stops


class Delivery:
    """All streams of this process."""

    def __init__(self, board: Board, audience: Audience) -> None:
        self._board = board
        self._audience = audience
        self._streams: dict[Stream, None] = {}
        # With news that not all have been handed: since when (monotonic; None: not known), and in
        # which trace.
        self._news: dict[Watch, tuple[float | None, str]] = {}
        self._behind: dict[Stream, None] = {}  # who can take more of what they have missed
        self._full: dict[Stream, None] = {}  # who cannot
        self._beats: list[dict[Stream, None]] = [{} for _ in range(HEARTBEAT_SECONDS)]
        self._beat = 0
        self._round: Iterator[int] | None = None  # that is under way
        self._wake = asyncio.Event()
        self._none_left = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.writes = 0
        # Told how many seconds news were on their way to how many viewers.
        self.observe: Callable[[float, int], None] = lambda seconds, viewers: None
        self.dropped = 0  # viewers who did not read

    def __len__(self) -> int:
        return len(self._streams)

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._deliver(), name="deliver"),
            asyncio.create_task(self._keep_watch(), name="keep-watch"),
        ]

    async def close(self) -> None:
        """The end of the process: an open stream would hold it up."""
        await self.end_streams()
        await stop_tasks(self._tasks)

    async def dismiss(self) -> None:
        """End the streams bit by bit: if all came back at once, most would have to wait."""
        leaving = list(self._streams)
        pauses = min(MOST_DISMISSALS, len(leaving) // LEAST_DISMISSED)
        step = len(leaving) // (pauses + 1) + 1
        for start in range(0, len(leaving), step):
            for stream in leaving[start : start + step]:
                stream.connection.end()
            if start + step < len(leaving):
                await asyncio.sleep(DISMISSAL_SECONDS)

    async def end_streams(self) -> None:
        """End all streams at once; their viewers come back, to whoever takes them."""
        for stream in list(self._streams):
            stream.connection.end()
        self._none_left.clear()
        if self._streams:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._none_left.wait()
        for stream in list(self._streams):
            stream.connection.abort()

    def open(self, stream: Stream, query: Query, since: int | None) -> None:
        """Begin to write the search `query`, from revision `since` on (None: from nothing)."""
        self._streams[stream] = None
        # Spread over the interval, lest all be written to in the same second.
        self._beat = (self._beat + 1) % len(self._beats)
        stream.beat = self._beat
        self._beats[stream.beat][stream] = None
        self._audience.join(stream, query, since)
        stream.connection.listen(self, stream)
        if stream in self._streams:
            self._catch_up(stream)

    def full(self, stream: Stream) -> None:
        """Its connection takes no more for now."""
        stream.is_behind = True
        stream.full_since = time.monotonic()
        self._full[stream] = None
        self._behind.pop(stream, None)
        if len(self._full) > MOST_FULL:
            longest = next(iter(self._full))
            if longest.full_since <= stream.full_since - FULL_SECONDS:
                self.dropped += 1
                longest.connection.abort()

    def drained(self, stream: Stream) -> None:
        """Its connection takes more again."""
        if self._full.pop(stream, stream) is None:
            self._behind[stream] = None
            self._wake.set()

    def lost(self, stream: Stream) -> None:
        """Its client has left, or it was ended."""
        if self._streams.pop(stream, stream) is None:
            self._beats[stream.beat].pop(stream)
            self._behind.pop(stream, None)
            self._full.pop(stream, None)
            self._audience.leave(stream)
            stream.place.leave()
            if not self._streams:
                self._none_left.set()

    @property
    def behind(self) -> int:
        """How many viewers are not up to date just now."""
        return len(self._behind) + len(self._full)

    def on_changes(self, changes: Sequence[Change], age_seconds: float | None = None) -> None:
        """Called right after the board applied them; the first was decided so long ago."""
        since = None if age_seconds is None else time.monotonic() - age_seconds
        origin = (since, tracing.current())
        for watch in self._audience.notify(changes):
            self._news.setdefault(watch, origin)
        self._wake.set()

    def on_restart(self) -> None:
        """The board holds another history now: every viewer begins anew."""
        self._audience.restart()
        self._news.clear()
        self._round = None
        self._behind = {stream: None for stream in self._streams if stream not in self._full}
        self._wake.set()

    async def _deliver(self) -> None:
        while True:
            await self._wake.wait()
            try:
                if not self.step():
                    self._wake.clear()
            except Exception:
                # Of whom it was is not known; without this loop nobody would be told anything.
                log.exception("delivering failed")
                self._round = None
            await asyncio.sleep(0)  # let requests and new commits in between

    def step(self) -> bool:
        """Hand out some of what waits, oldest first; whether there is more.

        News that come while a round is under way make another one, for those who were served
        before they came.
        """
        writes = 0
        while writes < WRITES_AT_ONCE and (self._round is not None or self._news):
            if self._round is None:
                watch = next(iter(self._news))
                self._round = self._round_of(watch, *self._news.pop(watch))
            made = next(self._round, None)
            if made is None:
                self._round = None
            else:
                writes += made
        for stream in list(islice(self._behind, CATCH_UPS_AT_ONCE)):
            self._catch_up(stream)
        return bool(self._round is not None or self._news or self._behind)

    def _round_of(self, watch: Watch, since: float | None, trace: str) -> Iterator[int]:
        handed = self._board.revision
        streams = cast(list[Stream], list(watch.viewers))
        for start in range(0, len(streams), WRITES_AT_ONCE):
            some = streams[start : start + WRITES_AT_ONCE]
            try:
                with tracing.span("deliver", trace, viewers=len(some)):
                    writes = self._hand_out(watch, some)
                if writes and since is not None:
                    self.observe(time.monotonic() - since, writes)
                yield writes
            except Exception:
                log.exception("streams failed and are ended")
                for stream in some:
                    stream.connection.abort()
        watch.forget(handed)

    def _hand_out(self, watch: Watch, streams: Sequence[Stream]) -> int:
        """Write the news to those who keep up; each has its own `since`, most the same."""
        revision = self._board.revision
        framing = Framing(self._board, watch.fingerprint)
        encoded: dict[int | None, Frames | None] = {}
        writes = 0
        for stream in streams:
            since = stream.since
            if stream.is_behind or since == revision:
                continue
            if since not in encoded:
                encoded[since] = framing.news(watch.after(since))
            frames = encoded[since]
            # Before the write, which may find the connection full: then it goes on from here.
            stream.since = revision
            if frames is not None:
                stream.connection.write(frames)
                writes += 1
        self.writes += writes
        return writes

    def _catch_up(self, stream: Stream) -> None:
        self._behind.pop(stream, None)
        try:
            frames = stream.next_frames(self._board, self._audience)
            if frames is not None:
                self.writes += 1
                stream.connection.write(frames)
        except Exception:
            log.exception("a stream failed and is ended")
            stream.connection.abort()
        else:
            if stream.is_behind and stream in self._streams and stream not in self._full:
                self._behind[stream] = None
                self._wake.set()

    async def _keep_watch(self) -> None:
        """Every second: heartbeats and the end of lives, spread over the interval of
        heartbeats, and the deadline of writes."""
        second = 0
        while True:
            await asyncio.sleep(1)
            second = (second + 1) % len(self._beats)
            try:
                await self._watch_second(second)
            except Exception:
                log.exception("watching over the streams failed")

    async def _watch_second(self, second: int) -> None:
        now = time.monotonic()
        for stream in list(self._full):
            if stream.full_since < now - WRITE_DEADLINE_SECONDS:
                log.info("a viewer does not read, dropped")
                self.dropped += 1
                stream.connection.abort()
        for number, stream in enumerate(list(self._beats[second])):
            if stream.expires_at < now - WRITE_DEADLINE_SECONDS:
                stream.connection.abort()  # it was ended, but takes not even what was left
            elif stream.expires_at < now:
                stream.connection.end()
            elif not stream.is_behind and stream.watch is not None:
                self._say_all_is_well(stream, stream.watch)
            if number % WRITES_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _say_all_is_well(self, stream: Stream, watch: Watch) -> None:
        """Unless news are on their way, which say as much: its id must not pass them."""
        if not watch.news:
            stream.since = self._board.revision
            stream.connection.write(Framing(self._board, watch.fingerprint).heartbeat())
