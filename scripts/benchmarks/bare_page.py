"""Serves one file as a page, packed beforehand: what Quart and Hypercorn cost by themselves."""

from __future__ import annotations

import asyncio
import gzip
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, Response


@asynccontextmanager
async def bare_page(html: bytes, folder: Path) -> AsyncIterator[str]:
    """The address of `html`, served by a process of its own."""
    (folder / "page.html").write_bytes(html)
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.benchmarks.bare_page", str(folder)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert running.stdout is not None
        yield (await running.stdout.readline()).decode().strip()
    finally:
        running.terminate()
        await running.wait()


async def _serve(folder: Path) -> None:
    app, config = Quart(__name__), Config()
    config.bind, config.loglevel = ["127.0.0.1:0"], "WARNING"
    packed = gzip.compress((folder / "page.html").read_bytes(), 4)

    @app.get("/")
    async def page() -> Response:
        return Response(packed, headers={"Content-Encoding": "gzip"}, mimetype="text/html")

    listener = config.create_sockets().insecure_sockets[0]
    listener.listen()  # from now on connections wait until Hypercorn accepts
    print("http://{}:{}".format(*listener.getsockname()), flush=True)
    config.bind = [f"fd://{listener.detach()}"]
    await serve(app, config)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
