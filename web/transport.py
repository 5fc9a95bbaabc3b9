"""The seam to the connection below Hypercorn's `send`.

Hypercorn offers no way to see that a client is gone, or to drop one that does not read:
closing waits for it to take what is buffered, for ever. In Hypercorn 0.18 the connection
stands behind the bound methods of `send` (stream → protocol → TCP server → writer). With
another server or version there is none, and streams go on without.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Protocol

from web.asgi import Scope

# The kernel hides megabytes before a slow reader is seen; a phone needs a fraction.
SEND_BUFFER_BYTES = 64 * 1024


class Below(Protocol):
    """What a stream can do with its connection."""

    def write(self, body: bytes) -> bool:
        """Send a part of the body without waiting; False if only `send` can do that."""

    def is_full(self) -> bool:
        """Whether so much waits to leave that one must wait with it (`drained`)."""

    def is_closing(self) -> bool:
        """Whether writing is pointless: `send` does not say so."""

    async def drained(self) -> None:
        """Wait until what was sent has left us, where `send` itself does not."""

    async def abort(self) -> None:
        """Drop the client, and what waits for it."""


class Nothing:
    """No seam was found."""

    def write(self, body: bytes) -> bool:
        return False

    def is_full(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return False

    async def drained(self) -> None:
        return

    async def abort(self) -> None:
        return


class Socket:
    """HTTP/1.1: the connection is the stream's own, and its body is chunked (RFC 9112, 7.1).

    Writing past Hypercorn saves a task and a dozen awaits for each viewer and change.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        # Let back-pressure be felt early.
        if (sock := writer.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def write(self, body: bytes) -> bool:
        self._writer.write(b"%x\r\n%b\r\n" % (len(body), body))
        return True

    def is_full(self) -> bool:
        return self._writer.transport.get_write_buffer_size() >= SEND_BUFFER_BYTES

    def is_closing(self) -> bool:
        return self._writer.is_closing()

    async def drained(self) -> None:
        await self._writer.drain()

    async def abort(self) -> None:
        self._writer.transport.abort()


class Channel:
    """HTTP/2: many streams share a connection, each with a buffer that has no bound."""

    def __init__(self, buffer: Any) -> None:
        self._buffer = buffer

    def write(self, body: bytes) -> bool:
        return False

    def is_full(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return bool(self._buffer.complete)

    async def drained(self) -> None:
        await self._buffer.drain()

    async def abort(self) -> None:
        await self._buffer.close()


def connection_below(scope: Scope, send: object) -> Below:
    stream = getattr(send, "__self__", None)
    protocol = getattr(getattr(stream, "send", None), "__self__", None)
    buffers = getattr(protocol, "stream_buffers", None)
    if buffers is not None:
        buffer = buffers.get(getattr(stream, "stream_id", None))
        return Nothing() if buffer is None else Channel(buffer)
    server = getattr(getattr(protocol, "send", None), "__self__", None)
    writer = getattr(server, "writer", None)
    # An answer to HTTP/1.0 is not chunked.
    if scope["http_version"] == "1.1" and isinstance(writer, asyncio.StreamWriter):
        return Socket(writer)
    return Nothing()
