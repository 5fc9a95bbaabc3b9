"""The program as operators run it, in processes of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

FREIPLATZ = [sys.executable, "-m", "web"]
ROOT = Path(__file__).parents[2]
HOME = {"name": "Haus", "coordinates": {"latitude": 51.9, "longitude": 8.38}}
REPORT = {"vacancies": [{"care_form": "long_term", "count": 2}]}


def environment(**settings: str) -> dict[str, str]:
    """That of a process with these settings, and no other."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FREIPLATZ_")}
    return {**clean, **{f"FREIPLATZ_{name.upper()}": value for name, value in settings.items()}}


async def command(*arguments: str, folder: str = str(ROOT), **settings: str) -> str:
    """What `freiplatz` with these arguments prints, of the sources in `folder`."""
    running = await asyncio.create_subprocess_exec(
        *FREIPLATZ,
        *arguments,
        env=environment(**settings),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, said = await running.communicate()
    assert running.returncode == 0, said.decode()
    return output.decode().strip()


@asynccontextmanager
async def process(
    *arguments: str,
    program: Sequence[str] = FREIPLATZ,
    folder: str = str(ROOT),
    **environ: str,
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process, asyncio.Task[str]]]:
    """`freiplatz serve` of the sources in `folder` on a free port: (its address, the process, all
    that it and those whom it started will have said when the last of them has ended)."""
    running = await asyncio.create_subprocess_exec(
        *program,
        "serve",
        "--port",
        "0",
        *arguments,
        env=environment(**environ),
        cwd=folder,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # a group of its own, as in a terminal
    )
    assert running.stderr is not None
    saying: asyncio.Task[str] | None = None
    said = []
    try:
        async with asyncio.timeout(60):
            while line := (await running.stderr.readline()).decode():
                said.append(line)
                if line.startswith("Freiplatz is there: "):
                    break
            else:
                pytest.fail("it did not start:\n" + "".join(said))
        saying = asyncio.create_task(_rest(running.stderr))
        yield line.split()[3].rstrip("/"), running, saying
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()
        if saying is not None:
            await saying


async def _rest(stream: asyncio.StreamReader) -> str:
    return (await stream.read()).decode()


async def put(client: aiohttp.ClientSession, url: str, key: str, path: str, body: object) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    async with client.put(f"{url}/api/v1/homes/{path}", json=body, headers=headers) as answer:
        return answer.status
