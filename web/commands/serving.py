"""Hypercorn for one listener, and how it ends: at once, or so that nobody notices.

Hypercorn's own `serve` closes idle connections the moment it stops, also those on which a request
is just under way: a proxy then has a push that it may not send again. Retiring takes some seconds
for it: no new connections, every answer says `Connection: close`, and those that are idle end by
themselves. Made of the parts of which `hypercorn.asyncio.run` (0.18) is made.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress
from typing import Any, cast

from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework
from hypercorn.utils import wrap_app
from quart import Quart

from vacancies.tasks import stop_tasks
from web.connections import QUIET_SECONDS, Guarded, GuardedConfig
from web.live import LiveStreams

RETIRE_SECONDS = QUIET_SECONDS + 2.0  # by then every idle connection has ended
CUT_OFF_SECONDS = 0.5  # for what was cancelled


class Stop:
    """The wish that a process ends: at once, or (`gently`) after what it has begun. Who wants it
    gently first may still want it at once later."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._at_once = asyncio.Event()

    def set(self, *, gently: bool = False) -> None:
        self._asked.set()
        if not gently:
            self._at_once.set()

    def is_set(self) -> bool:
        return self._asked.is_set()

    @property
    def is_gentle(self) -> bool:
        return self._asked.is_set() and not self._at_once.is_set()

    async def wait(self) -> None:
        """Until it is to end, in whatever way."""
        await self._asked.wait()

    async def wait_for_haste(self) -> None:
        """Until it is to end at once."""
        await self._at_once.wait()


def stop_on_signals() -> Stop:
    """Set when the process is asked to stop: SIGTERM and SIGINT at once, SIGQUIT gently (as nginx
    has it)."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    loop.add_signal_handler(signal.SIGQUIT, lambda: stop.set(gently=True))
    return stop


async def serve_listener(
    app: Quart, config: GuardedConfig, listener: socket.socket, stop: Stop
) -> None:
    """Serve `app` until `stop` is set; closes `listener`."""
    loop = asyncio.get_running_loop()
    framework = wrap_app(cast(ASGIFramework, app), config.wsgi_max_body_size, None)
    state: dict[str, Any] = {}
    lifespan = Lifespan(framework, config, loop, state)
    living = asyncio.create_task(lifespan.handle_lifespan())
    await lifespan.wait_for_startup()
    if living.done():
        living.result()  # it raises what went wrong
    context = WorkerContext(None)
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast(asyncio.Task[None], asyncio.current_task())
        connections.add(task)
        task.add_done_callback(connections.discard)
        await Guarded(framework, loop, config, context, state, reader, writer)

    def protocol() -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), connected)

    queue = listener.dup()  # as long as it is open nobody in the queue is sent away
    server = await asyncio.start_server(connected, backlog=config.backlog, sock=listener)
    try:
        await stop.wait()
    finally:
        # New connections are for others.
        server.close()
        waiting = _last_accepted(queue, config.backlog) if stop.is_gentle else []
        queue.close()
        for sock in waiting:
            await loop.connect_accepted_socket(protocol, sock)
        live: LiveStreams = app.extensions["live"]
        if stop.is_gentle:
            await _retire(config, live, connections, stop)
        # Streams must end before Hypercorn begins to wait for them.
        await live.close()
        await context.terminated.set()
        await _finish(connections, config.graceful_timeout)
        await lifespan.wait_for_shutdown()
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


def _last_accepted(queue: socket.socket, most: int) -> list[socket.socket]:
    """Who has been let in by the kernel and not yet by us: closing the queue would cut them off,
    on a busy machine with a push under way."""
    accepted: list[socket.socket] = []
    with suppress(OSError):  # there is nobody more, or there are too many open files
        while len(accepted) < most:
            accepted.append(queue.accept()[0])
    for sock in accepted:
        sock.setblocking(False)
    return accepted


async def _retire(
    config: GuardedConfig, live: LiveStreams, connections: set[asyncio.Task[None]], stop: Stop
) -> None:
    """Let what is connected end in order, as long as there is no haste. A viewer who comes back on
    a connection that is still open is served until the end."""
    config.keep_alive_max_requests = 0  # from now on every answer is the last of its connection
    haste = asyncio.create_task(stop.wait_for_haste())
    parting = asyncio.create_task(live.delivery.dismiss())
    try:
        async with asyncio.timeout(RETIRE_SECONDS):
            while not haste.done() and (connections or not parting.done()):
                waiting = {haste, *connections} | ({parting} if not parting.done() else set())
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        pass  # somebody sends or reads slowly
    finally:
        await stop_tasks([haste, parting])


async def _finish(connections: set[asyncio.Task[None]], patience_seconds: float) -> None:
    """Give what is being answered its time, and cut off the rest."""
    for seconds in (patience_seconds, CUT_OFF_SECONDS):
        if connections:
            await asyncio.wait(set(connections), timeout=seconds)
        for task in connections:
            task.cancel()
