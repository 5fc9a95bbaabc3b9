"""One web process of `freiplatz serve --workers N`, as the process that watches over it sees it."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

import msgspec

from web.commands.process import READY, Orders

# Not `-m`: that would find another `web` in the folder where the command is run.
PROGRAM = "import sys; sys.path[:] = {path}; from web.commands.process import work; work()"


class Worker:
    """A started process. It lives no longer than its standard input is open: so it ends when we
    close it, and also when we are killed."""

    def __init__(self, number: int, row: int, process: Process) -> None:
        self.number = number
        self.row = row
        self.began = time.monotonic()
        self._process = process

    @classmethod
    async def start(
        cls, number: int, row: int, rows: int, listener: socket.socket, figures: int
    ) -> Worker:
        """`figures` is the file that holds the `rows` of all."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAM.format(path=sys.path),
            f"worker-{number}",
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=(listener.fileno(), figures),
            start_new_session=True,  # Ctrl-C in the terminal is for us to pass on
        )
        assert process.stdin is not None
        orders = Orders(
            number=number, rows=rows, row=row, listener=listener.fileno(), figures=figures
        )
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        return cls(number, row, process)

    async def until_ready(self) -> bool:
        """Whether it serves; False: it has ended before. To be asked once."""
        assert self._process.stdout is not None
        return await self._process.stdout.readline() == READY

    async def wait(self) -> int:
        """Its exit code."""
        return await self._process.wait()

    def close(self) -> None:
        """It is to end at once."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def retire(self) -> None:
        """It is to end what it has begun, and take nothing new."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGQUIT)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()


def manner(code: int) -> str:
    """How a process ended, in words."""
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
