"""The bodies of requests under way, and which of them give way.

A body is at most 2 MB and comes within a minute (`web/app.py`). Of many that come slowly the one
that began first gives way as soon as there are too many of them, or too much of them is held.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from web.asgi import Receive, Scope

SMALL_BYTES = 64 * 1024  # gives way only for the number of bodies, not for their size
_DISCONNECTED = {"type": "http.disconnect"}


class MostBodies(msgspec.Struct, frozen=True, kw_only=True):
    """How many may be on their way at a time, and how many bytes of all requests may be held."""

    receiving: int = 1_000
    held_bytes: int = 64 * 1024 * 1024


class Bodies:
    """All of a process; `dropped` counts those that gave way."""

    def __init__(self, most: MostBodies | None = None) -> None:
        self.most = most or MostBodies()
        self.held_bytes = 0
        self.dropped = 0
        self._receiving: dict[Body, None] = {}  # oldest first

    def __len__(self) -> int:
        """How many are not complete."""
        return len(self._receiving)

    def begin(self, receive: Receive) -> Body:
        body = Body(self, receive)
        self._receiving[body] = None
        if len(self._receiving) > self.most.receiving:
            self._drop(next(iter(self._receiving)))
        return body

    def received(self, body: Body, size: int, *, is_complete: bool) -> None:
        self.held_bytes += size
        body.held_bytes += size
        if is_complete:
            self._receiving.pop(body, None)
        if self.held_bytes > self.most.held_bytes:
            for each in list(self._receiving):
                if each.held_bytes > SMALL_BYTES:
                    self._drop(each)
                    break

    def end(self, body: Body) -> None:
        """The request is answered."""
        self._receiving.pop(body, None)
        self.held_bytes -= body.held_bytes
        body.held_bytes = 0

    def _drop(self, body: Body) -> None:
        self.dropped += 1
        del self._receiving[body]
        body.give_way()


class Body:
    """What the app is told of one body. If it gives way, the app is told that the client has
    left, and the client that it should come again."""

    __slots__ = ("_bodies", "_receive", "_waiting", "gave_way", "held_bytes", "is_over")

    def __init__(self, bodies: Bodies, receive: Receive) -> None:
        self._bodies = bodies
        self._receive = receive
        self._waiting: asyncio.Task[Any] | None = None
        self.held_bytes = 0
        self.gave_way = False
        self.is_over = False  # complete, or the client has left

    async def receive(self) -> dict[str, Any]:
        if self.gave_way:
            return _DISCONNECTED
        self._waiting = waiting = asyncio.current_task()
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not self.gave_way or waiting is None or waiting.uncancel():
                raise  # somebody else wants it to end
            return _DISCONNECTED
        finally:
            self._waiting = None
        self.is_over = not message.get("more_body", False)
        if message["type"] == "http.request":
            self._bodies.received(
                self,
                len(message.get("body", b"")),
                is_complete=not message.get("more_body", False),
            )
        return message

    def give_way(self) -> None:
        self.gave_way = True
        if self._waiting is not None:
            self._waiting.cancel()


def has_body(scope: Scope) -> bool:
    """Whether one may come."""
    if scope["method"] not in ("GET", "HEAD") or scope["http_version"] != "1.1":
        return True
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
