"""`freiplatz import`: a list of homes from a file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from providers.imports.errors import MappingNeeded
from providers.imports.files import provider_of_file, read_table
from providers.imports.intake import Intake
from providers.imports.mapping import Mapping, complete_mapping, load_mapping, render
from providers.imports.report import ImportReport
from providers.imports.tables import Table
from vacancies.config import load_settings
from vacancies.deployment import open_deployment

_SHOWN = 20


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--provider", help="Who runs the homes of rows that name nobody; made if new.")
@click.option("--mapping", help="A mapping file, or field=column,field=column.")
@click.option("--crs", help="The system of coordinates that are not degrees, as EPSG:25832.")
@click.option("--show-mapping", is_flag=True, help="Print the mapping as a file, and stop.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_command(
    file: Path,
    provider: str | None,
    mapping: str | None,
    crs: str | None,
    show_mapping: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take the homes of FILE: CSV, XLSX (or XLS, ODS), JSON, GeoJSON or GML (WFS).

    Encoding, separator, sheet and the meaning of the columns are recognised, in German,
    English and French; a home needs a name, and coordinates, a postcode or a town. Running it
    again, or next year's list, changes only what has changed. Rows whose cells have shifted
    are refused. Homes that are missing from a later list are named, not deleted.

    \b
    A mapping file (JSON or TOML) says what cannot be recognised:
      {"columns":   {"name": "Heim", "capacity.short_term": "KZP"},
       "leave_out": {"Art": ["Eingliederungshilfe"]},
       "provider":  "Kreis Musterstadt",
       "crs":       "EPSG:25832"}
    """
    given = load_mapping(mapping) if mapping else None
    if crs is not None:
        given = replace(given or Mapping(), crs=crs)
    table = read_table(file.read_bytes())
    try:
        complete = complete_mapping(table, given)
    except MappingNeeded as error:
        click.echo(error.proposal)
        raise
    if show_mapping:
        click.echo(render(complete))
        return
    named = provider or (given.provider if given else None)
    report = asyncio.run(_import(table, given, named or provider_of_file(file), dry_run))
    if named is None and not complete.of("provider"):
        report.notes.append(
            f"no provider was named: {provider_of_file(file)!r}, after the file, was used"
        )
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    else:
        click.echo("\n".join(_lines(report)))


async def _import(
    table: Table, mapping: Mapping | None, provider: str, dry_run: bool
) -> ImportReport:
    async with open_deployment(
        load_settings(), report=lambda line: click.echo(line, err=True)
    ) as deployment:
        intake = Intake(
            deployment.pool,
            None if dry_run else deployment.writer,
            provider=provider,
            mapping=mapping,
        )
        with click.progressbar(
            length=len(table.rows),
            label="Importing",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        ) as bar:
            return await intake.take(table, bar.update)


def _lines(report: ImportReport) -> list[str]:
    """The report for people: every refused row, and why."""
    lines = [
        f"{report.rows} rows ({', '.join(report.notes)}):"
        + (" a dry run, nothing was changed." if report.dry_run else ""),
        f"  {report.taken:>6} taken (new homes, of {report.providers} provider(s) in the list)",
        f"  {report.changed:>6} changed",
        f"  {report.unchanged:>6} unchanged",
        f"  {report.left_out:>6} left out: not care homes",
        f"  {len(report.refused):>6} refused",
        f"  {len(report.vanished):>6} vanished: not in this list any more, and left as they are",
    ]
    reasons = sorted({entry.reason for entry in report.left_out_rows})
    for reason in reasons[:_SHOWN]:
        count = sum(entry.reason == reason for entry in report.left_out_rows)
        lines.append(f"Left out: {count} rows, where {reason}")
    lines += [f"Refused: row {r.row}, {r.field}: {r.reason}" for r in report.refused]
    lines += [f"Not in this list any more: {v.name} ({v.home_id})" for v in report.vanished]
    lines += [f"Note: {warning}" for warning in report.warnings[:_SHOWN]]
    if len(report.warnings) > _SHOWN:
        lines.append(f"Note: and {len(report.warnings) - _SHOWN} more; --json lists all.")
    return lines
