"""The viewers of the benchmarks count each change once, however the bytes arrive."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from scripts.benchmarks.viewers import Viewers

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
READY = b'id: x-4\nevent: ready\ndata: {"revision":4}\n\n'
BEAT = b'id: x-4\nevent: heartbeat\ndata: {"revision":4}\n\n'
PING = b"event: ping\n\n"


def change(revision: int) -> bytes:
    feature = b'{"properties":{"name":"Haus","revision":%d,"contact":{}}}' % revision
    return b"id: x-%d\nevent: listing\ndata: %b\n\n" % (revision, feature)


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


@pytest.fixture
def commands() -> Iterator[int]:
    reading, writing = os.pipe()
    yield reading
    os.close(reading)
    os.close(writing)


@contextmanager
def opened(commands: int, count: int) -> Iterator[tuple[Viewers, list[socket.socket]]]:
    """Viewers, and the server's end of the connection of each."""
    viewers = Viewers(b"GET / HTTP/1.1\r\n\r\n", b"event: ready", commands)
    with ExitStack() as stack:
        stack.callback(viewers.close)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        ends: list[socket.socket] = []

        def accept() -> None:
            for _ in range(count):
                end, _ = listener.accept()
                ends.append(stack.enter_context(end))
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.recv(1_000)
                end.sendall(HEAD + chunked(READY))

        server = threading.Thread(target=accept)
        server.start()
        viewers.open([listener.getsockname()[:2]], count)
        server.join()
        yield viewers, ends


def watch(viewers: Viewers, end: socket.socket, parts: list[bytes]) -> list[int]:
    """The revisions that were seen, each part being received before the next is sent."""
    for part in parts:
        end.sendall(part)
        wanted = viewers.received + len(part)
        while viewers.received < wanted:
            viewers.turn(1.0)
    revisions: list[int] = viewers.arrivals()["revision"].tolist()
    return revisions


def test_changes_are_told_from_ready_and_heartbeats(commands: int) -> None:
    with opened(commands, 1) as (viewers, [end]):
        sent = [chunked(change(5)), chunked(BEAT), PING, chunked(change(6) + BEAT + change(7))]
        assert watch(viewers, end, sent) == [5, 6, 7]
        assert viewers.beats == 2


@pytest.mark.parametrize("at", range(1, len(chunked(change(12_345)))))
def test_a_change_that_arrives_in_two_parts_counts_once(commands: int, at: int) -> None:
    with opened(commands, 1) as (viewers, [end]):
        frame = chunked(change(12_345))
        sent = [change(1) + frame[:at], frame[at:] + change(2)]
        assert watch(viewers, end, sent) == [1, 12_345, 2]


def test_each_viewer_is_told_apart_and_a_lost_one_is_noticed(commands: int) -> None:
    with opened(commands, 3) as (viewers, ends):
        for end in ends:
            watch(viewers, end, [change(9)])
        found = viewers.arrivals()
        assert found["revision"].tolist() == [9, 9, 9]
        assert len(set(found["viewer"].tolist())) == 3
        ends[0].close()
        while not viewers.closed:
            viewers.turn(1.0)
        assert viewers.state()["closed"] == 1


def test_a_command_is_noticed_between_events(commands: int) -> None:
    reading, writing = os.pipe()
    os.dup2(reading, commands)
    with opened(commands, 1) as (viewers, _):
        assert not viewers.turn(0)
        os.write(writing, b"reset\n")
        assert viewers.turn(1.0)
    os.close(reading)
    os.close(writing)
