"""Debian's Redis beside us: a server of its own in a temporary folder, on a socket."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from scripts.benchmarks.debian import install
from scripts.benchmarks.server import started


@asynccontextmanager
async def redis_server() -> AsyncIterator[str]:
    """The path of the socket of an empty Redis that keeps nothing on disk. Raises `Missing`."""
    program = install("redis-server", "redis-server")
    with tempfile.TemporaryDirectory(prefix="bench-redis-") as folder:
        path = str(Path(folder) / "redis.sock")
        options = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
        async with started([program, *options], "eady to accept connections"):
            yield path
