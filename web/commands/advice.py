"""`freiplatz advice`: offices that advise on care (Pflegestützpunkte), from a list."""

from __future__ import annotations

import re
from pathlib import Path

import click
from msgspec.structs import asdict, replace

from providers.advice_lists import AdviceReport, read_advice_offices
from providers.imports.files import read_table
from providers.imports.mapping import load_mapping
from vacancies.advice import (
    AdviceOffice,
    delete_advice_offices,
    select_advice_offices,
    upsert_advice_offices,
)
from vacancies.deployment import Deployment
from web.commands.administration import print_json, run_in_deployment


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_context
def advice(context: click.Context, as_json: bool) -> None:
    """The offices that people are sent to when no place is found; `import` takes a list."""
    if context.invoked_subcommand is not None:
        return
    offices = run_in_deployment(lambda deployment: select_advice_offices(deployment.pool))
    if as_json:
        print_json([asdict(office) for office in offices])
        return
    for office in offices:
        click.echo(_line(office))
    if not offices:
        click.echo("There is none yet: freiplatz advice import FILE.")


def _line(office: AdviceOffice) -> str:
    town = " ".join(filter(None, (office.address.postcode, office.address.city)))
    area = f", for {office.area}" if office.area else ""
    return f"{office.id}  {office.name}, {town}, {office.contact.phone or 'no telephone'}{area}"


def _area(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9]{2,12}", value):
        raise click.BadParameter(f"{value!r} are not the first 2 to 12 digits of a key (AGS).")
    return value


@advice.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--area", callback=_area, help="First digits of the AGS that all are there for.")
@click.option("--mapping", help="A mapping file, or field=column,field=column.")
@click.option("--replace", "replaces", is_flag=True, help="Remove all that the list lacks.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def advice_import(
    file: Path,
    area: str | None,
    mapping: str | None,
    replaces: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take the offices of FILE: CSV, XLSX (or XLS, ODS), JSON, GeoJSON or GML.

    A row needs a name, and coordinates, a postcode or a town. Running it again changes what has
    changed.
    """
    report = read_advice_offices(
        read_table(file.read_bytes()), load_mapping(mapping) if mapping else None
    )
    if area is not None:
        report.offices = [replace(office, area=area) for office in report.offices]
    removed = 0 if dry_run else run_in_deployment(lambda d: _write(d, report, replaces))
    if as_json:
        print_json({**asdict(report), "removed": removed, "dry_run": dry_run})
        return
    click.echo(f"{report.rows} rows: {len(report.offices)} offices, {removed} removed.")
    for refusal in report.refused:
        click.echo(f"Refused: row {refusal.row}, {refusal.field}: {refusal.reason}")


async def _write(deployment: Deployment, report: AdviceReport, replaces: bool) -> int:
    """Returns how many were removed."""
    async with deployment.pool.acquire() as connection, connection.transaction():
        known = {office.id for office in await select_advice_offices(connection)}
        await upsert_advice_offices(connection, report.offices)
        gone = known - {office.id for office in report.offices} if replaces else set()
        return await delete_advice_offices(connection, list(gone))


@advice.command("remove")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
def advice_remove(ids: tuple[str, ...]) -> None:
    """Remove offices by their ids."""

    async def work(deployment: Deployment) -> int:
        async with deployment.pool.acquire() as connection:
            return await delete_advice_offices(connection, ids)

    removed = run_in_deployment(work)
    if removed < len(set(ids)):
        raise click.ClickException(
            f"{removed} removed; the other ids are unknown. `freiplatz advice` lists them."
        )
    click.echo(f"{removed} removed.")
