"""One web process: the app behind Hypercorn, its event loop, and how it is stopped."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from types import ModuleType
from typing import Any

import msgspec
import structlog

from vacancies.config import load_settings
from vacancies.deployment import Deployment, open_deployment
from vacancies.errors import FreiplatzError
from web.app import create_app, run_in_background
from web.commands.log import configure_log
from web.commands.serving import Stop, serve_listener, stop_on_signals
from web.connections import Connections, GuardedConfig
from web.figures import Figures
from web.operations import write_for_ever
from web.state import State

try:
    import uvloop
except ImportError:  # there is none for Windows
    uvloop = None  # type: ignore[assignment]

log = structlog.get_logger()

# Connections that wait for us; the kernel bounds it (net.core.somaxconn, mostly 4,096).
BACKLOG = 4096
# At Python's own thresholds the collector looks through all viewers again and again while
# thousands come: with 6,000 it paused for half a second at a time.
COLLECTOR_THRESHOLDS = (10_000, 10, 100)
READY = b"ready\n"


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told; file descriptors are inherited. It enters what it counts into `row`
    of the `rows` of `figures`."""

    number: int
    rows: int
    row: int
    listener: int
    figures: int


def run(main: Coroutine[Any, Any, None], loops: ModuleType | None = uvloop) -> None:
    """Run `main` on uvloop, or on asyncio's own loop where there is no uvloop."""
    factory = None if loops is None else loops.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def work() -> None:
    """Be a worker: orders come on standard input, `READY` goes to standard output."""
    orders = sys.stdin.buffer.readline()
    if not orders:
        return  # whoever started us is gone already
    configure_log()
    try:
        run(_work(msgspec.json.decode(orders, type=Orders)))
    except FreiplatzError as error:
        sys.exit(f"Error: {error.detail}")


async def _work(orders: Orders) -> None:
    stop = stop_on_signals()
    loop = asyncio.get_running_loop()

    def orphaned() -> None:
        loop.remove_reader(sys.stdin.fileno())
        stop.set()

    # Nothing more comes on it but its end: whoever started us has closed it, or was killed.
    loop.add_reader(sys.stdin.fileno(), orphaned)

    def ready() -> None:
        with suppress(BrokenPipeError):
            sys.stdout.buffer.write(READY)
            sys.stdout.buffer.flush()

    async with open_deployment(load_settings()) as deployment:
        await serve_deployment(
            deployment,
            socket.socket(fileno=orders.listener),
            stop,
            ready,
            Figures(orders.rows, orders.row, orders.figures),
            keeps_demo=orders.number == 0,
        )


async def serve_deployment(
    deployment: Deployment,
    listener: socket.socket,
    stop: Stop,
    ready: Callable[[], None],
    figures: Figures,
    *,
    keeps_demo: bool,
) -> None:
    """Serve until `stop` is set; closes `listener`. `ready` is called when all is loaded."""
    connections = Connections()
    app = create_app(deployment, figures, connections=connections)
    address = address_of(listener)
    config = GuardedConfig(connections)
    config.backlog = BACKLOG
    config.accesslog = None
    config.loglevel = "WARNING"
    config.errorlog = logging.getLogger("hypercorn.error")  # as the other libraries: `log.py`
    config.graceful_timeout = 2
    config.include_server_header = False

    @app.while_serving
    async def served() -> AsyncGenerator[None]:
        # Comes after the app's own start. What is loaded by now stays: the collector need
        # not look at it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTOR_THRESHOLDS)
        async with AsyncExitStack() as stack:
            state: State = app.extensions["state"]
            run_in_background(stack, write_for_ever(state))
            run_in_background(stack, connections.look_for_ever())
            ready()
            if keeps_demo and state.demo and state.deployment.servers is not None:
                run_in_background(stack, _keep_demo_alive(state, address))
            yield

    await serve_listener(app, config, listener, stop)


async def _keep_demo_alive(state: State, address: str) -> None:
    """The made-up homes report as long as they are served, over HTTP as real ones would."""
    from web.commands.demo import keep_alive

    try:
        await keep_alive(state.deployment, address)
    except FreiplatzError as error:
        log.warning("the demo stands still", reason=error.detail)
