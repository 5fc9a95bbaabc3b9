"""PostgreSQL and Valkey in the data folder, for whoever has no servers of their own.

Several processes may use one data folder at once: the first starts the servers, the last one
stops them. Two lock files in the folder make that true (`flock`: the kernel drops such a lock
when a process dies, however it dies):

* `users.lock` is held, shared, by everybody who uses the servers;
* `start.lock` is held, alone, by whoever starts, stops or revives them, and while `users.lock`
  is taken or given back. So nobody can join while the last one is stopping the servers.

A process that is killed leaves the servers running, and the next one takes them over. A server
that is killed is started by the next process that comes, or by `revive`.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from vacancies.servers import postgres, valkey
from vacancies.servers.folder import Folder, ServersError, open_folder
from vacancies.servers.postgres import POSTGRES
from vacancies.servers.process import Report, answers_now, ensure, log_path, stop, trim_log
from vacancies.servers.valkey import VALKEY

__all__ = ["Servers", "ServersError", "local_servers", "revive"]

SERVERS = (POSTGRES, VALKEY)
GLANCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses of the running servers, for asyncpg and redis-py."""

    database_url: str
    redis_url: str
    data_dir: Path


def say(line: str) -> None:
    """Progress for a person, on standard error: standard output belongs to the command."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def local_servers(data_dir: Path, report: Report = say) -> Iterator[Servers]:
    """Use the servers of `data_dir`: attach to them, or start them and stop them at the end.

    Both have answered when the body begins. Blocks; about a second for a new folder. `report`
    gets a sentence for each step that takes time. Raises `ServersError`.
    """
    folder = open_folder(data_dir)
    users = _open_lock(folder, "users.lock")
    try:
        with _starting(folder, report) as held:
            fcntl.flock(users, fcntl.LOCK_SH)
            for server in SERVERS:
                ensure(server, held, report)
        yield _addresses(folder, data_dir)
    finally:
        _leave(folder, users, report)


def revive(servers: Servers, report: Report = say) -> tuple[str, ...]:
    """Start again whichever server is dead or deaf; the names of those that were.

    Cheap while all is well (a login and a PING), and safe to call from any number of threads
    and processes that use the folder; does nothing if none uses it any more. May block for half
    a minute if a server hangs. Raises `ServersError` if it cannot be started, or can no longer
    have the address it had.
    """
    folder = open_folder(servers.data_dir)
    if _addresses(folder, servers.data_dir) != servers:
        raise ServersError(
            f"Another user has taken the folder of the sockets of {folder.path}. Stop all commands "
            "that use this data folder, and start again."
        )
    if all(answers_now(server, folder, GLANCE_SECONDS) for server in SERVERS):
        for server in SERVERS:
            trim_log(log_path(server, folder))
        return ()
    with _starting(folder, report) as held:
        # Called from a thread, this may come too late: the last user has stopped the servers.
        if not _in_use(folder):
            return ()
        return tuple(server.name for server in SERVERS if ensure(server, held, report))


def _addresses(folder: Folder, data_dir: Path) -> Servers:
    return Servers(postgres.url(folder), valkey.url(folder), data_dir)


def _in_use(folder: Folder) -> bool:
    users = _open_lock(folder, "users.lock")
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(users)


def _leave(folder: Folder, users: int, report: Report) -> None:
    with ExitStack() as stack:
        # The folder may have been deleted meanwhile; then there is nothing to find or to stop.
        with suppress(FileNotFoundError):
            stack.enter_context(_starting(folder, report))
        # Given back before `start.lock` is. Closed, not unlocked: a forked child keeps its own.
        stack.callback(os.close, users)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for server in reversed(SERVERS):
            stop(server, folder)


@contextmanager
def _starting(folder: Folder, report: Report) -> Iterator[Folder]:
    lock = _open_lock(folder, "start.lock")
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Waiting for another command that starts or stops the servers.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        # Whatever is run meanwhile inherits the lock, so it outlives us if we are killed.
        yield replace(folder, start_lock=lock)
    finally:
        os.close(lock)


def _open_lock(folder: Folder, name: str) -> int:
    safe = os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(folder.path / name, os.O_RDWR | os.O_CREAT | safe, 0o600)
