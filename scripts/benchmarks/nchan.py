"""Nchan, the publish-subscribe module of nginx: what one would otherwise put behind a stream."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks.debian import install
from scripts.benchmarks.wire import Wire

MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so"
PATH = "/stream"
START_SECONDS = 10.0

# One worker, nothing logged, and a buffer that holds all of a run: nobody misses a message
# because the worker was busy.
CONFIGURATION = """
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections {connections}; multi_accept on; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  nchan_shared_memory_size 256m;
  nchan_message_buffer_length 10000;
  nchan_message_timeout 0;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /publish {{
      nchan_publisher http;
      nchan_channel_id vacancies;
    }}
    location = {path} {{
      nchan_subscriber eventsource;
      nchan_channel_id vacancies;
      nchan_subscriber_first_message newest;
      nchan_eventsource_ping_interval 15;
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Nchan:
    address: str
    pid: int
    version: str
    wire: Wire

    async def publish(self, payload: bytes) -> float:
        """POST `payload`; the moment just before it was written (`time.monotonic`)."""
        headers = {"X-EventSource-Event": "listing"}
        at, _ = await self.wire.send("POST", "/publish", headers, payload)
        return at


@asynccontextmanager
async def nchan(viewers: int) -> AsyncIterator[Nchan]:
    """A server of our own with one worker, gone afterwards. Raises `debian.Missing`."""
    install(MODULE, "nginx", "libnginx-mod-nchan")
    program = install("nginx", "nginx")
    with tempfile.TemporaryDirectory(prefix="nchan-bench-") as folder:
        port = _configure(Path(folder), viewers)
        log = f"{folder}/error.log"
        master = await asyncio.create_subprocess_exec(
            program, "-p", folder, "-c", f"{folder}/nginx.conf", "-e", log
        )
        try:
            worker = await _worker(master, port)
            address = f"127.0.0.1:{port}"
            async with Wire(address) as wire:
                yield Nchan(address, worker, _version(program), wire)
        finally:
            if master.returncode is None:
                master.terminate()
            await master.wait()


def _configure(folder: Path, viewers: int) -> int:
    """The port it is going to have."""
    port = _free_port()
    text = CONFIGURATION.format(
        module=MODULE,
        folder=folder,
        path=PATH,
        port=port,
        files=2 * viewers + 2_000,
        # Nchan needs more than a connection a viewer, and drops others when it has none.
        connections=2 * viewers + 1_000,
    )
    (folder / "nginx.conf").write_text(text)
    folder.chmod(0o755)  # the worker is another user where the master is root
    return port


async def _worker(master: asyncio.subprocess.Process, port: int) -> int:
    """The process id of the worker, once the port answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and master.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        if (worker := _worker_of(master.pid)) is not None:
            return worker
        await asyncio.sleep(0.02)
    raise RuntimeError("nginx with Nchan did not start")


def _worker_of(master: int) -> int | None:
    for child in Path(f"/proc/{master}/task/{master}/children").read_text().split():
        if b"worker process" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _version(program: str) -> str:
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stderr
    nginx = said.rpartition("/")[2].strip()
    environ = {**os.environ, "LC_ALL": "C"}
    package = ["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"]
    asked = subprocess.run(package, capture_output=True, text=True, env=environ, check=False)
    return f"{asked.stdout or 'unknown'} on nginx {nginx}"
