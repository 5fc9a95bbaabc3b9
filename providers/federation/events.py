"""Server-Sent Events from bytes that somebody else sends, within limits."""

from __future__ import annotations

from typing import NamedTuple

# A home with as many lines and notes as are taken has less than half of that.
MAX_LINE_BYTES = 256 * 1024


class Event(NamedTuple):
    id: str
    name: str
    data: bytes


class Unreadable(Exception):
    """A line that never ends, or an event that is put together otherwise than ours."""


class EventReader:
    """Puts events together as their bytes come. Our streams have one line of each kind in an
    event, and so has everything that is read here: what else a stream may hold is passed over."""

    def __init__(self) -> None:
        self._rest = bytearray()  # the line that has not ended yet
        self._fields: dict[bytes, bytes] = {}

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that end in `chunk`. Raises `Unreadable`."""
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        self._rest += rest
        if len(self._rest) > MAX_LINE_BYTES:
            raise Unreadable
        events = []
        for line in lines:
            if len(line) > MAX_LINE_BYTES:
                raise Unreadable
            if line := line.removesuffix(b"\r"):
                name, _, value = line.partition(b":")
                if name in (b"id", b"event", b"data"):
                    if name in self._fields:
                        raise Unreadable
                    self._fields[name] = value.removeprefix(b" ")
            elif self._fields:
                events.append(self._event())
        return events

    def _event(self) -> Event:
        fields, self._fields = self._fields, {}
        cursor = fields.get(b"id", b"")[:200].decode("ascii", "replace")
        return Event(
            id=cursor if cursor.isprintable() else "",  # it goes back as a header
            name=fields.get(b"event", b"")[:50].decode("ascii", "replace"),
            data=fields.get(b"data", b""),
        )
