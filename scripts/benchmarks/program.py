"""Runs the real program in a data folder of its own, as a newcomer would."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def data_folder() -> AsyncIterator[dict[str, str]]:
    """An environment whose data folder is new, and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="freiplatz-bench-") as folder:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("FREIPLATZ_")}
        yield {**clean, "FREIPLATZ_DATA_DIR": str(Path(folder) / "data")}


async def command(environ: dict[str, str], *arguments: str) -> str:
    """What `freiplatz …` printed; raises if it failed."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "web",
        *arguments,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await running.communicate()
    if running.returncode != 0:
        raise RuntimeError(f"freiplatz {' '.join(arguments)}: {said.decode()}")
    return out.decode().strip()


@asynccontextmanager
async def served(environ: dict[str, str]) -> AsyncIterator[str]:
    """The address of `freiplatz serve`, in a process of its own."""
    async with serving(environ) as (url, _):
        yield url


@asynccontextmanager
async def serving(environ: dict[str, str]) -> AsyncIterator[tuple[str, int]]:
    """The same, with the number of the process."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "web",
        "serve",
        "--port",
        "0",
        env=environ,
        stderr=asyncio.subprocess.PIPE,
    )
    assert running.stderr is not None
    drained = None
    try:
        while line := (await running.stderr.readline()).decode():
            if line.startswith("Freiplatz is there: "):
                drained = asyncio.create_task(running.stderr.read())
                yield line.split()[3].rstrip("/"), running.pid
                return
        raise RuntimeError("freiplatz serve did not start")
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()
        if drained is not None:
            await drained
