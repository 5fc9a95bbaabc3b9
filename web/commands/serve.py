"""`freiplatz serve`: one web process, its signals, and the demo it keeps alive."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import click
import structlog
from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config
from quart import Quart

from vacancies.config import Settings, load_settings
from vacancies.deployment import Deployment, open_deployment
from vacancies.errors import FreiplatzError
from web.app import create_app, run_in_background
from web.commands.administration import note
from web.live import LiveStreams
from web.state import State

log = structlog.get_logger()


@click.command()
@click.option("--host", help="Address to listen on (FREIPLATZ_HOST, default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port (FREIPLATZ_PORT, default 8000).")
@click.option("--demo-if-empty", is_flag=True, help="Fill the data folder's own empty database.")
def serve(host: str | None, port: int | None, demo_if_empty: bool) -> None:
    """Serve the pages, the API and the live stream until stopped."""
    settings = load_settings()
    host = host or settings.host
    listener = _listen(host, settings.port if port is None else port)
    _configure_log()
    _allow_many_files()
    asyncio.run(_serve(settings, listener, demo_if_empty))


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is started, so that a clash is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise click.ClickException(
            f"Port {port} on {host} cannot be used ({error.strerror}). Stop what uses it,"
            " or choose another: freiplatz serve --port 8001, or FREIPLATZ_PORT=8001."
        ) from error
    listener.setblocking(False)
    return listener


def _allow_many_files() -> None:
    """Every viewer is an open file, and the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _configure_log() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *(() if sys.stderr.isatty() else (structlog.processors.format_exc_info,)),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
            if not sys.stderr.isatty()
            # Plain tracebacks: the rich ones show values, and with them people's data.
            else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


async def _serve(settings: Settings, listener: socket.socket, demo_if_empty: bool) -> None:
    # A database that is away is told here, in a sentence, before any server is set up.
    async with open_deployment(settings, report=note) as deployment:
        if demo_if_empty:
            await _fill_if_empty(deployment)
        await _serve_deployment(deployment, listener)
    note("Stopped.")


async def _serve_deployment(deployment: Deployment, listener: socket.socket) -> None:
    app = create_app(deployment)
    config = Config()
    address = "http://{}:{}/".format(*listener.getsockname())
    config.bind = [f"fd://{listener.detach()}"]  # Hypercorn closes it
    config.accesslog = None
    config.loglevel = "WARNING"
    config.graceful_timeout = 2
    config.include_server_header = False
    # Hypercorn keeps the file of a connection this long after its client has closed it.
    config.keep_alive_timeout = 5
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)

    @app.while_serving
    async def announced() -> AsyncGenerator[None]:
        # Comes after the app's own start. What is loaded by now stays: the collector need
        # not look at it again and again.
        gc.collect()
        gc.freeze()
        note(f"Freiplatz is there: {address}  (stop with Ctrl-C)")
        async with AsyncExitStack() as stack:
            state: State = app.extensions["state"]
            if state.demo and state.deployment.servers is not None:
                run_in_background(stack, _keep_demo_alive(state, address.rstrip("/")))
            yield

    await serve_asgi(app, config, shutdown_trigger=lambda: _stopped(stop, app))


async def _stopped(stop: asyncio.Event, app: Quart) -> None:
    """Streams must end before Hypercorn begins to wait for them."""
    await stop.wait()
    live: LiveStreams = app.extensions["live"]
    await live.close()


async def _keep_demo_alive(state: State, address: str) -> None:
    """The made-up homes report as long as they are served, over HTTP as real ones would."""
    from web.commands.demo import keep_alive

    try:
        await keep_alive(state.deployment, address)
    except FreiplatzError as error:
        log.warning("the demo stands still", reason=error.detail)


async def _fill_if_empty(deployment: Deployment) -> None:
    """Only the data folder's own database: a given one may be waiting for real homes."""
    if deployment.servers is not None and await deployment.is_empty():
        from web.commands.demo import fill_demo

        await fill_demo(deployment, homes=300, seed=1)
