"""One web process: `freiplatz serve`, with the servers behind cables, started again for ever."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from scripts.chaos_harness.abilities import Abilities
from scripts.chaos_harness.network import Loopback, Network, OwnNetwork
from scripts.chaos_harness.proxy import Proxy, proxy
from scripts.chaos_harness.storage import Storage
from vacancies.servers.postgres import DATABASE, ROLE

PAUSE_SECONDS = 0.2
STOP_SECONDS = 20.0
ROOT = Path(__file__).parents[2]


class WebProcess:
    """`postgres` and `valkey` are its cables. `starts` counts its lives."""

    def __init__(
        self,
        number: int,
        network: Network,
        postgres: Proxy,
        valkey: Proxy,
        folder: Path,
        clock: Path | None,
    ) -> None:
        self.number = number
        self.network = network
        self.postgres = postgres
        self.valkey = valkey
        self.url = f"http://{network.inside}:{network.port}"
        self.log = folder / f"web{number}.log"
        self.starts = 0
        self._data_dir = folder / f"web{number}"
        self._library = clock
        self._clock = folder / f"web{number}.clock"
        self._running: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        running = self._running
        return running.pid if running is not None and running.returncode is None else None

    def send(self, number: signal.Signals) -> int | None:
        """Signal it; its number, or None if it is not there just now."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, number)
        return pid

    def shift_clock(self, seconds: int) -> None:
        """From now on (within a second) its clock is that far from the true one."""
        new = self._clock.with_suffix(".new")
        new.write_text(f"{seconds:+d}")
        new.rename(self._clock)

    def _environ(self) -> dict[str, str]:
        address = f"{self.network.outside}:{self.postgres.port}"
        environ = {k: v for k, v in os.environ.items() if not k.startswith("FREIPLATZ_")}
        environ |= {
            "FREIPLATZ_DATABASE_URL": f"postgresql://{ROLE}@{address}/{DATABASE}",
            "FREIPLATZ_REDIS_URL": f"redis://{self.network.outside}:{self.valkey.port}/0",
            "FREIPLATZ_DATA_DIR": str(self._data_dir),
        }
        if self._library is not None:
            environ |= {
                "LD_PRELOAD": str(self._library),
                "FAKETIME_TIMESTAMP_FILE": str(self._clock),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                # A remedy for old C libraries, with which threads that wait for Python spin.
                "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            }
        return environ

    async def keep(self) -> None:
        """Live, and be started again, until cancelled."""
        self.shift_clock(0)
        serve = [sys.executable, "-m", "web", "serve"]
        serve += ["--host", self.network.inside, "--port", str(self.network.port)]
        while True:
            self.starts += 1
            with self.log.open("ab") as log:
                self._running = await asyncio.create_subprocess_exec(
                    *self.network.command(serve),
                    env=self._environ(),
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            try:
                await self._running.wait()
            except asyncio.CancelledError:
                await self._end(self._running)
                raise
            await asyncio.sleep(PAUSE_SECONDS)

    async def _end(self, running: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            running.terminate()
        try:
            await asyncio.wait_for(running.wait(), STOP_SECONDS)
        except TimeoutError:
            running.kill()
            await running.wait()


@asynccontextmanager
async def web_process(
    number: int, storage: Storage, folder: Path, abilities: Abilities
) -> AsyncIterator[WebProcess]:
    """It is being started when the body begins, and stopped at the end."""
    network: Network = OwnNetwork(number) if abilities.has_networks else Loopback()
    async with AsyncExitStack() as stack:
        await network.open()
        stack.push_async_callback(network.close)
        postgres, valkey = [
            await stack.enter_async_context(proxy(network.outside, target))
            for target in (storage.postgres_socket, storage.valkey_socket)
        ]
        found = WebProcess(number, network, postgres, valkey, folder, abilities.clock)
        keeping = asyncio.create_task(found.keep())
        try:
            yield found
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
