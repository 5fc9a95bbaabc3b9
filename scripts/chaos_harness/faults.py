"""Does what was planned to the processes, and undoes it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from scripts.chaos_harness.plan import CLOCK_SHIFTS, Fault
from scripts.chaos_harness.storage import POSTGRES, VALKEY, Storage, children
from scripts.chaos_harness.web_process import WebProcess

SERVERS = {"postgres": POSTGRES, "valkey": VALKEY}
SLOWEST_SECONDS = 0.6


class Faults:
    """`done` counts faults by kind, `missed` those that found nothing to act on (a process that was
    being started). `over_at` is when the last one was over (`time.monotonic`)."""

    def __init__(self, webs: Sequence[WebProcess], storage: Storage) -> None:
        self._webs = {f"web{web.number}": web for web in webs}
        self._storage = storage
        self.done: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.over_at = time.monotonic()
        self.is_over = asyncio.Event()

    async def run(self, faults: Sequence[Fault]) -> None:
        """Each at its time; returns when all are over."""
        began = time.monotonic()
        running = []
        for fault in faults:
            await asyncio.sleep(max(0.0, began + fault.at_seconds - time.monotonic()))
            running.append(asyncio.create_task(self._do(fault)))
        await asyncio.gather(*running)
        self.is_over.set()

    async def _do(self, fault: Fault) -> None:
        name = fault.targets[0]
        if fault.kind.is_on_all:
            acted = await self._restart_everything(fault)
        elif name in self._webs:
            acted = await self._on_web(fault, self._webs[name])
        else:
            acted = await self._on_server(fault, name)
        (self.done if acted else self.missed)[fault.kind.name] += 1
        self.over_at = time.monotonic()

    async def _on_web(self, fault: Fault, web: WebProcess) -> bool:
        match fault.kind.name:
            case "kill a web process":
                return web.send(signal.SIGKILL) is not None
            case "stop a web process in order":
                return web.send(signal.SIGTERM) is not None
            case "freeze a web process":
                pid = web.send(signal.SIGSTOP)
                await asyncio.sleep(fault.seconds)
                return pid is not None and _thaw([pid])
            case "break connections to Postgres":
                return web.postgres.break_all() > 0
            case "break connections to Valkey":
                return web.valkey.break_all() > 0
            case "shift the clock of a web process":
                web.shift_clock(CLOCK_SHIFTS[int(fault.amount * len(CLOCK_SHIFTS))])
                await asyncio.sleep(fault.seconds)
                web.shift_clock(0)
                return web.pid is not None
            case "slow way to Postgres" | "slow way to Valkey" as name:
                cable = web.postgres if name.endswith("Postgres") else web.valkey
                cable.delay_seconds = 0.01 + fault.amount * SLOWEST_SECONDS
                await asyncio.sleep(fault.seconds)
                cable.delay_seconds = 0.0
                return True
            case name if name.startswith("cut off from "):
                ports = {
                    "Postgres": [web.postgres.port],
                    "Valkey": [web.valkey.port],
                    "clients": [web.network.port],
                    "everybody": [web.postgres.port, web.valkey.port, web.network.port],
                }
                await web.network.cut(ports[name.removeprefix("cut off from ")])
                await asyncio.sleep(fault.seconds)
                await web.network.mend()
                return True
        raise AssertionError(fault.kind.name)

    async def _on_server(self, fault: Fault, name: str) -> bool:
        server = SERVERS[name]
        match fault.kind.name:
            case "kill Postgres" | "kill Valkey":
                return bool(self._storage.send(server, signal.SIGKILL))
            case "freeze Postgres" | "freeze Valkey":
                frozen = self._storage.send(server, signal.SIGSTOP, to_all=True)
                await asyncio.sleep(fault.seconds)
                return _thaw(frozen)
            case "kill a session of Postgres":
                return self._kill_session(fault.amount)
            case "fill the disk" | "fill the disk and its log" as kind:
                await asyncio.to_thread(self._storage.fill)
                if kind.endswith("log"):
                    await self._storage.use_up_log()
                await asyncio.sleep(fault.seconds)
                self._storage.clear()
                return True
        raise AssertionError(fault.kind.name)

    def _kill_session(self, amount: float) -> bool:
        """Any process of Postgres but the first: Postgres then ends them all and recovers."""
        pid = self._storage.pid(POSTGRES)
        found = [] if pid is None else sorted(children(pid))
        if not found:
            return False
        return _kill(found[int(amount * len(found))])

    async def _restart_everything(self, fault: Fault) -> bool:
        """In a random order, all within the time of the fault; half of the times by force."""
        by_force = fault.amount < 0.5
        acted = False
        for target in fault.order:
            await asyncio.sleep(fault.seconds / len(fault.order))
            if target in self._webs:
                number = signal.SIGKILL if by_force else signal.SIGTERM
                acted |= self._webs[target].send(number) is not None
            else:
                # SIGINT: Postgres ends its sessions and writes all down; Valkey ends.
                number = signal.SIGKILL if by_force else signal.SIGINT
                acted |= bool(self._storage.send(SERVERS[target], number))
        return acted


def _kill(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def _thaw(pids: Sequence[int]) -> bool:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    return bool(pids)
