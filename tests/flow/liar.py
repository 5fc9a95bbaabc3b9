"""A server that is no good neighbour: it answers with whatever a test wants, byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Connection: close\r\n\r\n"
)
CURSOR = "0123456789-0123456789ab-1"

Write = Callable[[bytes], Awaitable[None]]
Answer = Callable[[Write], Awaitable[None]]


@asynccontextmanager
async def lying(answer: Answer) -> AsyncIterator[str]:
    """Its address. `answer` gets what writes to whoever has asked; then the connection ends."""
    asking: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        asking.add(task)

        async def write(chunk: bytes) -> None:
            writer.write(chunk)
            await writer.drain()

        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            await answer(write)
        writer.close()
        asking.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


def event(name: str, data: Any = None) -> bytes:
    text = data if isinstance(data, str) else json.dumps({} if data is None else data)
    return f"id: {CURSOR}\nevent: {name}\ndata: {text}\n\n".encode()


def feature(home_id: str, **changes: Any) -> dict[str, Any]:
    """A home as our stream tells it, with other properties; `point` is longitude and latitude."""
    point = changes.pop("point", [8.38, 51.9])
    line = {"care_form": "long_term", "count": 1}
    properties = {
        "name": f"Haus {home_id}",
        "provider": "liar",
        "status": "open",
        "freshness": "fresh",
        "vacancies": [line],
        "capacity": {},
        "costs": {},
        "focuses": [],
        "needs": [],
        "waiting_list": None,
        "admission_stop": None,
        "observed_at": datetime.now(UTC).isoformat(),
        "confirmed_at": None,
        "contact": {},
        "address": {"country": "DE"},
        "precision": "exact",
        **changes,
    }
    geometry = {"type": "Point", "coordinates": point}
    return {"type": "Feature", "id": home_id, "geometry": geometry, "properties": properties}


def told(*events: bytes) -> Answer:
    """A stream of these events, which then stays open and says no more."""

    async def answer(write: Write) -> None:
        await write(HEAD + b"".join(events))
        await asyncio.Event().wait()

    return answer


@asynccontextmanager
async def slowed(url: str, *, piece: int, pause_seconds: float) -> AsyncIterator[str]:
    """The service at `url` behind a line that lets through so many bytes, then pauses."""
    host, port = url.removeprefix("http://").split(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, ask = await asyncio.open_connection(host, int(port))
        try:
            ask.write(await reader.readuntil(b"\r\n\r\n"))
            while chunk := await there.read(piece):
                writer.write(chunk)
                await writer.drain()
                # No waiting for anything: the slowness of the line is what is tried here.
                await asyncio.sleep(pause_seconds)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            ask.close()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
