"""The connections of this process that are Hypercorn's, and who of them gives way.

Hypercorn bounds headers (16 kB, within `keep_alive_timeout`), and knows no bound for how many
connections there are, and for clients that do not read. Here is one, by one rule: of those who
keep us waiting, the one who has done so for longest gives way as soon as there are too many. Who
means it is done in milliseconds and is never that one, so there is always room for the next.

Bodies have the same rule (`bodies.py`). Streams are not in here: their connections are taken away
from Hypercorn (`transport.py`).
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import msgspec
import structlog
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated

from vacancies.errors import Overloaded
from web.files import MOST_CONNECTIONS, connections_of, most_files
from web.problems import problem_of, problem_response

log = structlog.get_logger()

HEADER_BYTES = 16 * 1024
QUIET_SECONDS = 5


class Most(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a process those may take who keep it waiting.

    `quiet` connections have no request under way: none yet, one whose headers are not complete, or
    none any more. `unread_bytes` is what those have not read who read slowly, altogether, and
    `unread_seconds` how long one may read nothing.
    """

    connections: int = MOST_CONNECTIONS
    quiet: int = MOST_CONNECTIONS // 2
    unread_bytes: int = 128 * 1024 * 1024
    unread_seconds: float = 30.0


class Connections:
    """Those who keep us waiting, longest first. The counts are of those who gave way, and of
    those for whom there was no room."""

    def __init__(self, most: Most | None = None) -> None:
        if most is None:
            room = connections_of(most_files())
            most = Most(connections=room, quiet=max(1, room // 2))
        self.most = most
        self.dropped_quiet = self.dropped_unread = self.turned_away = 0
        self.unread_bytes = 0
        self._all: set[Guarded] = set()
        self._quiet: dict[Guarded, None] = {}
        self._unread: dict[Guarded, _Unread] = {}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def dropped(self) -> int:
        """How many gave way."""
        return self.dropped_quiet + self.dropped_unread

    def admit(self, connection: Guarded) -> bool:
        """Whether there is room for one more."""
        if len(self._all) >= self.most.connections:
            self.turned_away += 1
            return False
        self._all.add(connection)
        self.quiet(connection)
        return True

    def forget(self, connection: Guarded) -> None:
        self._all.discard(connection)
        self._quiet.pop(connection, None)
        self.read(connection)

    def quiet(self, connection: Guarded) -> None:
        """It has no request under way."""
        if connection not in self._all:
            return  # it has left already
        self._quiet[connection] = None
        if len(self._quiet) > self.most.quiet:
            self.dropped_quiet += 1
            self._drop(next(iter(self._quiet)))

    def busy(self, connection: Guarded) -> None:
        """The headers of its request are complete."""
        self._quiet.pop(connection, None)

    def unread(self, connection: Guarded, size: int) -> None:
        """So many bytes wait until it reads."""
        known = self._unread.get(connection)
        if known is None:
            known = self._unread[connection] = _Unread(0, time.monotonic())
        self.unread_bytes += size - known.size
        known.size = size
        while self.unread_bytes > self.most.unread_bytes:
            self.dropped_unread += 1
            self._drop(next(iter(self._unread)))

    def read(self, connection: Guarded) -> None:
        """Nothing waits any more."""
        known = self._unread.pop(connection, None)
        if known is not None:
            self.unread_bytes -= known.size

    def look(self) -> None:
        """Who reads goes behind the others, and who has not read for long is dropped."""
        latest = time.monotonic() - self.most.unread_seconds
        for connection, known in list(self._unread.items()):
            size = connection.unread_bytes()
            if size < known.size:
                self.read(connection)
                if size:
                    self.unread(connection, size)
            elif known.since < latest:
                self.dropped_unread += 1
                self._drop(connection)

    async def look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(1)
            try:
                self.look()
            except Exception:
                log.exception("looking after the connections failed")

    def _drop(self, connection: Guarded) -> None:
        self.forget(connection)
        connection.abort()


class _Unread(msgspec.Struct):
    """`size` bytes wait; nothing was read `since` (monotonic seconds)."""

    size: int
    since: float


class Guarded(TCPServer):
    """A connection of Hypercorn's that says what it waits for."""

    @property
    def connections(self) -> Connections:
        assert isinstance(self.config, GuardedConfig)
        return self.config.connections

    async def run(self) -> None:
        if not self.connections.admit(self):
            with suppress(OSError, RuntimeError):
                self.writer.write(_NO_ROOM)
                self.writer.close()
            return
        try:
            await super().run()
        finally:
            self.connections.forget(self)

    async def _read_data(self) -> None:
        await super()._read_data()
        # Nothing more will come. Hypercorn would keep the file until the time is over.
        await self.idle_task.stop()

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, RawData):
            await self._send(event)
            return
        if isinstance(event, Updated):
            if event.idle:
                self.connections.quiet(self)
            else:
                self.connections.busy(self)
        await super().protocol_send(event)

    async def _send(self, event: RawData) -> None:
        """As Hypercorn does it, and what the kernel does not take at once is counted."""
        async with self.send_lock:
            try:
                self.writer.write(event.data)
                if size := self.unread_bytes():
                    self.connections.unread(self, size)
                await self.writer.drain()
            except (ConnectionError, RuntimeError):
                await self.protocol.handle(Closed())

    def unread_bytes(self) -> int:
        size: int = self.writer.transport.get_write_buffer_size()
        return size

    def abort(self) -> None:
        self.writer.transport.abort()


class GuardedConfig(Config):
    """Hypercorn hands its configuration, and nothing else of ours, to every connection."""

    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self.connections = connections
        self.h11_max_incomplete_size = HEADER_BYTES
        # For headers to be complete, from the beginning of the connection or the answer before. A
        # proxy must let go of idle connections earlier (deploy/Caddyfile: `keepalive`), or it sends
        # into a closed one.
        self.keep_alive_timeout = QUIET_SECONDS


def _no_room() -> bytes:
    body, status, headers = problem_response(
        problem_of(Overloaded("Too many connections are open. Try again in a few seconds."))
    )
    headers |= {"Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status:d} Service Unavailable"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


_NO_ROOM = _no_room()
