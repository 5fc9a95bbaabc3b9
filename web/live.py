"""The live stream: a search as Server-Sent Events, beside Quart as a plain ASGI app.

One loop per process hands out what waits. A viewer that is idle is written to at once; one
that is busy collects, newest state of each home only, until its last write is through. So
a slow phone costs nobody else anything, and loses nothing.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import parse_qsl

import structlog
from werkzeug.datastructures import MultiDict

from vacancies.audience import Audience, Viewer
from vacancies.board import Board, Change
from vacancies.errors import FreiplatzError, InvalidParameter, Overloaded
from vacancies.feed import Follower
from vacancies.geocoding import Geocoder
from vacancies.search import Query
from vacancies.tasks import stop_tasks
from web.asgi import Asgi, Receive, Scope, Send
from web.cursor import Cursor, read_cursor
from web.parameters import SEARCH, Args, check_names, parse_query
from web.problems import Problem, problem_of, problem_response
from web.stream import Stream
from web.transport import connection_below

log = structlog.get_logger()

STREAM_PATH = "/api/v1/vacancies/stream"
HEARTBEAT_SECONDS = 15
WRITE_DEADLINE_SECONDS = 30.0
LIFETIME_SECONDS = (480.0, 720.0)  # jittered, lest all reconnect at once
MAX_VIEWERS = 20_000
FLUSHES_AT_ONCE = 200
CATCH_UP_SECONDS = 2.0  # for a cursor that is ahead of this worker
FAREWELL_SECONDS = 2.0  # for the end of a stream to get out

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"access-control-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
]


class LiveStreams:
    """All streams of this process; wraps the app and takes the stream's path from it."""

    def __init__(
        self,
        app: Asgi,
        board: Board,
        audience: Audience,
        geocoder: Geocoder,
    ) -> None:
        self._app = app
        self._board = board
        self._audience = audience
        self._geocoder = geocoder
        self._streams: dict[Viewer, Stream] = {}
        self._concerned: dict[Viewer, None] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self.follower: Follower | None = None
        self.delivered = 0

    def __len__(self) -> int:
        return len(self._streams)

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._deliver(), name="live-deliver"),
            asyncio.create_task(self._watch(), name="live-watch"),
        ]

    async def close(self) -> None:
        """End all streams at once: an open stream would hold up the end of the process."""
        self._closing = True
        for stream in list(self._streams.values()):
            stream.end()
        await stop_tasks(self._tasks)

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Called right after the board applied them."""
        for viewer in self._audience.notify(changes):
            self._concerned[viewer] = None
        self._wake.set()

    def on_restart(self) -> None:
        """The board holds another history now: every viewer begins anew."""
        for viewer in self._streams:
            self._audience.invalidate(viewer)
            self._concerned[viewer] = None
        self._wake.set()

    async def _deliver(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._concerned:
                for _ in range(min(FLUSHES_AT_ONCE, len(self._concerned))):
                    viewer = next(iter(self._concerned))  # who has waited longest
                    del self._concerned[viewer]
                    self._hand_over(viewer)
                await asyncio.sleep(0)  # let requests and new commits in between

    def _hand_over(self, viewer: Viewer) -> None:
        stream = self._streams.get(viewer)
        if stream is None:
            return
        self.delivered += 1
        try:
            if viewer.is_void:
                self._audience.fill(viewer)
            stream.flush()
        except Exception:
            log.exception("a stream failed and is ended")
            stream.end()

    async def _watch(self) -> None:
        """Heartbeats, spread over their interval, and the deadline of writes."""
        second = 0
        while True:
            await asyncio.sleep(1)
            second = (second + 1) % HEARTBEAT_SECONDS
            late = time.monotonic() - WRITE_DEADLINE_SECONDS
            for number, stream in enumerate(list(self._streams.values())):
                if stream.is_busy:
                    if stream.writing_since < late:
                        log.info("a viewer does not read, dropped")
                        await stream.abort()
                elif stream.heartbeat_due == second:
                    stream.heartbeat()
                if number % FLUSHES_AT_ONCE == 0:
                    await asyncio.sleep(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["query_string"].isascii():
            await _refuse(_BAD_TARGET, send)  # HTTP/2 lets it through, and Quart trips over it
        elif scope["type"] != "http" or scope["path"] != STREAM_PATH:
            await self._app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await _refuse(_WRONG_METHOD, send)
        else:
            try:
                query, cursor = await self._read(scope)
                if self._closing or len(self._streams) >= MAX_VIEWERS:
                    raise Overloaded("Too many viewers are connected. Try again shortly.")
            except FreiplatzError as error:
                await _refuse(problem_of(error), send)
                return
            await self._serve(scope, query, cursor, receive, send)

    async def _read(self, scope: Scope) -> tuple[Query, Cursor | None]:
        """The search and where to resume; None: from nothing."""
        args: Args = MultiDict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        check_names(args, (*SEARCH, "since"))
        query = await parse_query(args, self._geocoder)
        header = next((v for k, v in scope["headers"] if k == b"last-event-id"), b"")
        # The header is newer: a browser that reconnects repeats the address it began with.
        if header.strip():
            return query, read_cursor(header.decode("ascii", "replace")) or Cursor("", "", 0)
        since = args.get("since", "").strip()
        if not since:
            return query, None
        cursor = read_cursor(since)
        if cursor is None:
            raise InvalidParameter(
                "This is no cursor. Take it from a search or an event, or leave it out.",
                field="since",
            )
        return query, cursor

    async def _serve(
        self, scope: Scope, query: Query, cursor: Cursor | None, receive: Receive, send: Send
    ) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        if cursor is not None and cursor.revision > self._board.revision and self.follower:
            # This worker may lag behind the one that the viewer had; that is no restore.
            with suppress(Exception):
                await asyncio.wait_for(self.follower.catch_up(), CATCH_UP_SECONDS)
        viewer = self._join(query, cursor)
        stream = Stream(self._board, viewer, send, connection_below(scope, send))
        self._streams[viewer] = stream
        stream.heartbeat_due = len(self._streams) % HEARTBEAT_SECONDS
        if self._closing:
            stream.end()
        try:
            stream.flush()
            has_left = await self._until_over(stream, receive)
        finally:
            self._streams.pop(viewer, None)
            self._concerned.pop(viewer, None)
            self._audience.leave(viewer)
            stream.end()
        if has_left or stream.is_busy:
            await stream.abort()  # waiting for a slow reader here could be for ever
        else:
            last = send({"type": "http.response.body", "body": b"", "more_body": False})
            with suppress(Exception):
                await asyncio.wait_for(last, FAREWELL_SECONDS)

    def _join(self, query: Query, cursor: Cursor | None) -> Viewer:
        if cursor is None:
            return self._audience.join(query, None)
        known = (query.fingerprint(), self._board.epoch)
        if (cursor.fingerprint, cursor.epoch) == known and cursor.revision <= self._board.revision:
            return self._audience.join(query, cursor.revision)
        viewer = self._audience.join(query, None)
        viewer.reset = True
        return viewer

    async def _until_over(self, stream: Stream, receive: Receive) -> bool:
        """Wait until the client leaves (then True), the stream is ended, or its life is over."""
        left = asyncio.ensure_future(_disconnected(receive))
        try:
            lifetime = random.uniform(*LIFETIME_SECONDS)
            done, _ = await asyncio.wait(
                {left, stream.ended}, timeout=lifetime, return_when=asyncio.FIRST_COMPLETED
            )
            return left in done
        finally:
            left.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


_BAD_TARGET = Problem(
    title="Bad Request",
    status=400,
    code="bad_request",
    detail="The address holds bytes that are not ASCII. Percent-encode them.",
)
_WRONG_METHOD = Problem(
    title="Method Not Allowed",
    status=405,
    code="method_not_allowed",
    detail="A stream is read with GET. See /api/v1/docs.",
)


async def _refuse(problem: Problem, send: Send) -> None:
    body, status, headers = problem_response(problem)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"access-control-allow-origin", b"*"))
    if status == 405:
        raw.append((b"allow", b"GET, HEAD"))
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
