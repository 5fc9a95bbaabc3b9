"""The seam to the connection below Hypercorn's `send`.

A stream needs nothing of HTTP after its headers, while Hypercorn keeps two tasks, a parser and
a dozen buffers for each connection, does not say that a client is gone, and waits for ever for
one that does not read. So where the connection is the stream's own (HTTP/1.1) it is taken from
Hypercorn, which believes from then on that the client has left. In Hypercorn 0.18 it stands
behind the bound methods of `send` (stream → protocol → TCP server → writer).

With HTTP/2, another server, or another version there is no such way, and frames go through
`send`: one write at a time, by the task of the request.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

from vacancies.tasks import stop_tasks
from web.asgi import Scope, Send
from web.frames import Frames

# The kernel hides megabytes before a slow reader is seen; a phone needs a fraction.
SEND_BUFFER_BYTES = 64 * 1024
LAST_CHUNK = b"0\r\n\r\n"


Told = TypeVar("Told", contravariant=True)


class Listener(Protocol[Told]):
    """Who is told what becomes of a connection, and for whom."""

    def full(self, who: Told, /) -> None:
        """So much waits to leave that one should wait with more."""

    def drained(self, who: Told, /) -> None:
        """It can take more again."""

    def lost(self, who: Told, /) -> None:
        """The client has left, or the connection was ended."""


class Connection(Protocol):
    """What a stream can do with its connection."""

    def listen(self, listener: Listener[Told], who: Told) -> None:
        """From now on tell `listener` of what becomes of it, on behalf of `who`."""

    def write(self, frames: Frames) -> None:
        """Send without waiting; what comes after the client has left is dropped."""

    def end(self) -> None:
        """End the answer in order, after what was written."""

    def abort(self) -> None:
        """Drop the client, and what waits for it."""


class Taken(asyncio.Protocol):
    """A connection of HTTP/1.1 that was taken over: we write chunks to its transport."""

    __slots__ = ("_is_lost", "_listener", "_transport", "_who")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_lost = False
        self._listener: Listener[Any] | None = None
        self._who: Any = None
        transport.set_write_buffer_limits(SEND_BUFFER_BYTES)
        if (sock := transport.get_extra_info("socket")) is not None:
            # Let back-pressure be felt early.
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def listen(self, listener: Listener[Told], who: Told) -> None:
        self._listener, self._who = listener, who
        if self._transport.is_closing():
            listener.lost(who)

    def write(self, frames: Frames) -> None:
        if not self._transport.is_closing():
            self._transport.write(frames.chunk)

    def end(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(LAST_CHUNK)
            self._transport.close()

    def abort(self) -> None:
        if not self._is_lost:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        if self._listener is not None:
            self._listener.lost(self._who)
            self._listener = self._who = None

    def pause_writing(self) -> None:
        if self._listener is not None:
            self._listener.full(self._who)

    def resume_writing(self) -> None:
        if self._listener is not None:
            self._listener.drained(self._who)


class Lent:
    """A connection that stays the server's: `run` sends what was written, one by one.

    `drained` waits until what was sent has left, where `send` itself does not; `drop` lets
    go of a client that does not read.
    """

    def __init__(
        self,
        send: Send,
        drained: Callable[[], Awaitable[None]] | None = None,
        drop: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._send = send
        self._drained = drained
        self._drop = drop
        self._listener: Listener[Any] | None = None
        self._who: Any = None
        self._waiting: list[bytes] = []
        self._wake = asyncio.Event()
        self._is_ending = False
        self._writing: asyncio.Task[None] | None = None

    def listen(self, listener: Listener[Told], who: Told) -> None:
        self._listener, self._who = listener, who

    def write(self, frames: Frames) -> None:
        self._waiting.append(frames.body)
        self._wake.set()
        if self._listener is not None:
            self._listener.full(self._who)

    def end(self) -> None:
        self._is_ending = True
        self._wake.set()

    def abort(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
        else:
            self._waiting.clear()
            self.end()

    async def run(self, left: asyncio.Task[None]) -> None:
        """Until the client has `left`, or the answer is ended."""
        self._writing = writing = asyncio.create_task(self._write())
        try:
            await asyncio.wait({left, writing}, return_when=asyncio.FIRST_COMPLETED)
            is_over = writing.done() and not writing.cancelled() and not writing.exception()
            if not is_over and self._drop is not None:
                await self._drop()
        finally:
            if self._listener is not None:
                self._listener.lost(self._who)
            await stop_tasks([writing])

    async def _write(self) -> None:
        while not self._is_ending or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                body = b"".join(self._waiting)
                self._waiting.clear()
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
                if self._drained is not None:
                    await self._drained()
                # Others have their turn, however much waits for this one.
                await asyncio.sleep(0)
                if self._listener is not None:
                    self._listener.drained(self._who)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def connection_of(scope: Scope, send: Send) -> Taken | Lent | None:
    """Take the connection, or borrow it; to be called when the headers have been sent. None:
    the client has left already.

    Taken: the app must return at once. Lent: it must `run`.
    """
    stream = getattr(send, "__self__", None)
    protocol = getattr(getattr(stream, "send", None), "__self__", None)
    buffers = getattr(protocol, "stream_buffers", None)
    if buffers is not None:
        buffer = buffers.get(getattr(stream, "stream_id", None))
        return Lent(send) if buffer is None else Lent(send, buffer.drain, buffer.close)
    server = getattr(getattr(protocol, "send", None), "__self__", None)
    writer = getattr(server, "writer", None)
    if not isinstance(writer, asyncio.StreamWriter):
        return Lent(send)
    transport = writer.transport
    if transport.is_closing():
        return None

    async def drop() -> None:
        transport.abort()

    parser: Any = getattr(protocol, "connection", None)
    is_known = hasattr(parser, "our_role") and getattr(writer, "_transport", None) is transport
    # An answer to HTTP/1.0 is not chunked.
    if protocol is None or not is_known or scope["http_version"] != "1.1":
        return Lent(send, drop=drop)
    # Whatever the client has sent behind its request would keep Hypercorn waiting for the end of
    # our answer, which it will never see: let it read on, as if from the beginning.
    protocol.connection = type(parser)(parser.our_role)
    return _take(writer)


def _take(writer: asyncio.StreamWriter) -> Taken:
    transport = cast(asyncio.Transport, writer.transport)
    former = transport.get_protocol()
    taken = Taken(transport)
    transport.set_protocol(taken)
    # Whatever Hypercorn, or the collector of garbage, does to the writer from here on must not
    # reach the socket.
    writer._transport = _GONE  # type: ignore[attr-defined]
    former.connection_lost(None)
    transport.resume_reading()  # it may have been paused; else its end would not be seen
    return taken


class _Gone(asyncio.Transport):
    """The transport of a connection that is not there any more."""

    def is_closing(self) -> bool:
        return True

    def write(self, data: object) -> None: ...
    def write_eof(self) -> None: ...
    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None: ...
    def abort(self) -> None: ...
    def get_write_buffer_size(self) -> int:
        return 0


_GONE = _Gone()
