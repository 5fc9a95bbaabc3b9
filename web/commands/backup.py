"""`freiplatz backup`: everything in one encrypted file, now or again and again."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
from pyrage import x25519

from vacancies.backups.folder import StoredBackup, new_backup, remove_old, stored_backups
from vacancies.backups.keys import make_key_file, new_key, read_key_file
from vacancies.backups.making import write_backup
from vacancies.backups.tables import connect, select_moment
from vacancies.config import Settings, load_settings
from vacancies.errors import BackupError, FreiplatzError
from vacancies.servers import local_servers
from web.commands.administration import note, print_json
from web.commands.log import configure_log

folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where backups lie.  [default: FREIPLATZ_BACKUP_DIR, else backups in the data folder]",
)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    bytes: int
    taken_at: datetime
    revision: int
    tables: int
    rows: int
    seconds: float
    removed: list[str]


@click.group(invoke_without_command=True)
@folder_option
@click.option("--keep", type=click.IntRange(1), help="Keep so many, and delete older ones.")
@click.option(
    "--keep-days",
    type=click.IntRange(1),
    help="Keep the newest of each of the last so many days, and delete older ones.",
)
@click.option(
    "--every-minutes", type=click.IntRange(1), help="Go on until stopped, so often.", metavar="N"
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_context
def backup(
    context: click.Context,
    folder: Path | None,
    keep: int | None,
    keep_days: int | None,
    every_minutes: int | None,
    as_json: bool,
) -> None:
    """Write all that is in the database into one encrypted file, while it is served.

    Only the owners of the keys in FREIPLATZ_BACKUP_RECIPIENTS (or of the one in
    FREIPLATZ_BACKUP_KEY_FILE) can open it: `freiplatz restore`. Both --keep and --keep-days given,
    a backup is kept if one of them says so.
    """
    if context.invoked_subcommand is not None:
        return
    configure_log()
    settings = load_settings()
    recipients = _recipients(settings)
    if every_minutes is not None:
        # Also as the first process of a container, which nothing ends that it does not know of.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        began = time.monotonic()
        try:
            made = _make(settings, _folder(settings, folder), recipients, keep, keep_days)
            _tell(made, as_json)
        except FreiplatzError as error:
            if every_minutes is None:
                raise
            # The database may be restarting: the next turn tries again.
            note(f"Error: {error.detail}")
        if every_minutes is None:
            return
        time.sleep(max(0.0, began + 60 * every_minutes - time.monotonic()))


def _folder(settings: Settings, given: Path | None) -> Path:
    return given or settings.backup_folder


def _recipients(settings: Settings) -> list[x25519.Recipient]:
    if settings.backups.recipients:
        return [x25519.Recipient.from_str(text) for text in settings.backups.recipients]
    if settings.backups.key_file:
        return [key.to_public() for key in read_key_file(settings.backups.key_file)]
    raise BackupError(
        "Nobody could open the backup: there is no key. `freiplatz backup key FILE` makes one; set"
        " FREIPLATZ_BACKUP_RECIPIENTS to what it prints, and put FILE away from this machine."
    )


@contextmanager
def database_of(settings: Settings) -> Iterator[str]:
    """The address of the database that was given by setting, or of the data folder's own."""
    if settings.database_url:
        yield settings.database_url
        return
    with local_servers(settings.data_dir, note) as servers:
        yield servers.database_url


@contextmanager
def progress_bar(label: str, length: int) -> Iterator[Any]:
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=length, label=label, file=sys.stderr, hidden=hidden) as bar:
        yield bar


def _make(
    settings: Settings,
    folder: Path,
    recipients: list[x25519.Recipient],
    keep: int | None,
    keep_days: int | None,
) -> Made:
    async def run(database_url: str) -> Made:
        began = time.monotonic()
        async with (
            connect(database_url) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            taken_at = await select_moment(connection)
            with new_backup(folder, taken_at) as (path, file), progress_bar("Tables", 10**6) as bar:
                manifest, contents = await write_backup(
                    connection,
                    file,
                    recipients,
                    settings.secret_key,
                    lambda share: bar.update(round(10**6 * share)),
                )
        removed: list[StoredBackup] = []
        if keep or keep_days:
            _, removed = remove_old(folder, taken_at, newest=keep or 0, days=keep_days or 0)
        return Made(
            file=str(path),
            bytes=path.stat().st_size,
            taken_at=manifest.taken_at,
            revision=manifest.revision,
            tables=len(contents.tables),
            rows=contents.rows,
            seconds=round(time.monotonic() - began, 2),
            removed=[str(old.path) for old in removed],
        )

    with database_of(settings) as database_url:
        return asyncio.run(run(database_url))


def _tell(made: Made, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    click.echo(
        f"{made.file}: {made.rows:,} rows of {made.tables} tables, {made.bytes:,} bytes,"
        f" {made.seconds} s"
    )
    if made.removed:
        note(f"{len(made.removed)} older backup(s) deleted.")


@backup.command("list")
@folder_option
@click.option(
    "--max-age-minutes",
    type=click.IntRange(1),
    help="Exit with 1 if the newest is older, for whoever watches over this.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_command(folder: Path | None, max_age_minutes: int | None, as_json: bool) -> None:
    """The backups that are there, newest first."""
    place = _folder(load_settings(), folder)
    found = stored_backups(place)
    if as_json:
        print_json([{"file": str(b.path), "taken_at": b.taken_at, "bytes": b.bytes} for b in found])
    else:
        for each in found:
            click.echo(f"{each.taken_at:%Y-%m-%d %H:%M:%S} UTC  {each.bytes:>14,}  {each.path}")
    if max_age_minutes is None:
        return
    if not found:
        raise click.ClickException(f"There is no backup in {place}.")
    age = datetime.now(UTC) - found[0].taken_at
    if age > timedelta(minutes=max_age_minutes):
        raise click.ClickException(
            f"The newest backup is {age // timedelta(minutes=1)} minutes old: see what"
            " `freiplatz backup` says."
        )


@backup.command("key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def key_command(file: Path | None) -> None:
    """Write a new secret key into FILE, and print the public one, for FREIPLATZ_BACKUP_RECIPIENTS.

    Without FILE the secret key is printed, and the public one on standard error. Without the secret
    key no backup can be opened: keep it in two places, and not on the machine they are of.
    """
    if file is None:
        recipient, content = new_key()
        click.echo(content, nl=False)
        note(f"Public key: {recipient}")
        return
    click.echo(make_key_file(file))
    note(f"The secret key is in {file}. Keep it in two places away from this machine.")
