"""A cable between a web process and a server, which can be slow, or break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

PIECE_BYTES = 64 * 1024


class Proxy:
    """Passes TCP connections on to the socket at `target`. `delay_seconds` is added to every
    piece that passes, either way."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self.delay_seconds = 0.0
        self.port = 0

    def __len__(self) -> int:
        """Connections, each with two ends."""
        return len(self._writers) // 2

    def break_all(self) -> int:
        """Reset every connection; how many there were."""
        found = len(self)
        for writer in list(self._writers):
            writer.transport.abort()
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ours = await asyncio.open_unix_connection(self._target, limit=PIECE_BYTES)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, ours[1]}
        self._writers |= ends
        try:
            passing = [
                asyncio.create_task(self._pass(reader, ours[1])),
                asyncio.create_task(self._pass(ours[0], writer)),
            ]
            await asyncio.wait(passing)
        finally:
            self._writers -= ends
            for end in ends:
                end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                writer.write(piece)
                await writer.drain()
        # Whoever closes one way has nothing more to say the other way either.
        writer.close()


@asynccontextmanager
async def proxy(host: str, target: Path) -> AsyncIterator[Proxy]:
    """A cable that begins at a free port of `host`."""
    found = Proxy(target)
    server = await asyncio.start_server(found._serve, host, 0, limit=PIECE_BYTES)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        found.break_all()
