"""A folder of backups: how they are named, how one comes to be, which are kept."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BufferedIOBase
from pathlib import Path

from vacancies.errors import BackupError

_NAME = re.compile(r"freiplatz-([0-9]{8}T[0-9]{6}Z)\.tar\.gz\.age")
_MOMENT = "%Y%m%dT%H%M%SZ"
_UNFINISHED = ".freiplatz-*.part"


@dataclass(frozen=True, slots=True)
class StoredBackup:
    """`taken_at` is from the file's name: when the snapshot was taken."""

    path: Path
    taken_at: datetime
    bytes: int


@contextmanager
def new_backup(folder: Path, taken_at: datetime) -> Iterator[tuple[Path, BufferedIOBase]]:
    """The path that a backup will have, and a file to write it to. It gets that path once the body
    is done and all of it is on the disk; if the body raises, it is gone.

    The folder is made if need be, for its owner only. Raises `BackupError`.
    """
    path = folder / f"freiplatz-{taken_at:{_MOMENT}}.tar.gz.age"
    unfinished = folder / f".freiplatz-{taken_at:{_MOMENT}}-{os.getpid()}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_abandoned(folder)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BackupError(f"{folder} cannot be written to: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # so `_remove_abandoned` lets it be
            yield path, file
            file.flush()
            os.fsync(descriptor)
            unfinished.replace(path)
        _sync(folder)
    except OSError as error:
        raise BackupError(f"The backup cannot be written: {error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _remove_abandoned(folder: Path) -> None:
    """What was left by somebody who was killed: nobody holds it any more."""
    for path in folder.glob(_UNFINISHED):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stored_backups(folder: Path) -> list[StoredBackup]:
    """Whole backups in a folder, newest first; by their names, none is opened."""
    found = []
    for path in folder.glob("freiplatz-*.age"):
        if name := _NAME.fullmatch(path.name):
            taken_at = datetime.strptime(name[1], _MOMENT).replace(tzinfo=UTC)
            found.append(StoredBackup(path, taken_at, path.stat().st_size))
    return sorted(found, key=lambda backup: backup.taken_at, reverse=True)


def remove_old(
    folder: Path, now: datetime, *, newest: int, days: int
) -> tuple[list[StoredBackup], list[StoredBackup]]:
    """Keep the `newest` backups, and of each of the last `days` days (UTC) the newest one; delete
    the others. Returns what was kept and what was deleted."""
    backups = stored_backups(folder)
    of_days: dict[object, StoredBackup] = {}
    for backup in backups:
        of_days.setdefault(backup.taken_at.date(), backup)
    first = (now - timedelta(days=days - 1)).date()
    kept = [
        backup
        for place, backup in enumerate(backups)
        if place < newest
        or (backup.taken_at.date() >= first and of_days[backup.taken_at.date()] is backup)
    ]
    removed = [backup for backup in backups if backup not in kept]
    for backup in removed:
        backup.path.unlink(missing_ok=True)
    return kept, removed
