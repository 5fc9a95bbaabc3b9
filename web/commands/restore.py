"""`freiplatz restore`: a backup back into a database, or only to see whether it could be."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
import msgspec

from vacancies.backups.folder import stored_backups
from vacancies.backups.keys import read_key_file
from vacancies.backups.manifest import secret_mark
from vacancies.backups.opened import OpenedBackup, open_backup
from vacancies.backups.restoring import restore_backup
from vacancies.backups.tables import connect
from vacancies.config import Settings, load_settings
from vacancies.errors import BackupError
from vacancies.servers import local_servers
from web.commands.administration import note, print_json
from web.commands.backup import database_of, progress_bar
from web.commands.log import configure_log


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """`migrated` newer migrations ran; `secret_fits` is whether FREIPLATZ_SECRET_KEY is the one of
    the backup; `checked_only`: it was restored beside, and thrown away."""

    file: str
    taken_at: datetime
    revision: int
    tables: int
    rows: int
    migrated: int
    secret_fits: bool
    checked_only: bool
    seconds: float


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The secret key for it.  [default: FREIPLATZ_BACKUP_KEY_FILE]",
)
@click.option("--replace", is_flag=True, help="Delete the data that the database holds.")
@click.option(
    "--check", is_flag=True, help="Only try: restore into a database that is then thrown away."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def restore(file: Path, key_file: Path | None, replace: bool, check: bool, as_json: bool) -> None:
    """Restore FILE, a backup, or the newest one in a folder: all of it, or nothing.

    It is read to its end and checked before anything is changed, and every table is compared with
    it before that is final. Viewers then get everything anew.
    """
    began = time.monotonic()
    configure_log()
    settings = load_settings()
    path = _newest(file) if file.is_dir() else file
    wanted = key_file or settings.backups.key_file
    if wanted is None:
        raise BackupError("Which key opens it? Add --key-file or set FREIPLATZ_BACKUP_KEY_FILE.")
    with progress_bar("Reading", path.stat().st_size) as bar:
        backup = open_backup(path, read_key_file(wanted), bar.update)
    with _place(settings, check) as database_url:
        migrated, secret = asyncio.run(_restore(database_url, backup, replace or check))
    fits = secret_mark(settings.secret_key or secret) == backup.manifest.secret
    restored = Restored(
        file=str(path),
        taken_at=backup.manifest.taken_at,
        revision=backup.manifest.revision,
        tables=len(backup.contents.tables),
        rows=backup.contents.rows,
        migrated=migrated,
        secret_fits=fits,
        checked_only=check,
        seconds=round(time.monotonic() - began, 2),
    )
    _tell(restored, as_json)


def _newest(folder: Path) -> Path:
    found = stored_backups(folder)
    if not found:
        raise BackupError(f"There is no backup in {folder}.")
    return found[0].path


@contextmanager
def _place(settings: Settings, check: bool) -> Iterator[str]:
    if not check:
        with database_of(settings) as database_url:
            yield database_url
        return
    # Readable for the account that the servers have (`servers/folder.py` closes it again).
    with tempfile.TemporaryDirectory(prefix="freiplatz-check-") as name:
        Path(name).chmod(0o711)
        with local_servers(Path(name), note) as servers:
            yield servers.database_url


async def _restore(database_url: str, backup: OpenedBackup, replace: bool) -> tuple[int, str]:
    """How many newer migrations ran, and the secret key in the database."""
    size = backup.path.stat().st_size
    async with connect(database_url, alone=True) as connection:
        with progress_bar("Restoring", size) as bar:
            migrated = await restore_backup(
                connection, backup, replace=replace, progress=bar.update
            )
        return migrated, await connection.fetchval("SELECT secret FROM deployment")


def _tell(restored: Restored, as_json: bool) -> None:
    if not restored.secret_fits:
        note(
            "Attention: FREIPLATZ_SECRET_KEY is another than when the backup was made. Without the"
            " old one alerts cannot be opened, and links and signatures of webhooks do not hold:"
            " set it before you serve."
        )
    if as_json:
        print_json(restored)
        return
    done = "can be restored" if restored.checked_only else "is restored"
    click.echo(
        f"{restored.file} {done}: {restored.rows:,} rows of {restored.tables} tables as of"
        f" {restored.taken_at:%Y-%m-%d %H:%M:%S} UTC, revision {restored.revision},"
        f" {restored.seconds} s"
    )
