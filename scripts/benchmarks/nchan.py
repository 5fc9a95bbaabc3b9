"""Nchan, the publish-subscribe module of nginx: what one would otherwise put behind a stream."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benchmarks.debian import install

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


@dataclass
class Nchan:
    address: str
    pid: int
    version: str
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def publish(self, payload: bytes) -> float:
        """POST `payload`; the moment just before it was written (`time.monotonic`)."""
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            host, _, port = self.address.partition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
        request = (
            b"POST /publish HTTP/1.1\r\nHost: bench\r\nX-EventSource-Event: listing\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(payload), payload)
        )
        at = time.monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 201 " not in head[:20] and b" 202 " not in head[:20]:
            raise RuntimeError(f"Nchan did not take a message: {head!r}")
        length = re.search(rb"content-length: (\d+)", head.lower())
        await reader.readexactly(int(length[1]) if length else 0)
        self._idle.append((reader, writer))
        return at

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


@asynccontextmanager
async def nchan(viewers: int) -> AsyncIterator[Nchan]:
    """A server of our own with one worker, gone afterwards. Raises `debian.Missing`."""
    install(MODULE, "nginx", "libnginx-mod-nchan")
    program = install("nginx", "nginx")
    with tempfile.TemporaryDirectory(prefix="nchan-bench-") as folder:
        port = _free_port()
        text = CONFIGURATION.format(
            module=MODULE,
            folder=folder,
            path=PATH,
            port=port,
            files=2 * viewers + 2_000,
            connections=2 * viewers + 1_000,
        )
        (Path(folder) / "nginx.conf").write_text(text)
        Path(folder).chmod(0o755)  # the worker is another user where the master is root
        master = await asyncio.create_subprocess_exec(
            program, "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"
        )
        try:
            worker = await _worker(master, port, Path(folder) / "error.log")
            server = Nchan(f"127.0.0.1:{port}", worker, _version(program))
            yield server
            server.close()
        finally:
            if master.returncode is None:
                master.terminate()
            await master.wait()


async def _worker(master: asyncio.subprocess.Process, port: int, log: Path) -> int:
    """The process id of the worker, once the port answers."""
    deadline = time.monotonic() + START_SECONDS
    children = Path(f"/proc/{master.pid}/task/{master.pid}/children")
    while time.monotonic() < deadline and master.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        for child in children.read_text().split():
            if b"worker process" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        await asyncio.sleep(0.02)
    raise RuntimeError(f"nginx with Nchan did not start: {log.read_text()}")


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
