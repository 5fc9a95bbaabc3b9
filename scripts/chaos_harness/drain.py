"""A viewer that costs next to nothing: it reads and forgets, and comes back after an end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

BEGIN = b"event: ready"
AGAIN_SECONDS = 0.5


class Drain(asyncio.Protocol):
    """Watches everything at `address` (host:port). `received` counts bytes, `streams` how often
    it has begun."""

    def __init__(self, address: str, *, comes_back: bool = True) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._comes_back = comes_back
        self._transport: asyncio.Transport | None = None
        self._begun: asyncio.Future[None] | None = None
        self._again: asyncio.Task[None] | None = None
        self._tail = b""
        self.received = 0
        self.streams = 0

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def open(self) -> None:
        """Returns when the stream has begun. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._begun, self._tail = loop.create_future(), b""
        transport, _ = await loop.create_connection(lambda: self, self._host, self._port)
        self._transport = transport
        transport.write(
            b"GET /api/v1/vacancies/stream HTTP/1.1\r\nHost: drain\r\n"
            b"Accept: text/event-stream\r\n\r\n"
        )
        await self._begun

    def close(self) -> None:
        self._comes_back = False
        if self._again is not None:
            self._again.cancel()
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self._begun is not None and not self._begun.done():
            self._tail = self._tail[-len(BEGIN) :] + data
            if BEGIN in self._tail:
                self.streams += 1
                self._begun.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._begun is not None and not self._begun.done():
            self._begun.set_exception(ConnectionError("the stream ended before it began"))
        elif self._comes_back:
            self._again = asyncio.ensure_future(self._come_back())

    async def _come_back(self) -> None:
        while self._transport is None:
            await asyncio.sleep(AGAIN_SECONDS)
            with suppress(OSError):
                await self.open()
