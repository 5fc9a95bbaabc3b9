"""The web processes of `freiplatz serve --workers N`: started, and started again."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog

from vacancies.errors import FreiplatzError
from web.commands.process import READY, Orders
from web.figures import Figures

log = structlog.get_logger()

# Not `-m`: that would find another `web` in the folder where the command is run.
PROGRAM = "import sys; sys.path[:] = {path}; from web.commands.process import work; work()"
ATTEMPTS = 5
STEADY_SECONDS = 10.0  # who has lived this long has not died at once
SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
STOP_SECONDS = 20.0  # to commit what waits, at worst


class WorkersDie(FreiplatzError):
    """No web process stays alive."""

    code = "workers_die"


class Workers:
    """`count` processes that accept from one `listener`.

    A worker lives no longer than its standard input is open. So it ends when we close it, and
    also when we are killed.
    """

    def __init__(self, count: int, listener: socket.socket) -> None:
        self._count = count
        self._listener = listener
        self._running: dict[int, Process] = {}
        self._ready: set[int] = set()
        self._announced = False

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Keep the workers alive until `stop` is set. `ready` is called once, when all are
        there. Raises `WorkersDie`."""
        with tempfile.TemporaryFile() as shared:
            shared.truncate(Figures.size(self._count))
            figures = Figures(self._count, 0, shared.fileno())
            keeping = [
                asyncio.create_task(self._keep(number, shared.fileno(), figures, stop, ready))
                for number in range(self._count)
            ]
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({*keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            for worker in self._running.values():
                _close(worker)
            _, late = await asyncio.wait(keeping, timeout=STOP_SECONDS)
            if late:
                for worker in self._running.values():
                    worker.kill()
            await asyncio.gather(*keeping, stopping)

    async def _keep(
        self,
        number: int,
        shared: int,
        figures: Figures,
        stop: asyncio.Event,
        ready: Callable[[], None],
    ) -> None:
        deaths = 0
        while True:
            began = time.monotonic()
            try:
                code = await self._live(number, shared, stop, ready)
            finally:
                figures.forget(number)
            if stop.is_set():
                return
            deaths = 1 if time.monotonic() - began > STEADY_SECONDS else deaths + 1
            # While others serve, one that cannot start is no reason to end those.
            if deaths >= ATTEMPTS and not (self._announced and self._ready):
                raise WorkersDie(
                    f"A web process ended {deaths} times in a row, each time soon after its start"
                    f" (at last {_manner(code)}). What it said stands above."
                )
            pause = min(SHORTEST_PAUSE_SECONDS * 3 ** (deaths - 1), LONGEST_PAUSE_SECONDS)
            log.warning(
                "a web process ended, starting another",
                worker=number,
                how=_manner(code),
                pause_seconds=pause,
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def _live(
        self, number: int, shared: int, stop: asyncio.Event, ready: Callable[[], None]
    ) -> int:
        """One life of a worker; its exit code."""
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAM.format(path=sys.path),
            f"worker-{number}",
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=(self._listener.fileno(), shared),
            start_new_session=True,  # Ctrl-C in the terminal is for us to pass on
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        self._running[number] = worker
        try:
            orders = Orders(
                number=number,
                workers=self._count,
                listener=self._listener.fileno(),
                figures=shared,
            )
            worker.stdin.write(msgspec.json.encode(orders) + b"\n")
            if stop.is_set():
                _close(worker)
            if await worker.stdout.readline() == READY:
                self._ready.add(number)
                if len(self._ready) == self._count and not self._announced:
                    self._announced = True
                    ready()
            return await worker.wait()
        finally:
            self._ready.discard(number)
            del self._running[number]


def _close(worker: Process) -> None:
    assert worker.stdin is not None
    worker.stdin.close()


def _manner(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
