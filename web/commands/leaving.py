"""`freiplatz municipality export` and `remove`: leaving, with or without the homes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from msgspec import to_builtins

from providers.leaving import leave, record_departure, record_export, select_departure
from providers.municipality_export import Manifest, write_export
from vacancies.assignment import release
from vacancies.deployment import Deployment
from vacancies.municipalities import delete_municipality, select_municipality
from web.commands.administration import note, print_json, run_in_deployment
from web.commands.municipality import assign_all, homes_in_words, municipality, municipality_key


@municipality.command("export")
@click.argument("key", callback=municipality_key)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def municipality_export(key: str, file: Path, as_json: bool) -> None:
    """Write everything that KEY has here into FILE, a ZIP with a README.txt.

    It holds personal data. FILE is there once all of it is written.
    """
    manifest = run_in_deployment(lambda deployment: _export(deployment, key, file))
    if as_json:
        print_json(to_builtins(manifest))
        return
    rows = sum(entry.rows for entry in manifest.files)
    homes = homes_in_words(manifest.homes)
    click.echo(f"{file}: {manifest.name}, {homes}, {rows:,} rows, {file.stat().st_size:,} bytes")


async def _export(deployment: Deployment, key: str, file: Path) -> Manifest:
    await select_municipality(deployment.pool, key)
    unfinished = file.with_name(f".{file.name}.part")
    homes = await deployment.pool.fetchval(
        "SELECT count(*) FROM care_home WHERE starts_with(municipality, $1)", key
    )
    try:
        # For nobody else on this machine: it is full of people.
        with (
            os.fdopen(
                os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as out,
            click.progressbar(
                length=homes, label="Homes", file=sys.stderr, hidden=not sys.stderr.isatty()
            ) as bar,
        ):
            manifest = await write_export(deployment.desks, key, out, bar.update)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    await record_export(deployment.pool, key)
    return manifest


@municipality.command("remove")
@click.argument("key", callback=municipality_key)
@click.option("--delete-homes", is_flag=True, help="Delete its homes and all data too, for good.")
@click.option("--without-export", is_flag=True, help="Also if no export was made today.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def municipality_remove(key: str, delete_homes: bool, without_export: bool, yes: bool) -> None:
    """End the part of KEY. Its homes stay, and belong to the area around it or to nobody.

    With --delete-homes they are closed, and what was reported, who reported and who worked at the
    desk is deleted. Interrupted? Run it again; a running service goes on by itself.
    """
    if delete_homes:
        gone = run_in_deployment(lambda it: _delete(it, key, without_export, yes))
        click.echo(f"Deleted: {homes_in_words(gone)}. Their ids and positions stay, as closed.")
        return

    async def work(deployment: Deployment) -> int:
        each = await select_municipality(deployment.pool, key)
        if not yes:
            homes = homes_in_words(each.homes)
            click.confirm(f"{each.name} ({homes}) is to leave?", abort=True, err=True)
        await release(deployment.pool, deployment.writer, key)
        async with deployment.pool.acquire() as connection:
            await delete_municipality(connection, key)
        return await assign_all(deployment)

    click.echo(f"Assigned anew: {homes_in_words(run_in_deployment(work))}.")


async def _delete(deployment: Deployment, key: str, without_export: bool, yes: bool) -> int:
    each = await select_municipality(deployment.pool, key)
    departure = await select_departure(deployment.pool, key)
    if not (departure.has_export or departure.asked_at or without_export):
        raise click.ClickException(
            f"No export of {each.name} was made in the last 24 hours: freiplatz municipality export"
            f" {key} FILE.zip. Or add --without-export."
        )
    if not yes:
        homes = homes_in_words(each.homes)
        note(f"{each.name}: {homes} and all that belongs to them are deleted for good.")
        if click.prompt(f"To confirm, type {each.name}", err=True) != each.name:
            raise click.Abort
    await record_departure(deployment.pool, key, None)
    with click.progressbar(
        length=each.homes, label="Homes", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        gone = await leave(deployment.pool, deployment.writer, key, bar.update)
    await assign_all(deployment)
    return gone
