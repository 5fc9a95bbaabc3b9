"""The stream over real sockets: heartbeats, lifetimes, and viewers that do not read."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
import pytest
from h2.connection import H2Connection

from tests.conftest import Service, served
from tests.flow.viewer import Viewer
from tests.waiting import until
from vacancies.config import Settings
from vacancies.search import Query
from web import delivery, live
from web.transport import Taken


async def test_headers_of_a_stream(service: Service) -> None:
    async with service.client.get(f"{service.url}/api/v1/vacancies/stream") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    async with service.client.head(f"{service.url}/api/v1/vacancies/stream") as answer:
        assert (answer.status, await answer.read()) == (200, b"")


async def test_a_stream_of_http_1_1_takes_its_connection_from_the_server(service: Service) -> None:
    async with service.client.get(f"{service.url}/api/v1/vacancies/stream"):
        await until(lambda: len(service.state.live.delivery) == 1)
        (stream,) = service.state.live.delivery._streams
        assert isinstance(stream.connection, Taken)
    await until(lambda: len(service.state.live.delivery) == 0)


async def test_where_the_socket_is_out_of_reach_the_stream_goes_the_ordinary_way(
    service: Service,
) -> None:
    """An answer to HTTP/1.0 is not chunked, so nothing may be written past Hypercorn."""
    parts = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"GET /api/v1/vacancies/stream HTTP/1.0\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readline() == f"id: {Query().fingerprint()}-{epoch(service)}-0\n".encode()
    assert await reader.readline() == b"event: ready\n"
    await reader.readuntil(b"\n\n")
    await service.put_home("a")
    await service.report("a", {"count": 1})
    await reader.readuntil(b"event: listing\n")
    writer.close()


def epoch(service: Service) -> str:
    return service.state.board.epoch


async def test_heartbeats_carry_the_revision(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "HEARTBEAT_SECONDS", 1)
    async with served(settings) as service:
        await service.put_home("a")
        viewer = Viewer(service.url, {"care_form": "hospice"})
        await viewer.watch(service.client, limit=3)
        assert [event.name for event in viewer.events] == ["ready", "heartbeat", "heartbeat"]
        assert viewer.events[1].data == {"revision": 1}
        assert viewer.events[1].id.endswith("-1")


async def test_a_stream_ends_after_its_lifetime_and_resumes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LIFETIME_SECONDS", (0.1, 0.2))
    monkeypatch.setattr(delivery, "HEARTBEAT_SECONDS", 1)
    async with served(settings) as service:
        await service.put_home("a")
        viewer = Viewer(service.url, {})
        await viewer.watch(service.client)  # returns: the server ended it
        await service.report("a", {"count": 1})
        await viewer.watch(service.client)
        assert list(viewer.table) == ["a"]
        assert len(service.state.audience) == 0


async def test_who_leaves_is_forgotten(service: Service) -> None:
    viewer = Viewer(service.url, {})
    await viewer.watch(service.client, limit=1)
    await until(lambda: len(service.state.audience) == len(service.state.live.delivery) == 0)


def deaf_viewer(url: str, version: str = "1.1") -> socket.socket:
    """Asks for the stream and never reads."""
    parts = urlsplit(url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((parts.hostname, parts.port))
    request = f"GET /api/v1/vacancies/stream HTTP/{version}\r\nHost: x\r\n\r\n"
    sock.sendall(request.encode())
    return sock


async def test_a_viewer_that_does_not_read_costs_nobody_else_anything(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps one waiting state a home, however much happens, and is dropped in the end."""
    monkeypatch.setattr(delivery, "WRITE_DEADLINE_SECONDS", 1.0)
    note = "x" * 400
    async with served(settings) as service:
        for number in range(20):
            await service.put_home(f"h{number}")
        deaf = await asyncio.to_thread(deaf_viewer, service.url)
        viewer = Viewer(service.url, {})
        watching = asyncio.create_task(viewer.watch(service.client))
        await viewer.until(lambda: viewer.is_ready)
        async with asyncio.timeout(60):
            count = 0
            while len(service.state.live.delivery) == 2:  # until the deaf one is dropped
                count = count % 5 + 1
                lines = [{"care_form": "day", "count": count, "note": note}] * 20
                rows = [{"home_id": f"h{n}", "vacancies": lines} for n in range(20)]
                status, _, _ = await service.call(
                    "POST", "/api/v1/reports", {"reports": rows}, provider="caritas-musterstadt"
                )
                assert status == 200
                for stream in service.state.live.delivery._streams:
                    assert stream.watch is not None
                    assert len(stream.watch.news) <= 20
        await viewer.until(
            lambda: all(
                f["properties"]["free"] == {"day": 20 * count} for f in viewer.table.values()
            )
        )
        assert len(viewer.table) == 20
        deaf.close()
        watching.cancel()
        with suppress(asyncio.CancelledError, aiohttp.ClientError):
            await watching


async def test_who_does_not_read_on_http_1_0_is_dropped_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "WRITE_DEADLINE_SECONDS", 1.0)
    async with served(settings) as service:
        await service.put_home("a")
        deaf = await asyncio.to_thread(deaf_viewer, service.url, "1.0")
        note = "x" * 400
        async with asyncio.timeout(60):
            await until(lambda: len(service.state.live.delivery) == 1)
            while len(service.state.live.delivery) == 1:
                await service.report("a", *[{"care_form": "day", "count": 1, "note": note}] * 100)
        deaf.close()


async def test_who_does_not_read_on_http2_is_dropped_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its window is never opened again, so nothing can be sent to it after 64 kB."""
    monkeypatch.setattr(delivery, "WRITE_DEADLINE_SECONDS", 1.0)
    async with served(settings) as service:
        for number in range(20):
            await service.put_home(f"h{number}")
            note = {"care_form": "day", "count": 1, "note": "x" * 400}
            await service.report(f"h{number}", *[note] * 20)
        parts = urlsplit(service.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        connection = H2Connection()
        connection.initiate_connection()
        connection.send_headers(
            1,
            [
                (":method", "GET"),
                (":path", "/api/v1/vacancies/stream"),
                (":scheme", "http"),
                (":authority", "x"),
            ],
            end_stream=True,
        )
        writer.write(connection.data_to_send())
        await until(lambda: len(service.state.live.delivery) == 1)
        await until(lambda: len(service.state.live.delivery) == 0)
        writer.close()
        assert reader.exception() is None


async def test_what_nobody_asked_for_holds_nothing_up(service: Service) -> None:
    """Bodies and further requests on the connection of a stream are read away, and everything
    is let go when the client leaves."""
    parts = urlsplit(service.url)
    before = asyncio.all_tasks()
    chunks = b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 14 + b"0\r\n\r\n"
    head = b" /api/v1/vacancies/stream HTTP/1.1\r\nHost: x\r\n"
    for request, status in (
        (b"POST" + head + chunks, b"405"),
        (b"GET" + head + chunks, b"200"),
        (b"GET" + head + b"\r\nX", b"200"),
        (b"GET" + head + b"\r\nGET" + head + b"\r\n", b"200"),
        (b"HEAD" + head + chunks, b"200"),
    ):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(request)
        assert status in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await until(lambda: not asyncio.all_tasks() - before)
    assert len(service.state.live.delivery) == 0
