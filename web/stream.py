"""The connection of one viewer: what waits becomes frames of Server-Sent Events."""

from __future__ import annotations

import asyncio
import time

from vacancies.audience import Viewer, Waiting
from vacancies.board import Board
from web.asgi import Send
from web.cursor import cursor_prefix
from web.transport import Below

WRITE_BYTES = 64 * 1024


class Stream:
    """The connection of one viewer; at most one write is under way."""

    __slots__ = (
        "_below",
        "_board",
        "_prefix",
        "_send",
        "_writing",
        "ended",
        "heartbeat_due",
        "viewer",
        "writing_since",
    )

    def __init__(self, board: Board, viewer: Viewer, send: Send, below: Below) -> None:
        self._below = below
        self._board = board
        self._send = send
        self._prefix = ""
        self._writing: asyncio.Task[None] | None = None
        self.viewer = viewer
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.writing_since = 0.0
        self.heartbeat_due = 0
        self.renew()

    def renew(self) -> None:
        """Another epoch may have begun."""
        prefix = cursor_prefix(self.viewer.fingerprint, self._board.epoch)
        self._prefix = f"id: {prefix}"

    @property
    def is_busy(self) -> bool:
        return self._writing is not None

    def flush(self) -> None:
        """Write what waits, unless a write is under way: then that one goes on with it."""
        if self._writing is None and not self.ended.done():
            self._write(self._frames())

    def heartbeat(self) -> None:
        """Say that all is well; a busy viewer sees that anyway."""
        if self._writing is None and not self.ended.done() and self.viewer.is_ready:
            self._write(self._frames() or self._frame("heartbeat", self._revision_data()))

    def end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    async def abort(self) -> None:
        """Drop a client that does not read; it resumes from its last event."""
        self.end()
        if self._writing is not None:
            self._writing.cancel()
        await self._below.abort()

    def _write(self, frames: bytes) -> None:
        """At once, if the client keeps up; a task is made only for one that does not."""
        if not frames:
            return
        if self._below.is_closing():
            self.end()
        elif not self._below.write(frames):
            self._writing = asyncio.create_task(self._go_on(frames))
        elif self._below.is_full() or self.viewer.waiting:
            self._writing = asyncio.create_task(self._go_on(b""))
        self.writing_since = time.monotonic()

    async def _go_on(self, frames: bytes) -> None:
        """Write `frames`, then what waits, until nothing does."""
        try:
            if frames:
                await self._send_all(frames)
            while not self.ended.done():
                self.writing_since = time.monotonic()
                await self._below.drained()
                if self._below.is_closing():
                    self.end()  # `send` to a client that has left returns at once
                    return
                await asyncio.sleep(0)  # a long backlog must not hold up everybody else
                # No await between here and the end: what comes after finds `_writing` None.
                frames = self._frames()
                if not frames:
                    return
                if not self._below.write(frames):
                    await self._send_all(frames)
        except asyncio.CancelledError:
            raise
        except Exception:
            self.end()
        finally:
            self._writing = None

    async def _send_all(self, frames: bytes) -> None:
        await self._send({"type": "http.response.body", "body": frames, "more_body": True})

    def _frames(self) -> bytes:
        """Up to about `WRITE_BYTES` of what waits, in ascending revision; `ready` after the
        last of the backlog, never before: its id must not pass what still waits."""
        viewer = self.viewer
        if viewer.is_void:
            return b""  # another history has begun; what to send is not known yet
        frames = []
        size = 0
        if viewer.reset:
            viewer.reset = False
            self.renew()
            # Revision 0: whoever resumes from here is sent everything.
            frames.append(f"{self._prefix}0\nevent: reset\ndata: {{}}\n\n".encode())
        while viewer.waiting and size < WRITE_BYTES:
            slot = next(iter(viewer.waiting))
            frame = self._change_frame(slot, viewer.waiting.pop(slot))
            size += len(frame)
            frames.append(frame)
        if not viewer.waiting and not viewer.is_ready:
            viewer.is_ready = True
            frames.append(self._frame("ready", self._revision_data()))
        return b"".join(frames)

    def _change_frame(self, slot: int, waiting: Waiting) -> bytes:
        start = f"{self._prefix}{waiting.revision}\n".encode()
        if waiting.gone:
            home_id = self._board.listing(slot).id  # [A-Za-z0-9._~-]: JSON as it is
            return start + b'event: gone\ndata: {"id":"%b"}\n\n' % home_id.encode()
        feature = self._board.feature(slot).at(waiting.distance_km)
        return b"%bevent: listing\ndata: %b\n\n" % (start, feature)

    def _frame(self, event: str, data: str) -> bytes:
        revision = self._board.revision
        return f"{self._prefix}{revision}\nevent: {event}\ndata: {data}\n\n".encode()

    def _revision_data(self) -> str:
        return f'{{"revision":{self._board.revision}}}'
