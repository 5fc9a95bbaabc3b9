"""`freiplatz archive`: the open data of each day, as they were."""

from __future__ import annotations

from datetime import date, datetime

import click

from vacancies.board import Board
from vacancies.deployment import Deployment
from vacancies.feed import Follower
from web.commands.administration import print_json, run_in_deployment
from web.opendata.archive import (
    ArchivedDay,
    delete_day,
    missing_days,
    select_days,
)
from web.opendata.archiving import Archiver, region_day, select_now
from web.opendata.terms import terms_of


@click.group()
def archive() -> None:
    """The open data of each day. `serve` keeps them once a day by itself."""


@archive.command("make")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def make_command(as_json: bool) -> None:
    """Keep the files of today now, if they are not there yet."""

    async def work(deployment: Deployment) -> ArchivedDay | None:
        board, settings = Board(), deployment.settings
        follower = Follower(deployment.pool, deployment.redis, board)
        terms = terms_of(settings, is_demo=await deployment.is_demo())
        years = settings.open_data.archive_years
        if not years:
            raise click.ClickException("FREIPLATZ_OPEN_DATA_ARCHIVE_YEARS is 0: nothing is kept.")
        await follower.catch_up()
        if not len(board):
            raise click.ClickException("There are no homes yet: there is nothing to keep.")
        return await Archiver(deployment.pool, board, follower, terms, years).make_if_due()

    made = run_in_deployment(work)
    if as_json:
        print_json(made)
    else:
        click.echo("Today is there already." if made is None else _line(made))


@archive.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_command(as_json: bool) -> None:
    """The days that are kept, and those that are missing, newest first."""

    async def work(deployment: Deployment) -> tuple[list[ArchivedDay], list[date]]:
        days = await select_days(deployment.pool)
        today = region_day(await select_now(deployment.pool))
        return days, missing_days((day.day for day in days), today)

    days, missing = run_in_deployment(work)
    if as_json:
        print_json({"days": days, "missing": missing})
        return
    for day in days:
        click.echo(_line(day))
    for absent in missing:
        click.echo(f"{absent}  missing")


@archive.command("remove")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
def remove_command(day: datetime) -> None:
    """Take the files of DAY (2026-11-27) away for good; the day is named as missing then."""
    if not run_in_deployment(lambda deployment: delete_day(deployment.pool, day.date())):
        raise click.ClickException(f"There is nothing of {day.date()}.")
    click.echo(f"The files of {day.date()} are removed.")


def _line(day: ArchivedDay) -> str:
    sizes = ", ".join(f"{file.format} {file.size:,} bytes" for file in day.files)
    return f"{day.day}  {day.homes:>6} homes  {sizes}"
