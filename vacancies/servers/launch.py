"""Becomes a server: gives up root, leaves the terminal, takes the server's lock, runs it.

This file is run as a script, by its path, in a process of its own (`process.py` calls it):
what it does between fork and exec would not be safe in a process with threads, such as
the web server. It imports nothing but the standard library. Its one argument is a `Launch`
as JSON. It exits with 0 once a detached program runs, with 126 and a line on standard error
if it could not be run; a program that is not detached takes over this process.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import sys
from typing import TypedDict

FAILED = 126

PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522


class Launch(TypedDict):
    """What to run and as whom.

    The program must be able to reach all `folders`, and begins in the last one. `uid` and `gid`
    are None to stay who we are; `capabilities` are the numbers of the Linux capabilities to
    keep after that. `lock` and `log` are paths, given for a program that is to be detached.
    `start_lock` is an inherited descriptor: if our caller is killed, the next one waits until
    the server runs, or until a program that is not detached has ended.
    """

    command: list[str]
    environment: dict[str, str]
    folders: list[str]
    uid: int | None
    gid: int | None
    capabilities: list[int]
    lock: str | None
    log: str | None
    start_lock: int | None


def main(launch: Launch) -> None:
    """Run the program; detached if it has a lock. Raises OSError."""
    if launch["lock"] is None:
        _become(launch)
        os.execve(launch["command"][0], launch["command"], launch["environment"])
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        try:
            _detach(launch)
            _become(launch)
            # The pipe is close-on-exec: its end tells the parent that the server runs.
            os.execve(launch["command"][0], launch["command"], launch["environment"])
        except (OSError, ValueError) as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(FAILED)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8", errors="replace") as answer:
        problem = answer.read()
    if problem:
        raise OSError(problem)


def _detach(launch: Launch) -> None:
    """Leave the terminal (Ctrl-C there is not for the server), open the log, take the lock.

    The lock is a POSIX record lock. It belongs to this process, stays with it over `exec`,
    and the kernel drops it when the process dies, however it dies. So "which process is
    the server" has one answer that is never stale, unlike a number in a file. Files are
    opened while we are still who we were: the server's account cannot reach them by name.
    """
    assert launch["lock"] is not None
    assert launch["log"] is not None
    os.setsid()
    safe = os.O_CLOEXEC | os.O_NOFOLLOW
    log = os.open(launch["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | safe, 0o600)
    silence = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    for target, source in ((0, silence), (1, log), (2, log)):
        os.dup2(source, target, inheritable=True)
    lock = os.open(launch["lock"], os.O_RDWR | os.O_CREAT | safe, 0o600)
    fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.set_inheritable(lock, True)
    if launch["start_lock"] is not None:
        os.set_inheritable(launch["start_lock"], False)


def _become(launch: Launch) -> None:
    os.umask(0o077)
    if launch["uid"] is not None and launch["gid"] is not None:
        if launch["capabilities"]:
            # Keeps the capabilities when the user changes, and makes access(2) honour them: by
            # that call PostgreSQL's programs look for one another, as the real user otherwise.
            _call("prctl", PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        os.setgroups([])
        os.setresgid(launch["gid"], launch["gid"], launch["gid"])
        os.setresuid(launch["uid"], launch["uid"], launch["uid"])
        if launch["capabilities"]:
            _keep(launch["capabilities"])
    for folder in launch["folders"]:
        os.chdir(folder)  # or say which folder this account does not reach


def _keep(capabilities: list[int]) -> None:
    """Keep these capabilities, and no others, over `exec` as an ordinary user (Linux 4.3)."""
    bits = sum(1 << number for number in capabilities)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # Effective, permitted, inheritable; then the same for capabilities 32 and up.
    _call("capset", header, (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0))
    for number in capabilities:
        _call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0)


def _call(name: str, *arguments: object) -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    values = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if function(*values) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except OSError as failure:
        print(failure, file=sys.stderr)
        sys.exit(FAILED)
