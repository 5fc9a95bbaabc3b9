"""Those who keep us waiting, over real sockets: half-open, slow, deaf, and too many."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.conftest import Service, served
from tests.waiting import until
from vacancies.config import Settings
from web import app, bodies, connections, delivery
from web.bodies import MostBodies
from web.connections import Connections, Most
from web.transport import Taken

SEARCH = "/api/v1/vacancies"
HALF = b"GET /api/v1/vacancies HTTP/1.1\r\nHo"
SMALL = {"vacancies": [{"care_form": "day", "count": 1}]}


class Line:
    """A connection by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def is_open(self) -> bool:
        """As far as the server has told."""
        return not self.reader.at_eof() and self.reader.exception() is None

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.partition(": ")[::2] for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body


Connect = Callable[..., Awaitable[Line]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens a connection, and sends something on it."""
    opened: list[Line] = []

    async def connect(service: Service, sends: bytes = b"") -> Line:
        parts = urlsplit(service.url)
        line = Line(*await asyncio.open_connection(parts.hostname, parts.port))
        opened.append(line)
        line.writer.write(sends)
        return line

    yield connect
    await close(*opened)


async def close(*lines: Line) -> None:
    for line in lines:
        line.writer.close()
        with suppress(ConnectionError):
            await line.writer.wait_closed()


async def reaches(count: Callable[[], int], value: int) -> None:
    await until(lambda: count() == value)


async def test_of_half_open_connections_the_oldest_give_way_and_others_are_served(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(connections, "QUIET_SECONDS", 3600)
    guarded = Connections(Most(quiet=20))
    async with served(settings, connections=guarded) as service:
        half = [await connect(service, HALF) for _ in range(200)]
        await until(lambda: guarded.dropped_quiet == 180)
        await until(lambda: sum(line.is_open for line in half) == 20)
        assert all(line.is_open for line in half[-20:]), "the newest stay"
        for _ in range(5):
            whole = await connect(service, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await whole.answer())[0] == 200
        half[-1].writer.write(b"st: x\r\n\r\n")  # an honest one, only slow
        assert (await half[-1].answer())[0] == 200
        await close(*half)
        await until(lambda: len(guarded) <= 5)


async def test_headers_must_be_complete_in_time_and_be_small(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(connections, "QUIET_SECONDS", 1)
    async with served(settings) as service:
        slow = await connect(service, HALF)
        ended = asyncio.create_task(slow.reader.read())
        while not ended.done():  # a byte now and then keeps nobody waiting for ever
            slow.writer.write(b"o")
            await asyncio.wait({ended}, timeout=0.05)
        long = await connect(service, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 17_000)
        status, headers, _ = await long.answer()
        assert (status, headers["connection"]) == (431, "close")
        assert (await service.call("GET", SEARCH))[0] == 200


async def test_one_connection_too_many_is_told_so(settings: Settings, connect: Connect) -> None:
    guarded = Connections(Most(connections=10))
    async with served(settings, connections=guarded) as service:
        ten = [await connect(service, HALF) for _ in range(10)]
        await until(lambda: len(guarded) == 10)
        status, headers, body = await (await connect(service)).answer()
        assert (status, headers["retry-after"], headers["connection"]) == (503, "2", "close")
        assert json.loads(body)["code"] == "overloaded"
        assert guarded.turned_away == 1
        await close(*ten)
        await until(lambda: len(guarded) == 0)
        assert (await service.call("GET", SEARCH))[0] == 200


def put(key: str, length: int, body: bytes = b"", home: str = "a") -> bytes:
    return (
        f"PUT /api/v1/homes/{home}/vacancies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode() + body


async def test_of_slow_bodies_the_oldest_give_way_and_reports_go_through(
    service: Service, connect: Connect
) -> None:
    await service.put_home("a")
    door = service.state.door
    door.bodies.most = MostBodies(receiving=5)
    body = json.dumps(SMALL).encode()
    sent = put(await service.key(), len(body), body[:10])
    slow = []
    for number in range(12):
        slow.append(await connect(service, sent))
        # In this order: each is known before the next one comes.
        await reaches(lambda: len(door.bodies) + door.bodies.dropped, number + 1)
    for line in slow[:7]:
        status, headers, problem = await line.answer()
        assert (status, headers["retry-after"]) == (503, "2")
        assert headers["content-type"] == "application/problem+json"
        assert json.loads(problem)["code"] == "overloaded"
    assert (door.bodies.dropped, len(door.bodies)) == (7, 5)
    await service.report("a", {"count": 1})  # the sixth: one more gives way
    assert (await slow[7].answer())[0] == 503
    for line in slow[8:]:
        line.writer.write(body[10:])
        assert (await line.answer())[0] == 200
    assert (door.bodies.dropped, len(door.bodies)) == (8, 0)
    await until(lambda: door.bodies.held_bytes == 0)


async def test_of_large_bodies_so_much_is_held_and_small_ones_are_spared(
    service: Service, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(bodies, "SMALL_BYTES", 1_000)
    await service.put_home("a")
    held = service.state.door.bodies
    held.most = MostBodies(held_bytes=100_000)
    key = await service.key()
    small = await connect(service, put(key, 500, b" " * 400))
    await until(lambda: held.held_bytes == 400)
    large = []
    for number in range(1, 6):
        large.append(await connect(service, put(key, 100_000, b" " * 30_000)))
        await reaches(lambda: len(held) + held.dropped, number + 1)
        await reaches(lambda: held.held_bytes, min(number, 3) * 30_000 + 400)
    assert held.dropped == 2
    for line in large[:2]:
        assert (await line.answer())[0] == 503
    small.writer.write(b" " * 100)
    assert (await small.answer())[0] == 400, "it is complete, and no JSON"
    await close(*large)
    await until(lambda: held.held_bytes == 0)


async def test_a_huge_body_is_refused_and_a_slow_one_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    monkeypatch.setattr(app, "BODY_SECONDS", 1)
    async with served(settings) as service:
        await service.put_home("a")
        key = await service.key()
        huge = await connect(service, put(key, 10**12, b"x" * 1000))
        status, _, problem = await huge.answer()
        assert (status, json.loads(problem)["code"]) == (413, "too_large")
        slow = await connect(service, put(key, 100, b"{"))
        status, _, problem = await slow.answer()
        assert (status, json.loads(problem)["code"]) == (408, "timeout")
        endless = await connect(service)
        endless.writer.write(
            put(key, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        )
        endless.writer.write((b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 40)
        status, _, problem = await endless.answer()
        assert (status, json.loads(problem)["code"]) == (413, "too_large")
        await until(lambda: service.state.door.bodies.held_bytes == 0)


async def test_a_large_body_that_is_refused_does_not_hold_its_connection(
    settings: Settings, connect: Connect
) -> None:
    """More of it than Hypercorn's queue takes is on its way when nobody wants it any more."""
    guarded = Connections()
    async with served(settings, connections=guarded) as service:
        await service.put_home("a")
        key = await service.key()
        service.state.door.bodies.most = MostBodies(held_bytes=70_000)
        large = [await connect(service, put(key, 1_900_000, b" " * 1_900_000)) for _ in range(3)]
        for line in large:
            assert (await line.answer())[0] == 503
        await until(lambda: len(guarded) <= 1)  # that of the service's own client


def deaf(service: Service, request: bytes) -> socket.socket:
    """Asks, and never reads."""
    parts = urlsplit(service.url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((parts.hostname, parts.port))
    sock.setblocking(False)
    sock.send(request)
    return sock


async def test_of_those_who_do_not_read_the_longest_gives_way(settings: Settings) -> None:
    """So many answers are asked for on one connection that the kernel does not hold them all."""
    guarded = Connections(Most(unread_bytes=1_000_000))
    many = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 300
    async with served(settings, connections=guarded) as service:
        deafs = []
        for _ in range(8):
            deafs.append(await asyncio.to_thread(deaf, service, many))
            await reaches(lambda: len(guarded._unread) + guarded.dropped_unread, len(deafs))
            assert guarded.unread_bytes <= 1_000_000
            held = [each.size for each in guarded._unread.values()]
            assert guarded.unread_bytes == sum(held)
        assert (await service.call("GET", SEARCH))[0] == 200
        # Nothing is read for as long as one may: the rest goes too.
        for known in guarded._unread.values():
            known.since = float("-inf")
        guarded.look()
        assert (guarded.unread_bytes, len(guarded._unread)) == (0, 0)
        assert guarded.dropped_unread == 8
        for sock in deafs:
            sock.close()
        await until(lambda: len(guarded) <= 1)


async def test_who_reads_slowly_keeps_the_connection(settings: Settings) -> None:
    guarded = Connections()
    many = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 300
    async with served(settings, connections=guarded) as service:
        slow = await asyncio.to_thread(deaf, service, many)
        await until(lambda: len(guarded._unread) == 1)
        ((connection, known),) = guarded._unread.items()
        known.since = float("-inf")
        loop = asyncio.get_running_loop()
        while connection.unread_bytes() == known.size:
            assert await loop.sock_recv(slow, 65536)
        guarded.look()
        guarded.look()
        assert guarded.dropped_unread == 0
        await until(lambda: len(guarded._unread) == 1)  # the next answers wait
        slow.close()


async def test_of_viewers_who_do_not_read_the_longest_gives_way(
    service: Service, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    """Each of them holds what its connection has taken; it resumes from its cursor."""
    monkeypatch.setattr(delivery, "MOST_FULL", 3)
    monkeypatch.setattr(delivery, "FULL_SECONDS", 0.0)
    live = service.state.live
    request = f"GET {SEARCH}/stream HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    for _ in range(10):
        await connect(service, request)
    await until(lambda: len(live.delivery) == 10)
    for number, stream in enumerate(list(live.delivery._streams)):
        assert isinstance(stream.connection, Taken)
        stream.connection.pause_writing()  # as the transport does it
        await reaches(lambda: len(live.delivery), min(10, 12 - number))
    assert live.delivery.dropped == 7
    assert live.places.taken == 3
