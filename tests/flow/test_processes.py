"""The program as operators run it: processes that start, stop and are killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from providers.auth import create_key
from tests.flow.program import FREIPLATZ, HOME, REPORT, ROOT, process, put
from tests.flow.test_workers import workers_of
from tests.flow.viewer import Viewer
from tests.waiting import until
from vacancies.database import migrate, open_pool
from vacancies.provider import ensure_provider
from vacancies.servers import Servers, local_servers


async def test_killed_between_commit_and_publish(
    database_url: str, servers: Servers, key: str, tmp_path: Path
) -> None:
    """The killed process speaks to a Redis that takes all and passes on nothing, so what it
    commits is never published; the viewers of the other worker get it all the same."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            pass
        writer.close()

    black_hole = await asyncio.start_unix_server(swallow, tmp_path / "hole.sock")
    deaf = {"database_url": database_url, "redis_url": f"unix://{tmp_path / 'hole.sock'}"}
    good = {"database_url": database_url, "redis_url": servers.redis_url}
    async with (
        process(**good) as (other_url, _, _),
        process(**deaf) as (url, doomed, _),
        aiohttp.ClientSession() as client,
    ):
        assert await put(client, url, key, "a", HOME) == 201
        viewer = Viewer(other_url, {})
        watching = asyncio.create_task(viewer.watch(client))
        await viewer.until(lambda: viewer.is_ready)
        assert await put(client, url, key, "a/vacancies", REPORT) == 200
        doomed.kill()
        await viewer.until(lambda: "a" in viewer.table)
        assert viewer.table["a"]["properties"]["free"] == {"long_term": 2}
        watching.cancel()
    black_hole.close()


WITHOUT_UVLOOP = """
import sys
sys.modules["uvloop"] = None  # what Python sees where it is not installed
from web.__main__ import main
main(prog_name="freiplatz")
"""


@pytest.mark.parametrize("has_uvloop", [True, False])
async def test_it_stops_at_once_with_open_streams(
    database_url: str, servers: Servers, key: str, has_uvloop: bool
) -> None:
    given = {"database_url": database_url, "redis_url": servers.redis_url}
    program = FREIPLATZ if has_uvloop else [sys.executable, "-c", WITHOUT_UVLOOP]
    async with (
        process(program=program, **given) as (url, running, _),
        aiohttp.ClientSession() as client,
    ):
        viewers = [Viewer(url, {}) for _ in range(20)]
        watching = [asyncio.create_task(viewer.watch(client)) for viewer in viewers]
        for viewer in viewers:
            await viewer.until(lambda v=viewer: v.is_ready)
        assert await put(client, url, key, "a", HOME) == 201
        assert await put(client, url, key, "a/vacancies", REPORT) == 200
        for viewer in viewers:
            await viewer.until(lambda v=viewer: "a" in v.table)
        loaded = Path(f"/proc/{running.pid}/maps").read_text()
        assert ("/uvloop/" in loaded) == has_uvloop
        began = time.monotonic()
        running.send_signal(signal.SIGTERM)
        # The streams end by themselves: that is what this test is about, not the clock.
        await asyncio.gather(*watching)
        assert await running.wait() == 0
        print(f"stopped with 20 open streams in {time.monotonic() - began:.2f} s")


