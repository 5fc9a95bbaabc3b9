"""One server as a process: is it there, does it answer, start it, stop it."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vacancies.servers.account import last_lines, run_as_account
from vacancies.servers.folder import Folder, ServersError

Report = Callable[[str], None]
Answer = Literal["ready", "starting", "silent"]

# A server that says "not yet" is repairing itself after a crash: that may take long.
LONGEST_START_SECONDS = 600.0
# The processes of a killed PostgreSQL notice it, but not while they are busy.
LEFTOVERS_SECONDS = 20.0
FIRST_ANSWER_SECONDS = 30.0
POLL_SECONDS = 0.02
LOG_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Server:
    """What differs between the servers.

    `prepare` makes everything ready for a start while the server does not run; `probe` asks it
    over its socket, and waits so many seconds; `stop_signals` are sent one after the other,
    with the seconds to wait after each; one of `leftovers` is in the log of a start that failed
    because processes of a killed server are not quite gone.
    """

    name: str
    slug: str
    patience_seconds: float
    stop_signals: tuple[tuple[signal.Signals, float], ...]
    prepare: Callable[[Folder, Report], None]
    command: Callable[[Folder], list[str]]
    probe: Callable[[Folder, float], Answer]
    leftovers: tuple[str, ...] = ()


def ensure(server: Server, folder: Folder, report: Report) -> bool:
    """See to it that the server answers; True if it had to be started.

    Only for one process at a time (`start.lock`). Raises `ServersError`.
    """
    trim_log(log_path(server, folder))
    if running_pid(server, folder) is not None:
        if _answers(server, folder, server.patience_seconds):
            return False
        if running_pid(server, folder) is not None:
            report(f"{server.name} runs but does not answer: starting it again.")
        stop(server, folder)
    _start(server, folder, report)
    return True


def answers_now(server: Server, folder: Folder, timeout_seconds: float) -> bool:
    """One question, one answer."""
    return server.probe(folder, timeout_seconds) == "ready"


def running_pid(server: Server, folder: Folder) -> int | None:
    """The process that holds the server's lock (see `launch.py`); 0 if it is out of sight."""
    try:
        lock = os.open(_lock_path(server, folder), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    # struct flock, as each kernel wants it.
    darwin = sys.platform == "darwin"
    layout = "qqihh" if darwin else "hhqqi4x"
    question = (0, 0, 0, fcntl.F_WRLCK, 0) if darwin else (fcntl.F_WRLCK, 0, 0, 0, 0)
    try:
        answer = fcntl.fcntl(lock, fcntl.F_GETLK, struct.pack(layout, *question))
    finally:
        os.close(lock)
    fields = struct.unpack(layout, answer)
    kind, pid = (fields[3], fields[2]) if darwin else (fields[0], fields[4])
    return None if kind == fcntl.F_UNLCK else max(int(pid), 0)


def stop(server: Server, folder: Folder) -> None:
    """Stop the server, at first politely; nothing if it does not run. Raises `ServersError`."""
    for number, patience_seconds in server.stop_signals:
        pid = running_pid(server, folder)
        if pid is None:
            return
        if pid == 0:
            break
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline:
            if running_pid(server, folder) is None:
                return
            time.sleep(POLL_SECONDS)
    raise ServersError(
        f"{server.name} in {folder.path} cannot be stopped from here; if another container uses "
        "the same folder, stop it there."
    )


def log_path(server: Server, folder: Folder) -> Path:
    """What the server writes to standard output and error."""
    return folder.path / f"{server.slug}.log"


def trim_log(log: Path) -> None:
    """Keep a log of more than `LOG_BYTES` as `.log.1` and empty it.

    The server keeps it open for appending, so it goes on at the start of the emptied file; a
    line written between the two steps is lost.
    """
    if log.exists() and log.stat().st_size > LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def _lock_path(server: Server, folder: Folder) -> Path:
    return folder.path / f"{server.slug}.lock"


def _start(server: Server, folder: Folder, report: Report) -> None:
    log = log_path(server, folder)
    deadline = time.monotonic() + LEFTOVERS_SECONDS
    server.prepare(folder, report)
    report(f"Starting {server.name} in {folder.path}.")
    while True:
        written = log.stat().st_size if log.exists() else 0
        done = run_as_account(
            folder, server.command(folder), lock=_lock_path(server, folder), log=log
        )
        if done.returncode == 0 and _answers(server, folder, FIRST_ANSWER_SECONDS):
            return
        lines = log.read_bytes()[written:] if log.exists() else b""
        said = done.stdout + lines.decode("utf-8", "replace")
        leftover = any(sign in said for sign in server.leftovers)
        if not leftover or time.monotonic() > deadline:
            raise ServersError(
                f"{server.name} does not start. The end of {log}:\n{last_lines(said)}"
            )
        time.sleep(10 * POLL_SECONDS)
        server.prepare(folder, report)


def _answers(server: Server, folder: Folder, patience_seconds: float) -> bool:
    """Wait for an answer, as long as the process lives."""
    began = time.monotonic()
    silent_until = began + patience_seconds
    while True:
        answer = server.probe(folder, patience_seconds)
        if answer == "ready":
            return True
        now = time.monotonic()
        if answer == "starting":
            silent_until = now + patience_seconds
        gone = running_pid(server, folder) is None
        if gone or now > silent_until or now > began + LONGEST_START_SECONDS:
            return False
        time.sleep(POLL_SECONDS)
