"""The least that a Quart route costs: one that returns as many bytes as asked for.

`python -m scripts.benchmarks.bare`; served as `freiplatz serve` is served, on a free port.
"""

from __future__ import annotations

import gc
import socket
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, Response

from web.commands.process import run

READY = "Bare route at "


def bare_app() -> Quart:
    app = Quart(__name__)
    bodies: dict[int, bytes] = {}

    @app.get("/<int:size>")
    async def anything(size: int) -> Response:
        body = bodies.setdefault(size, b" " * size)
        return Response(body, content_type="application/geo+json")

    return app


async def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.accesslog = None
    config.loglevel = "WARNING"
    config.include_server_header = False
    gc.collect()
    gc.freeze()
    print(f"{READY}http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    await serve(bare_app(), config)


if __name__ == "__main__":
    run(main())
