"""HTTP/1.1 requests with as little between the clock and the socket as can be."""

from __future__ import annotations

import asyncio
import re
import time
from types import TracebackType
from typing import Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Wire:
    """Kept-alive connections to one server (host:port): as many as requests are under way."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        for _, writer in self._idle:
            writer.close()

    async def send(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[float, bytes]:
        """(`time.monotonic` just before the request was written, body of the answer).
        Raises `RuntimeError` for an answer other than 2xx."""
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            host, _, port = self._address.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
        lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        at = time.monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        answer = await reader.readexactly(int(length[1]) if length else 0)
        if head.split(b" ", 2)[1][:1] != b"2":
            raise RuntimeError(f"{method} {path}: {(head + answer).decode()}")
        self._idle.append((reader, writer))
        return at, answer
