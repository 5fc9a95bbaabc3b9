"""Where the servers live: one private folder, and the account that they run as.

    <data folder>/servers/            closed to everybody but us and the servers
        start.lock users.lock         who starts, and who uses them (see `__init__.py`)
        postgres.lock valkey.lock     held by the running server itself
        postgres.log valkey.log       bounded, the older half as `.log.1`
        postgres/ sockets/            belong to the account of the servers

Neither server asks for a password: whoever reaches a socket is let in. That is safe because
only the owner of this folder can reach the sockets in it. For an ordinary user that is mode
0700 and the same account on both sides. PostgreSQL refuses to run as root, so there the
servers run as `nobody`, whom other programs use too. Therefore they get a group id that no
other process has, and the folder is open to root and to that group alone (0710): the servers
pass by their group, root's Python by being root, other processes of `nobody` not at all.
"""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vacancies.errors import FreiplatzError

# An address of a Unix socket has 108 bytes on Linux, 104 on macOS, with a closing zero.
LONGEST_SOCKET_PATH_BYTES = 103
LONGEST_SOCKET_NAME_BYTES = len("/.s.PGSQL.5432")

# Between the ranges that Debian and systemd hand out to users, services and containers.
UNUSED_GROUP_IDS = range(60_700, 61_100)


class ServersError(FreiplatzError):
    """The data folder's own servers cannot be started or stopped; says what to do."""

    code = "servers"


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the servers run as, where that is not whoever calls us."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of the servers, absolute and without symbolic links.

    `sockets` lies elsewhere if its path is none that a socket can have. `start_lock` is the
    open `start.lock`, for whoever holds it.
    """

    path: Path
    sockets: Path
    account: Account | None
    start_lock: int | None = None


def open_folder(data_dir: Path) -> Folder:
    """Make or mend the private folder below `data_dir`; safe to call at any time.

    Never changes a folder that is not our own. Raises `ServersError` if `servers` belongs
    to another user, and if root finds no account for the servers.
    """
    account = _server_account() if os.geteuid() == 0 else None
    try:
        # 0711: the servers of root pass through without being able to look around.
        data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
        path = data_dir.resolve() / "servers"
        _close(path, account)
        return Folder(path, _socket_folder(path, account), account)
    except OSError as error:
        raise ServersError(
            f"The data folder {data_dir} cannot be used ({error.strerror}: {error.filename}). "
            "Set FREIPLATZ_DATA_DIR to a folder that you may write to."
        ) from error


def owned_folder(path: Path, account: Account | None) -> None:
    """Make `path`, which lies in a folder closed by `_close`, for the servers alone."""
    path.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    path.chmod(0o700)


def _server_account() -> Account:
    try:
        uid = pwd.getpwnam("nobody").pw_uid
    except KeyError:
        raise ServersError(
            "PostgreSQL does not run as root, and this machine has no user named nobody to run "
            "it as. Run this command as an ordinary user."
        ) from None
    for gid in UNUSED_GROUP_IDS:
        try:
            grp.getgrgid(gid)
        except KeyError:
            return Account(uid, gid)
    raise ServersError(
        f"All group ids from {UNUSED_GROUP_IDS.start} to {UNUSED_GROUP_IDS.stop - 1} are taken, "
        "and the servers need one of their own. Run this command as an ordinary user."
    )


def _close(path: Path, account: Account | None) -> None:
    """Make `path`, or check that it is ours, and shut everybody else out."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ServersError(
            f"{path} belongs to {_name(found.st_uid)}, and you are {_name(os.geteuid())}. Run "
            "this command as that user, or set FREIPLATZ_DATA_DIR to another folder."
        )
    if account is not None and found.st_gid != account.gid:
        os.chown(path, -1, account.gid)
    mode = 0o700 if account is None else 0o710
    if stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)


def _name(uid: int) -> str:
    try:
        return f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user number {uid}"


def _socket_folder(path: Path, account: Account | None) -> Path:
    """`sockets` beside the data, or a short path below the temporary folder.

    The short one has a random name that nobody can take before us; it is kept in a file, so
    that every process finds the same one, and made again under that name when a clean-up of
    the temporary folder took it away: addresses that were handed out stay true.
    """
    sockets = path / "sockets"
    if _fits(sockets):
        owned_folder(sockets, account)
        return sockets
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)  # two processes must not choose two folders
        return _short_folder(path / "socket-folder", account)
    finally:
        os.close(directory)


def _short_folder(record: Path, account: Account | None) -> Path:
    if record.exists():
        kept = Path(os.fsdecode(record.read_bytes()))
        try:
            _close(kept, account)
            owned_folder(kept / "s", account)
            return kept / "s"
        except (ServersError, OSError):
            pass  # Another user's now, or on a disk that is gone: take a new one.
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if _fits(Path(parent) / "freiplatz-12345678" / "s"):
            made = Path(tempfile.mkdtemp(prefix="freiplatz-", dir=parent))
            _close(made, account)
            owned_folder(made / "s", account)
            fresh = record.with_suffix(".new")
            fresh.write_bytes(os.fsencode(made))
            fresh.replace(record)
            return made / "s"
    raise ServersError("The path of the temporary folder is too long: set TMPDIR to a short one.")


def _fits(sockets: Path) -> bool:
    # In an address for asyncpg a comma separates hosts, however it is written.
    length = len(os.fsencode(sockets)) + LONGEST_SOCKET_NAME_BYTES
    return length <= LONGEST_SOCKET_PATH_BYTES and "," not in str(sockets)
