"""The network of one web process: between it and us, and one that can be cut."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from typing import Protocol

WEB_PORT = 8000


class Network(Protocol):
    """`inside` is the address of the web process, `outside` ours as it sees it."""

    inside: str
    outside: str
    port: int

    def command(self, arguments: Sequence[str]) -> list[str]:
        """How to run `arguments` in there."""

    async def cut(self, ports: Iterable[int]) -> None:
        """From now on nothing passes that comes from or goes to `ports`; nobody is told."""

    async def mend(self) -> None: ...
    async def open(self) -> None: ...
    async def close(self) -> None: ...


class Loopback:
    """Where there are no namespaces: nothing can be cut."""

    inside = outside = "127.0.0.1"

    def __init__(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port: int = taken.getsockname()[1]

    def command(self, arguments: Sequence[str]) -> list[str]:
        return [*arguments]

    async def cut(self, ports: Iterable[int]) -> None:
        raise RuntimeError("Nothing can be cut here: no plan has such a fault (abilities.py).")

    async def mend(self) -> None: ...
    async def open(self) -> None: ...
    async def close(self) -> None: ...


class OwnNetwork:
    """A namespace with a cable to ours. It exists as long as a process sleeps in it."""

    def __init__(self, number: int) -> None:
        self.port = WEB_PORT
        self.outside, self.inside = f"10.77.{number}.1", f"10.77.{number}.2"
        self._cable = f"web{number}"
        self._sleeper: asyncio.subprocess.Process | None = None

    def command(self, arguments: Sequence[str]) -> list[str]:
        assert self._sleeper is not None
        return ["nsenter", f"--net=/proc/{self._sleeper.pid}/ns/net", "--", *arguments]

    async def open(self) -> None:
        self._sleeper = await asyncio.create_subprocess_exec(
            *("unshare", "--net", "sh", "-c", "echo there; exec sleep infinity"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._sleeper.stdout is not None
        await self._sleeper.stdout.readline()
        ours, theirs = self._cable, f"{self._cable}-in"
        await _run(f"ip link add {ours} type veth peer name {theirs} netns {self._sleeper.pid}")
        await _run(f"ip addr add {self.outside}/24 dev {ours}")
        await _run(f"ip link set {ours} up")
        for line in (f"addr add {self.inside}/24 dev {theirs}", f"link set {theirs} up"):
            await _run(*self.command(["ip", *line.split()]))
        await _run(*self.command(["ip", "link", "set", "lo", "up"]))
        await self._rule(
            "add table inet chaos",
            "add chain inet chaos incoming { type filter hook input priority 0; }",
            "add chain inet chaos outgoing { type filter hook output priority 0; }",
        )

    async def cut(self, ports: Iterable[int]) -> None:
        which = "{" + ",".join(map(str, ports)) + "}"
        await self._rule(
            *(
                f"add rule inet chaos {chain} tcp {end} {which} drop"
                for chain in ("incoming", "outgoing")
                for end in ("sport", "dport")
            )
        )

    async def mend(self) -> None:
        await self._rule("flush chain inet chaos incoming", "flush chain inet chaos outgoing")

    async def _rule(self, *lines: str) -> None:
        await _run(*self.command(["nft", "\n".join(lines)]))

    async def close(self) -> None:
        if self._sleeper is not None and self._sleeper.returncode is None:
            self._sleeper.kill()
            await self._sleeper.wait()


async def loopback_up() -> None:
    """In a new namespace even that is down."""
    await _run("ip link set lo up")


async def _run(*command: str) -> None:
    """One program; a single string is split. Raises RuntimeError with what it said."""
    words = command[0].split() if len(command) == 1 else command
    running = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await running.communicate()
    if running.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {said.decode().strip()}")
