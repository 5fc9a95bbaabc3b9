"""The live stream: a search as Server-Sent Events, beside Quart as a plain ASGI app.

Here a request becomes a stream, or is refused; `delivery.py` writes to it from then on.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from vacancies.audience import Audience
from vacancies.board import Board
from vacancies.config import Settings
from vacancies.errors import FreiplatzError, InvalidParameter, Overloaded
from vacancies.feed import Follower
from vacancies.geocoding import Geocoder
from vacancies.search import Query
from web.asgi import Asgi, Receive, Scope, Send
from web.cursor import Cursor, read_cursor
from web.delivery import Delivery
from web.door import STREAM_PATH, client_of, refuse
from web.files import most_files, viewers_of
from web.parameters import SEARCH, Args, check_names, parse_query
from web.places import Place, Places
from web.problems import Problem, problem_of
from web.stream import Stream
from web.transport import Connection, Lent, connection_of

LIFETIME_SECONDS = (480.0, 720.0)  # jittered, lest all reconnect at once
CATCH_UP_SECONDS = 2.0  # for a cursor that is ahead of this worker

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
        settings: Settings,
    ) -> None:
        self._app = app
        self._board = board
        self._geocoder = geocoder
        self._proxies = settings.proxies
        most = min(settings.bounds.viewers, viewers_of(most_files()))
        self.places = Places(most, settings.bounds.viewers_per_address)
        self._is_closing = False
        self._reading: set[asyncio.Task[None]] = set()
        self.delivery = Delivery(board, audience)
        self.follower: Follower | None = None

    async def close(self) -> None:
        self._is_closing = True
        await self.delivery.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["query_string"].isascii():
            await refuse(_BAD_TARGET, send)  # HTTP/2 lets it through, and Quart trips over it
        elif scope["type"] != "http" or scope["path"] != STREAM_PATH:
            await self._app(scope, receive, send)
        else:
            left = self._read_away(receive)
            if scope["method"] not in ("GET", "HEAD"):
                await refuse(_WRONG_METHOD, send)
                return
            try:
                query, cursor = await self._read(scope)
                if self._is_closing:
                    raise Overloaded("This server is stopping. Try again at once.")
                place = self.places.take(client_of(scope, self._proxies))
            except FreiplatzError as error:
                await refuse(problem_of(error), send)
                return
            await self._serve(scope, query, cursor, left, send, place)

    def _read_away(self, receive: Receive) -> asyncio.Task[None]:
        """Ends when the client has left. What it sends until then is read, although nobody
        asked for it: Hypercorn stops for ever before a queue that is full."""
        left = asyncio.create_task(_disconnected(receive))
        self._reading.add(left)
        left.add_done_callback(self._reading.discard)
        return left

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
        self,
        scope: Scope,
        query: Query,
        cursor: Cursor | None,
        left: asyncio.Task[None],
        send: Send,
        place: Place,
    ) -> None:
        stream = None
        try:
            connection = await self._connect(scope, cursor, send)
            if connection is not None:
                stream = self._open(connection, query, cursor, place)
        finally:
            if stream is None:
                place.leave()  # else it does when it is lost
        if isinstance(connection, Lent):
            await connection.run(left)

    async def _connect(self, scope: Scope, cursor: Cursor | None, send: Send) -> Connection | None:
        """Send the headers; what to write to from then on. None: nobody is there."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return None
        if cursor is not None and cursor.revision > self._board.revision and self.follower:
            # This worker may lag behind the one that the viewer had; that is no restore.
            with suppress(Exception):
                await asyncio.wait_for(self.follower.catch_up(), CATCH_UP_SECONDS)
        connection = connection_of(scope, send)
        if connection is not None and self._is_closing:
            connection.abort()  # nobody would end it any more
            return None
        return connection

    def _open(
        self, connection: Connection, query: Query, cursor: Cursor | None, place: Place
    ) -> Stream:
        stream = Stream(connection, time.monotonic() + random.uniform(*LIFETIME_SECONDS), place)
        since = None
        if cursor is not None:
            known = (query.fingerprint(), self._board.epoch)
            if (cursor.fingerprint, cursor.epoch) == known and (
                cursor.revision <= self._board.revision
            ):
                since = cursor.revision
            else:
                stream.reset = True
        self.delivery.open(stream, query, since)
        return stream


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
