"""Postgres and Valkey of a data folder, kept alive by us as an operator's machine would."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg

from vacancies.errors import FreiplatzError
from vacancies.servers import Servers, local_servers, revive
from vacancies.servers.folder import Folder, open_folder
from vacancies.servers.postgres import PORT, POSTGRES
from vacancies.servers.process import Server, running_pid
from vacancies.servers.valkey import SOCKET, VALKEY

LOOK_SECONDS = 0.3
DISK_BYTES = 640 * 2**20
PIECE_BYTES = 2**20
MOST_SEGMENTS = 12


class Storage:
    """The two servers. `is_small`: their disk is one that can be filled."""

    def __init__(self, servers: Servers, folder: Folder, is_small: bool) -> None:
        self.servers = servers
        self.is_small = is_small
        self._folder = folder
        self._filler = servers.data_dir / "filler"
        self.revivals = 0

    @property
    def postgres_socket(self) -> Path:
        return self._folder.sockets / f".s.PGSQL.{PORT}"

    @property
    def valkey_socket(self) -> Path:
        return self._folder.sockets / SOCKET

    def pid(self, server: Server) -> int | None:
        return running_pid(server, self._folder)

    def family(self, server: Server) -> list[int]:
        """The server and the processes that it has started."""
        pid = self.pid(server)
        return [] if pid is None else [pid, *children(pid)]

    def send(self, server: Server, number: signal.Signals, *, to_all: bool = False) -> list[int]:
        """Signal the server, or all of its family; who was reached."""
        reached = []
        for pid in self.family(server)[: None if to_all else 1]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                reached.append(pid)
        return reached

    async def keep(self) -> None:
        """Start again what is dead, for ever. While the disk is full that fails: so it is tried
        again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(FreiplatzError, OSError):
                started = await asyncio.to_thread(revive, self.servers, lambda line: None)
                self.revivals += len(started)

    def fill(self) -> None:
        """Take all that is left on the disk."""
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            piece = bytes(PIECE_BYTES)
            while piece:
                if file.write(piece) < len(piece):
                    break
        with self._filler.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(bytes(512)):
                pass

    def clear(self) -> None:
        self._filler.unlink(missing_ok=True)

    async def use_up_log(self) -> None:
        """Begin new segments of the write-ahead log until there is no room for one: Postgres
        can only die of that."""
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            connection = await asyncpg.connect(self.servers.database_url, timeout=1)
            try:
                for _ in range(MOST_SEGMENTS):
                    await connection.execute(
                        "SELECT pg_logical_emit_message(false, 'x', 'x')", timeout=1
                    )
                    await connection.execute("SELECT pg_switch_wal()", timeout=1)
            finally:
                connection.terminate()


def children(pid: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []


@asynccontextmanager
async def storage(data_dir: Path, *, is_small: bool) -> AsyncIterator[Storage]:
    """The servers of `data_dir`, on a disk of their own where that can be had."""
    _make_folder(data_dir, is_small)
    own = local_servers(data_dir, lambda line: None)
    servers = await asyncio.to_thread(own.__enter__)
    found = Storage(servers, open_folder(data_dir), is_small)
    keeping = asyncio.create_task(found.keep())
    try:
        yield found
    finally:
        keeping.cancel()
        found.clear()
        with suppress(asyncio.CancelledError):
            await keeping
        await asyncio.to_thread(own.__exit__, None, None, None)
        if is_small:
            await asyncio.to_thread(_give_back, data_dir)


def _make_folder(data_dir: Path, is_small: bool) -> None:
    """The mount goes with the namespaces of the harness, if not before."""
    data_dir.mkdir(parents=True)
    if is_small:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0711", "tmpfs"]
        subprocess.run([*mount, str(data_dir)], check=True)


def _give_back(data_dir: Path) -> None:
    subprocess.run(["umount", "--lazy", str(data_dir)], check=True)


__all__ = ["POSTGRES", "VALKEY", "Storage", "children", "storage"]
