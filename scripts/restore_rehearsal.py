"""The rehearsal of a restore, see `scripts/rehearsal`.

The backup and what it is compared with are one snapshot, so this works on a service that goes on.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import click
import msgspec
from pyrage import x25519

from vacancies.backups.comparing import Comparison, compare_databases
from vacancies.backups.folder import new_backup
from vacancies.backups.making import write_backup
from vacancies.backups.opened import open_backup
from vacancies.backups.restoring import restore_backup
from vacancies.backups.tables import connect, our_tables, select_moment
from vacancies.config import Settings, load_settings
from vacancies.database import Connection
from vacancies.deployment import open_deployment
from vacancies.errors import FreiplatzError
from vacancies.servers import local_servers
from web.commands.administration import note, print_json
from web.commands.backup import database_of, progress_bar
from web.commands.demo import fill_demo
from web.commands.log import configure_log

# What the operation has to hold: docs/backup.md.
RESTORED_SECONDS = 3600  # recovery time objective (RTO)
LOST_SECONDS = 300  # recovery point objective (RPO)

# A past for a made-up region: each home has reported so many times.
_PAST = """
INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies, via)
SELECT home_id, revision, kind, observed_at - day * interval '1 day',
       reported_at - day * interval '1 day', vacancies, via
FROM report, generate_series(1, $1::integer) AS day
"""


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """`restore_seconds` is from an empty folder to a database that was compared with the backup;
    `oldest_lost_seconds`: so old can the newest lost report be, if the database is lost just before
    the next backup is done."""

    equal: bool
    epoch_renewed: bool
    tables: int
    rows: int
    differing: dict[str, int]
    backup_bytes: int
    backup_seconds: float
    restore_seconds: float
    compare_seconds: float
    every_minutes: int
    oldest_lost_seconds: float


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--homes", type=click.IntRange(1), help="Rehearse with a made-up region of so many homes."
)
@click.option(
    "--reports", type=click.IntRange(0), default=0, help="… whose homes have reported so often."
)
@click.option(
    "--every-minutes",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="How often backups are made.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def main(homes: int | None, reports: int, every_minutes: int, as_json: bool) -> None:
    """Back up the database of the settings (or, with --homes, a made-up one), restore it into
    servers of its own in a new folder, and compare every row.

    Nothing is changed, and nothing is left behind. The exit code is 1 if a row differs.
    """
    configure_log()
    try:
        done = _rehearse(homes, reports, every_minutes)
    except FreiplatzError as error:
        raise click.ClickException(error.detail) from error
    if as_json:
        print_json(done)
    else:
        _tell(done)
    sys.exit(not done.equal)


@contextmanager
def _new_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="freiplatz-rehearsal-") as name:
        Path(name).chmod(0o711)  # the account of the servers passes through
        yield Path(name)


def _rehearse(homes: int | None, reports: int, every_minutes: int) -> Rehearsal:
    with ExitStack() as stack:
        settings = load_settings()
        if homes is not None:
            place = stack.enter_context(_new_folder())
            settings = replace(settings, data_dir=place, database_url=None, redis_url=None)
            asyncio.run(_make_up(settings, homes, reports))
        database_url = stack.enter_context(database_of(settings))
        folder = stack.enter_context(_new_folder())
        return asyncio.run(_compare(database_url, settings, folder, every_minutes))


async def _make_up(settings: Settings, homes: int, reports: int) -> None:
    async with open_deployment(settings, report=note) as deployment:
        await fill_demo(deployment, homes, 1, note)
        async with connect(deployment.servers.database_url if deployment.servers else "") as one:
            await one.execute(_PAST, reports)


async def _compare(
    database_url: str, settings: Settings, folder: Path, every_minutes: int
) -> Rehearsal:
    key = x25519.Identity.generate()
    async with (
        connect(database_url) as source,
        source.transaction(isolation="repeatable_read", readonly=True),
    ):
        began = time.monotonic()
        path = await _back_up(source, settings, folder, key)
        backed_up = time.monotonic()
        with local_servers(folder / "restored", note) as servers:
            comparison, restored = await _restore(servers.database_url, source, path, key)
        compared = time.monotonic()
    backup_seconds = backed_up - began
    return Rehearsal(
        equal=comparison.is_equal,
        epoch_renewed=comparison.epoch_renewed,
        tables=comparison.tables,
        rows=comparison.rows,
        differing=comparison.differing,
        backup_bytes=path.stat().st_size,
        backup_seconds=round(backup_seconds, 2),
        restore_seconds=round(restored - backed_up, 2),
        compare_seconds=round(compared - restored, 2),
        every_minutes=every_minutes,
        # A report that came just after a snapshot waits for the next one, and until it is written.
        oldest_lost_seconds=round(60 * every_minutes + backup_seconds, 2),
    )


async def _back_up(
    source: Connection, settings: Settings, folder: Path, key: x25519.Identity
) -> Path:
    taken_at = await select_moment(source)
    with new_backup(folder, taken_at) as (path, file), progress_bar("Backup", 10**6) as bar:
        await write_backup(
            source,
            file,
            [key.to_public()],
            settings.secret_key,
            lambda share: bar.update(round(10**6 * share)),
        )
    return path


async def _restore(
    database_url: str, source: Connection, path: Path, key: x25519.Identity
) -> tuple[Comparison, float]:
    """What the comparison says, and when all was restored."""
    size = (await asyncio.to_thread(path.stat)).st_size
    with progress_bar("Reading", size) as bar:
        backup = await asyncio.to_thread(open_backup, path, [key], bar.update)
    async with connect(database_url, alone=True) as target:
        with progress_bar("Restoring", size) as bar:
            await restore_backup(target, backup, replace=False, progress=bar.update)
        restored = time.monotonic()
        with progress_bar("Comparing", len(our_tables())) as bar:
            async with target.transaction(readonly=True):
                return await compare_databases(source, target, bar.update), restored


def _tell(done: Rehearsal) -> None:
    click.echo(
        f"{done.rows:,} rows of {done.tables} tables: "
        + ("all are equal, and the epoch is a new one." if done.equal else "NOT EQUAL.")
    )
    for table, place in done.differing.items():
        click.echo(f"  {table}: row {place} differs")
    click.echo(f"backup   {done.backup_seconds:>8} s  {done.backup_bytes:,} bytes")
    click.echo(
        f"restore  {done.restore_seconds:>8} s  into new servers, and checked;"
        f" {_judged(done.restore_seconds, RESTORED_SECONDS)}"
    )
    click.echo(
        f"lost     {done.oldest_lost_seconds:>8} s  at most, with a backup every"
        f" {done.every_minutes} minutes; {_judged(done.oldest_lost_seconds, LOST_SECONDS)}"
    )


def _judged(seconds: float, most: int) -> str:
    return f"at most {most} s are wanted" if seconds <= most else f"TOO LONG: {most} s are wanted"


if __name__ == "__main__":
    main(prog_name="scripts/rehearsal")
