"""Thousands of viewers of a live stream in one process: `python -m scripts.benchmarks.viewers`.

Made to cost little, since it shares the machine with the server that it measures: sockets
without an event loop's objects, one buffer for all, and of each event only the revision is
read. It understands any server whose events carry a Feature of ours.

Lines on standard input, each answered by a line of JSON: `reset` forgets what has arrived;
`until N` waits for N changes, or until none has come for a while; `save PATH` writes the
arrivals as a numpy array; the end of the input ends the viewers.
"""

from __future__ import annotations

import gc
import json
import resource
import select
import socket
import sys
import time
from array import array

import click
import numpy as np

# `ready` and `heartbeat` have `{"revision":1}`; only in a Feature something follows.
MARK = b'"revision":'
LONGEST_NUMBER = 20
LONGEST_MARK = len(MARK) + LONGEST_NUMBER
BEATS = (b"event: heartbeat", b"event: ping")
BUFFER_BYTES = 256 * 1024
OPENING = 256  # handshakes under way at a time: no server's backlog overflows
OPENING_SECONDS = 30.0
QUIET_SECONDS = 4.0

ARRIVAL = np.dtype([("viewer", "u4"), ("revision", "i8"), ("at", "f8")])


class Viewers:
    """`at` of an arrival is `time.monotonic()`, the same clock in all processes."""

    def __init__(self, request: bytes, greeting: bytes, commands: int) -> None:
        self._commands = commands
        self._request = request
        self._greeting = greeting
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._tails: dict[int, bytes] = {}
        self._buffer = bytearray(BUFFER_BYTES)
        self.closed = 0
        self.reset()

    def close(self) -> None:
        for viewer in self._sockets.values():
            viewer.close()
        self._poll.close()

    def reset(self) -> None:
        self._viewers, self._revisions, self._times = array("I"), array("q"), array("d")
        self.beats = self.received = 0

    def __len__(self) -> int:
        return len(self._times)

    def open(self, addresses: list[tuple[str, int]], count: int) -> None:
        """Connect `count` viewers, the addresses in turn; return when all were greeted.
        Raises `TimeoutError` when none makes progress for long."""
        greeted: dict[int, bytes] = {}
        started = done = 0
        moved_at = time.monotonic()
        while done < count:
            if time.monotonic() - moved_at > OPENING_SECONDS:
                raise TimeoutError(f"only {done} of {count} viewers could connect")
            while started < count and len(greeted) < OPENING:
                viewer = socket.socket()
                viewer.setblocking(False)
                viewer.connect_ex(addresses[started % len(addresses)])
                self._sockets[viewer.fileno()] = viewer
                greeted[viewer.fileno()] = b""
                self._poll.register(viewer, select.EPOLLOUT)
                started += 1
            for fd, _ in self._poll.poll(1.0):
                if fd not in greeted:
                    self._receive(fd)
                elif self._greet(fd, greeted):
                    del greeted[fd]
                    done += 1
                    moved_at = time.monotonic()
                    if done % 1_000 == 0:
                        print(f"{done} of {count} viewers are there", file=sys.stderr)
        self._poll.register(self._commands, select.EPOLLIN)

    def _greet(self, fd: int, greeted: dict[int, bytes]) -> bool:
        """One step of a handshake; True when the greeting has come."""
        viewer = self._sockets[fd]
        if not greeted[fd]:
            viewer.send(self._request)
            self._poll.modify(fd, select.EPOLLIN)
            greeted[fd] = b" "
            return False
        part = viewer.recv(BUFFER_BYTES)
        if not part:
            raise ConnectionError(f"the server ended a stream: {greeted[fd]!r}")
        greeted[fd] += part
        return self._greeting in greeted[fd]

    def turn(self, seconds: float) -> bool:
        """Receive what comes within `seconds`; True if there is a command to read."""
        commanded = False
        for fd, _ in self._poll.poll(seconds):
            if fd == self._commands:
                commanded = True
            else:
                self._receive(fd)
        return commanded

    def _receive(self, fd: int) -> None:
        buffer: bytes | bytearray = self._buffer
        try:
            size = self._sockets[fd].recv_into(self._buffer)
        except ConnectionError:
            size = 0
        at = time.monotonic()
        self.received += size
        if size == 0:
            self.closed += 1
            self._poll.unregister(fd)
            self._sockets.pop(fd).close()
            return
        if self._tails and (tail := self._tails.pop(fd, None)) is not None:
            buffer = tail + self._buffer[:size]
            size = len(buffer)
        at_mark = counted = 0
        while (at_mark := buffer.find(MARK, at_mark, size) + len(MARK)) >= len(MARK):
            comma = buffer.find(b",", at_mark, min(at_mark + LONGEST_NUMBER, size))
            if comma > 0 and (digits := buffer[at_mark:comma]).isdigit():
                counted = comma
                self._viewers.append(fd)
                self._revisions.append(int(digits))
                self._times.append(at)
        if not counted and any(buffer.find(beat, 0, size) >= 0 for beat in BEATS):
            self.beats += 1
        # Features have no line breaks, so a mark can only be cut in two within a line.
        if buffer[size - 1] != 10:
            self._tails[fd] = bytes(buffer[max(counted, size - LONGEST_MARK) : size])

    def arrivals(self) -> np.ndarray:
        table = np.empty(len(self), ARRIVAL)
        table["viewer"], table["revision"], table["at"] = (
            np.frombuffer(column, column.typecode) if len(column) else 0
            for column in (self._viewers, self._revisions, self._times)
        )
        return table

    def state(self) -> dict[str, float]:
        return {
            "arrived": len(self),
            "beats": self.beats,
            "bytes": self.received,
            "closed": self.closed,
            "cpu_seconds": time.process_time(),
        }


def _until(viewers: Viewers, number: int) -> None:
    """Watch until `number` changes are there, or none has come for `QUIET_SECONDS`."""
    known = -1
    moved_at = time.monotonic()
    while len(viewers) < number:
        viewers.turn(0.05)
        if len(viewers) > known:
            known, moved_at = len(viewers), time.monotonic()
        elif time.monotonic() - moved_at > QUIET_SECONDS:
            return


def _obey(viewers: Viewers) -> bool:
    """One command; True at the end of the input."""
    word, _, argument = sys.stdin.readline().strip().partition(" ")
    if word == "reset":
        viewers.reset()
    elif word == "until":
        _until(viewers, int(argument))
    elif word == "save":
        np.save(argument, viewers.arrivals())
    print(json.dumps(viewers.state()), flush=True)
    return not word


@click.command()
@click.argument("addresses", nargs=-1, required=True)
@click.option("--viewers", "count", required=True, type=int)
@click.option("--path", required=True)
@click.option("--greeting", required=True, help="The stream has begun when this has come.")
def main(addresses: tuple[str, ...], count: int, path: str, greeting: str) -> None:
    """Open `--viewers` streams at ADDRESSES (host:port) and say when changes arrive."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 100:
        raise click.ClickException(
            f"{count} viewers are as many open files, here and at the server, and {hard} is the"
            " limit (ulimit -Hn). Raise it, or take fewer --viewers."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.disable()
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n"
    viewers = Viewers(request.encode(), greeting.encode(), sys.stdin.fileno())
    parts = [address.rpartition(":") for address in addresses]
    viewers.open([(host, int(port)) for host, _, port in parts], count)
    print(json.dumps(viewers.state()), flush=True)
    over = False
    while not over:
        over = viewers.turn(1.0) and _obey(viewers)
    viewers.close()


if __name__ == "__main__":
    main()
