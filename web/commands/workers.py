"""The web processes of `freiplatz serve --workers N`: started, started again, and replaced."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from vacancies.errors import FreiplatzError
from vacancies.tasks import stop_tasks
from web.commands.serving import RETIRE_SECONDS, Stop
from web.commands.worker import Worker, manner
from web.figures import Figures

log = structlog.get_logger()

ATTEMPTS = 5
STEADY_SECONDS = 10.0  # who has lived this long has not died at once
SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
STOP_SECONDS = 20.0  # to commit what waits, at worst


class WorkersDie(FreiplatzError):
    """No web process stays alive."""

    code = "workers_die"


class Workers:
    """`count` processes that accept from one `listener`. Setting `replace` replaces them one by
    one: each new one is ready before the old one takes nothing new any more."""

    def __init__(self, count: int, listener: socket.socket) -> None:
        self.replace = asyncio.Event()
        self._count = count
        self._listener = listener
        # A row more than processes: while one is replaced there are two of it.
        self._rows = count + 1
        self._free = list(range(self._rows))
        self._serving: dict[int, Worker] = {}
        self._ready: set[Worker] = set()
        self._alive: set[Worker] = set()
        self._announced = False

    async def run(self, stop: Stop, ready: Callable[[], None]) -> None:
        """Keep the workers alive until `stop` is set. `ready` is called once, when all are
        there. Raises `WorkersDie`."""
        with tempfile.TemporaryFile() as shared:
            shared.truncate(Figures.size(self._rows))
            self._shared = shared.fileno()
            self._figures = Figures(self._rows, 0, self._shared)
            self._stop, self._when_ready = stop, ready
            keeping = [asyncio.create_task(self._keep(number)) for number in range(self._count)]
            replacing = asyncio.create_task(self._replace_when_asked())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({*keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not stop.is_set():
                stop.set()  # one of them has given up
            await stop_tasks([replacing])
            # Ours too, or new connections would wait in its queue for nobody.
            self._listener.close()
            await self._end_all(keeping)
            await asyncio.gather(*keeping, stopping)

    async def _end_all(self, keeping: list[asyncio.Task[None]]) -> None:
        if self._stop.is_gentle:
            for worker in self._alive:
                worker.retire()
            haste = asyncio.create_task(self._stop.wait_for_haste())
            while not haste.done() and not all(task.done() for task in keeping):
                waiting = {haste, *(task for task in keeping if not task.done())}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            await stop_tasks([haste])
        for worker in self._alive:
            worker.close()
        # Also of one that was to replace another, for which nobody waits any more.
        ends = [asyncio.create_task(self._end_of(worker)) for worker in self._alive]
        _, late = await asyncio.wait({*keeping, *ends}, timeout=STOP_SECONDS)
        if late:
            for worker in self._alive:
                worker.kill()
        await asyncio.gather(*ends)

    async def _keep(self, number: int) -> None:
        deaths = 0
        while True:
            worker = self._serving.get(number)
            if worker is None:
                worker = self._serving[number] = await self._start(number)
                if await self._becomes_ready(worker):
                    self._announce()
            code = await self._end_of(worker)
            if self._serving[number] is not worker:
                continue  # it was replaced
            if self._stop.is_set():
                return
            del self._serving[number]
            deaths = 1 if time.monotonic() - worker.began > STEADY_SECONDS else deaths + 1
            # While others serve, one that cannot start is no reason to end those.
            if deaths >= ATTEMPTS and not (self._announced and self._ready):
                raise WorkersDie(
                    f"A web process ended {deaths} times in a row, each time soon after its start"
                    f" (at last {manner(code)}). What it said stands above."
                )
            pause = min(SHORTEST_PAUSE_SECONDS * 3 ** (deaths - 1), LONGEST_PAUSE_SECONDS)
            log.warning(
                "a web process ended, starting another",
                worker=number,
                how=manner(code),
                pause_seconds=pause,
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)

    async def _start(self, number: int) -> Worker:
        row = self._free.pop(0)
        worker = await Worker.start(number, row, self._rows, self._listener, self._shared)
        self._alive.add(worker)
        if self._stop.is_set():
            worker.close()
        return worker

    async def _becomes_ready(self, worker: Worker) -> bool:
        is_ready = await worker.until_ready()
        if is_ready:
            self._ready.add(worker)
        return is_ready

    def _announce(self) -> None:
        if len(self._ready) == self._count and not self._announced:
            self._announced = True
            self._when_ready()

    async def _end_of(self, worker: Worker) -> int:
        """Its exit code, when it has ended; its row is free from then on."""
        code = await worker.wait()
        self._ready.discard(worker)
        if worker in self._alive:
            self._alive.remove(worker)
            self._figures.forget(worker.row)
            self._free.append(worker.row)
        return code

    async def _replace_when_asked(self) -> None:
        while True:
            await self.replace.wait()
            self.replace.clear()
            log.info("replacing the web processes one by one")
            done = [await self._replace(number) for number in range(self._count)]
            if all(done):
                log.info("all web processes are new")

    async def _replace(self, number: int) -> bool:
        """Whether what serves as `number` is new. If the new one cannot start the old one stays."""
        old = self._serving.get(number)
        if old is None:
            return True  # it has just died, and is started anew in any case
        new = await self._start(number)
        try:
            if not await self._becomes_ready(new):
                code = await self._end_of(new)
                log.error("a new web process did not start, the old one stays", how=manner(code))
                return False
            if self._serving.get(number) is old:
                self._serving[number] = new
        finally:
            if self._serving.get(number) is not new:  # we are to stop, or the old one has died
                new.close()
                await self._see_off(new, STOP_SECONDS)
        old.retire()
        await self._see_off(old, RETIRE_SECONDS + STOP_SECONDS)
        return True

    async def _see_off(self, worker: Worker, patience_seconds: float) -> None:
        try:
            await asyncio.wait_for(self._end_of(worker), patience_seconds)
        except TimeoutError:
            log.warning("a web process does not end, killed", worker=worker.number)
            worker.kill()
            await self._end_of(worker)
