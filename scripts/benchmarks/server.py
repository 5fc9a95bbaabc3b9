"""A server to compare with: a child process that lives as long as it is measured."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager


@asynccontextmanager
async def started(
    command: Sequence[str],
    says: str,
    *,
    user: str | None = None,
    environ: Mapping[str, str] | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> AsyncIterator[str]:
    """Yields the line of its output that contains `says`, by which the server is ready.

    `user` is whom it runs as, where we are root. Raises RuntimeError with what it said if it
    ends before.
    """
    running = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environ,
        user=user,
        extra_groups=None if user is None else [],
    )
    assert running.stdout is not None
    drained = None
    try:
        said = []
        while line := (await running.stdout.readline()).decode():
            said.append(line)
            if says in line:
                # Nobody reads on: a full pipe must not stop the server.
                drained = asyncio.create_task(running.stdout.read())
                yield line
                return
        raise RuntimeError(f"{command[0]} did not start: {''.join(said[-10:])}")
    finally:
        if running.returncode is None:
            running.send_signal(stop)
        await running.wait()
        if drained is not None:
            await drained
