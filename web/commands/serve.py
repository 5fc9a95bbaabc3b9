"""`freiplatz serve`: takes the port, opens the deployment, and serves it."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from dataclasses import replace

import click
import structlog

from vacancies.config import MOST_WORKERS, Settings, load_settings
from vacancies.deployment import Deployment, open_deployment
from vacancies.operator import NEEDED, Operator
from web.commands.administration import note
from web.commands.log import configure_log
from web.commands.process import BACKLOG, address_of, run, serve_deployment
from web.commands.serving import Stop, stop_on_signals
from web.commands.workers import Workers
from web.figures import Figures

log = structlog.get_logger()


@click.command()
@click.option("--host", help="Address to listen on (FREIPLATZ_HOST, default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port (FREIPLATZ_PORT, default 8000).")
@click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    help="Web processes that share the port (FREIPLATZ_WORKERS, default 1).",
)
@click.option("--demo-if-empty", is_flag=True, help="Fill the data folder's own empty database.")
def serve(host: str | None, port: int | None, workers: int | None, demo_if_empty: bool) -> None:
    """Serve the pages, the API and the live stream until stopped.

    SIGTERM and Ctrl-C end it at once. SIGQUIT ends it gently: it takes nothing new, and what is
    connected ends in order, within seconds. SIGHUP replaces the workers one by one (with two or
    more), so that nobody notices a new version.
    """
    settings = load_settings()
    if workers is not None:
        settings = replace(settings, workers=workers)
    listener = _listen(host or settings.host, settings.port if port is None else port)
    configure_log()
    _allow_many_files()
    run(_serve(settings, listener, demo_if_empty))


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is started, so that a clash is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise click.ClickException(
            f"Port {port} on {host} cannot be used ({error.strerror}). Stop what uses it,"
            " or choose another: freiplatz serve --port 8001, or FREIPLATZ_PORT=8001."
        ) from error
    listener.setblocking(False)
    return listener


def warn_of_gaps(operator: Operator) -> None:
    """The law wants to know who runs a site."""
    missing = dict.fromkeys(name for page in NEEDED for name in operator.missing(page))
    if missing:
        log.warning(
            "the legal pages are not complete",
            missing=",".join(missing),
            remedy="FREIPLATZ_OPERATOR_FILE, see docs/operating.md",
        )


def _allow_many_files() -> None:
    """Every viewer is an open file, and the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve(settings: Settings, listener: socket.socket, demo_if_empty: bool) -> None:
    # A database that is away is told here, in a sentence, before any server is set up.
    async with open_deployment(settings, report=note) as deployment:
        if demo_if_empty:
            await _fill_if_empty(deployment)
        stop = stop_on_signals()
        address = address_of(listener)

        def ready() -> None:
            note(f"Freiplatz is there: {address}/  (stop with Ctrl-C)")
            warn_of_gaps(settings.operator)

        if settings.workers > 1:
            workers = Workers(settings.workers, listener)
            _replace_on_hangup(workers, stop)
            await workers.run(stop, ready)
        else:
            await serve_deployment(deployment, listener, stop, ready, Figures(), keeps_demo=True)
    note("Stopped.")


def _replace_on_hangup(workers: Workers, stop: Stop) -> None:
    """SIGHUP replaces the workers, unless it says that the terminal is gone: then all end."""
    had_terminal = _has_terminal()

    def hung_up() -> None:
        if had_terminal and not _has_terminal():
            stop.set()
        else:
            workers.replace.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY))
    except OSError:
        return False
    return True


async def _fill_if_empty(deployment: Deployment) -> None:
    """Only the data folder's own database: a given one may be waiting for real homes."""
    if deployment.servers is not None and await deployment.is_empty():
        from web.commands.demo import fill_demo

        await fill_demo(deployment, homes=300, seed=1)
