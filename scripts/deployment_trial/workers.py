"""`freiplatz serve --workers 2` on servers of its own, as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.deployment_trial.composition import ROOT
from scripts.deployment_trial.topology import free_port

READY_SECONDS = 120.0
REPLACED_SECONDS = 120.0


@dataclass
class Service:
    """What serves, where, and with which key one reports."""

    url: str
    key: str
    process: asyncio.subprocess.Process
    lines: asyncio.StreamReader

    async def replace_all(self) -> None:
        """SIGHUP, and then all workers are others."""
        self.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(REPLACED_SECONDS):
            await _until(self.lines, "all web processes are new")


@asynccontextmanager
async def serving_workers(folder: Path) -> AsyncIterator[Service]:
    """Ends with the context."""
    port = free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FREIPLATZ_")}
    environ = {**clean, "FREIPLATZ_DATA_DIR": str(folder / "data")}
    program = [str(Path(sys.executable).parent / "freiplatz")]
    process = await asyncio.create_subprocess_exec(
        *program,
        *("serve", "--workers", "2", "--port", str(port)),
        env=environ,
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            await _until(process.stderr, "Freiplatz is there")
        provider = await _said([*program, "provider", "add", "Trial"], environ)
        key = await _said([*program, "key", "create", provider], environ)
        yield Service(f"http://127.0.0.1:{port}", key, process, process.stderr)
    finally:
        process.terminate()
        await process.communicate()


async def _said(command: list[str], environ: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return said.decode().strip()


async def _until(lines: asyncio.StreamReader, text: str) -> None:
    while line := (await lines.readline()).decode(errors="replace"):
        if text in line:
            return
    raise RuntimeError(f"it has ended before it said: {text}")
