"""The least that routes for providers can do: `python -m scripts.benchmarks.empty_route BYTES`.

They check the key, read the body, and answer 200 with so many bytes: one checks as one would by
hand, with a question to the database for each call, the other (below `/ours`) as Freiplatz does.
Prints its address. Behind Hypercorn and on the event loop of `freiplatz serve`, with the same
settings.
"""

from __future__ import annotations

import gc
import socket
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, Response, abort, request

from providers.auth import KeyRing, hash_key
from vacancies.config import load_settings
from vacancies.database import Pool, borrowed
from vacancies.deployment import open_deployment
from web.commands.process import BACKLOG, COLLECTOR_THRESHOLDS, address_of, run
from web.commands.serving import stop_on_signals

_CHECK = "SELECT provider_id FROM api_key WHERE hash = $1 AND revoked_at IS NULL"


def create_app(pool: Pool, answer: bytes) -> Quart:
    app = Quart(__name__, static_folder=None)
    keys = KeyRing(pool)

    @app.put("/api/v1/homes/<home_id>/vacancies")
    async def put_vacancies(home_id: str) -> Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        async with borrowed(pool) as connection:
            found = await connection.fetchval(_CHECK, hash_key(key))
        if found is None:
            abort(401)
        return await answered()

    @app.put("/ours/api/v1/homes/<home_id>/vacancies")
    async def put_checked(home_id: str) -> Response:
        await keys.authenticate(request.headers.get("Authorization"))
        return await answered()

    async def answered() -> Response:
        await request.get_data(as_text=False)
        return Response(answer, content_type="application/geo+json")

    return app


async def main(size: int) -> None:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    address = address_of(listener)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.backlog = BACKLOG
    config.accesslog = None
    config.loglevel = "WARNING"
    config.include_server_header = False
    config.keep_alive_timeout = 5
    stop = stop_on_signals()
    async with open_deployment(load_settings()) as deployment:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTOR_THRESHOLDS)
        print(address, flush=True)
        app = create_app(deployment.pool, b"x" * size)
        await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]


if __name__ == "__main__":
    run(main(int(sys.argv[1])))
