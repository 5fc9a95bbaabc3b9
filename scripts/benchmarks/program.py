"""Runs the real program in a data folder of its own, as a newcomer would."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp


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


@dataclass(frozen=True)
class Server:
    url: str
    pid: int

    @property
    def address(self) -> str:
        """host:port"""
        return self.url.removeprefix("http://")

    def workers(self) -> list[int]:
        """The processes that serve: its children where there are several, else itself."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        serving = [
            pid for pid in children if b"worker-" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        return [int(pid) for pid in serving] or [self.pid]

    async def stream(self) -> str:
        """The path of a stream of everything that changes from now on."""
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"{self.url}/api/v1/vacancies?limit=1") as answer,
        ):
            cursor = (await answer.json(content_type=None))["cursor"]
            return f"/api/v1/vacancies/stream?since={cursor}"


@asynccontextmanager
async def served(environ: dict[str, str]) -> AsyncIterator[str]:
    """The address of `freiplatz serve`, in a process of its own."""
    async with serving(environ) as server:
        yield server.url


@asynccontextmanager
async def serving(environ: dict[str, str], *arguments: str) -> AsyncIterator[Server]:
    """`freiplatz serve …`, in a process of its own."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "web",
        "serve",
        "--port",
        "0",
        *arguments,
        env=environ,
        stderr=asyncio.subprocess.PIPE,
    )
    assert running.stderr is not None
    drained = None
    try:
        while line := (await running.stderr.readline()).decode():
            if line.startswith("Freiplatz is there: "):
                drained = asyncio.create_task(running.stderr.read())
                yield Server(line.split()[3].rstrip("/"), running.pid)
                return
        raise RuntimeError("freiplatz serve did not start")
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()
        if drained is not None:
            await drained