async def test_what_is_under_way_at_the_end_is_answered(tmp_path: Path) -> None:
    """The database hangs, and the process is stopped: whoever reports is told that the report may
    or may not be stored, not "500"."""
    with local_servers(tmp_path / "data", lambda line: None) as own:
        pool = await open_pool(own.database_url, size=1)
        await migrate(pool)
        provider = await ensure_provider(pool, "Eins")
        key = await create_key(pool, provider.id)
        await pool.close()
        given = {"database_url": own.database_url, "redis_url": own.redis_url}
        async with process(**given) as (url, running, _), aiohttp.ClientSession() as client:
            assert await put(client, url, key, "a", HOME) == 201
            assert await put(client, url, key, "a/vacancies", REPORT) == 200
            with frozen(tmp_path / "data"):
                begun = asyncio.Event()

                async def body() -> AsyncIterator[bytes]:
                    begun.set()  # asked for by the app, which has the request by now
                    yield json.dumps(REPORT).encode()

                headers = {"Authorization": f"Bearer {key}"}
                address = f"{url}/api/v1/homes/a/vacancies"
                reporting = asyncio.create_task(
                    _answer(client, address, headers, body(), expect100=True)
                )
                await begun.wait()
                running.send_signal(signal.SIGTERM)
                status, problem = await reporting
            assert (status, problem["code"]) == (503, "outcome_unknown")
            assert "Idempotency-Key" in problem["detail"]


async def _answer(
    client: aiohttp.ClientSession, address: str, headers: dict[str, str], body: Any, **more: Any
) -> tuple[int, Any]:
    async with client.put(address, data=body, headers=headers, **more) as answer:
        return answer.status, await answer.json(content_type=None)


@contextmanager
def frozen(data_dir: Path) -> Iterator[None]:
    """The servers of a data folder, and all processes that they have started, do nothing."""
    pids = server_pids(data_dir)
    pids += [child for pid in pids for child in workers_of(pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def test_a_port_that_is_taken_is_said_plainly(database_url: str, servers: Servers) -> None:
    given = {"database_url": database_url, "redis_url": servers.redis_url}
    async with process(**given) as (url, _, _):
        second = await asyncio.create_subprocess_exec(
            *FREIPLATZ,
            "serve",
            "--port",
            url.rsplit(":", 1)[1],
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await second.communicate()
        assert second.returncode == 1
        assert "cannot be used" in said.decode()
        assert "--port 8001" in said.decode()
        assert "Traceback" not in said.decode()


async def test_a_database_that_is_away_is_said_plainly() -> None:
    given = {
        "FREIPLATZ_DATABASE_URL": "postgresql://127.0.0.1:1/x",
        "FREIPLATZ_REDIS_URL": "redis://127.0.0.1:1",
    }
    running = await asyncio.create_subprocess_exec(
        *FREIPLATZ, "serve", "--port", "0", env={**os.environ, **given}, cwd=ROOT, stderr=-1
    )
    _, said = await running.communicate()
    assert running.returncode == 1
    assert "FREIPLATZ_DATABASE_URL" in said.decode()
    assert len(said.decode().splitlines()) == 1


async def test_with_servers_of_its_own_it_survives_their_death(tmp_path: Path) -> None:
    """Both servers are killed; the process starts them again and takes reports."""
    data_dir = str(tmp_path / "data")
    async with process(data_dir=data_dir) as (url, _, _), aiohttp.ClientSession() as client:
        made = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            f"{sys.executable} -m web provider add Eins >/dev/null"
            f" && {sys.executable} -m web key create eins",
            cwd=ROOT,
            env={**os.environ, "FREIPLATZ_DATA_DIR": data_dir},
            stdout=asyncio.subprocess.PIPE,
        )
        key = (await made.communicate())[0].decode().strip()
        assert await put(client, url, key, "a", HOME) == 201
        for pid in server_pids(tmp_path / "data"):
            os.kill(pid, signal.SIGKILL)

        async def is_taken() -> bool:
            return await put(client, url, key, "a/vacancies", REPORT) == 200

        await until(is_taken)
        async with client.get(f"{url}/api/v1/homes/a") as answer:
            assert (await answer.json())["properties"]["free"] == {"long_term": 2}


def server_pids(data_dir: Path) -> list[int]:
    """The postmaster and Valkey of a data folder, by their command lines."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if str(data_dir) in command and "web" not in command.split("\0")[1:3] and parent:
                found.append(int(entry.name))
    assert len(found) >= 2, found
    return found
