"""`freiplatz portal`: files of other portals from which reports are taken in."""

from __future__ import annotations

import re
import sys

import click

from providers.portals.files import State, delete_file, insert_file, select_files
from providers.portals.pulling import Puller
from providers.preconditions import PORTAL_NAME
from vacancies.deployment import Deployment
from vacancies.outbound import outbound_of
from vacancies.provider import select_provider
from web.commands.administration import print_json, run_in_deployment

_EVERY = re.compile(r"([0-9]{1,4})([mh])")
_MOST_MINUTES = 1440


class Every(click.ParamType[int]):
    """`15m` or `2h`, as minutes."""

    name = "time"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        found = _EVERY.fullmatch(str(value))
        minutes = int(found[1]) * (60 if found[2] == "h" else 1) if found else 0
        if not 1 <= minutes <= _MOST_MINUTES:
            self.fail("Say it as 15m or 2h, from 1m to 24h.", param, ctx)
        return minutes


@click.group()
def portal() -> None:
    """Portals that offer reports of our homes as a file (see docs/portals.md)."""


@portal.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--provider", required=True, help="For whose homes it may report.")
@click.option("--every", type=Every(), default="15m", show_default=True, help="How often to look.")
def add_command(name: str, url: str, provider: str, every: int) -> None:
    """Take in reports from the file at URL (CSV, XLSX or JSON); NAME stands in the history."""
    if not re.fullmatch(PORTAL_NAME, name):
        raise click.UsageError(
            "NAME has 1 to 80 letters, digits, blanks and the signs . _ : - of ASCII."
        )

    async def work(deployment: Deployment) -> bool:
        address = str(outbound_of(deployment.settings).check(url, field="URL"))
        owner = await select_provider(deployment.pool, provider)
        if owner is None:
            raise click.ClickException(f"There is no provider {provider!r}.")
        return await insert_file(deployment.pool, name, owner.id, address, every)

    if not run_in_deployment(work):
        raise click.ClickException(f"There is a portal {name!r} already.")
    click.echo(f"{name} is looked at every {every} min while `freiplatz serve` runs.")


@portal.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_command(as_json: bool) -> None:
    """All files, and how it goes. Addresses are shown without what may be secret in them."""
    found = run_in_deployment(lambda deployment: select_files(deployment.pool))
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(_line(each))


def _line(each: State) -> str:
    looked = f"{each.pulled_at:%Y-%m-%d %H:%M} UTC" if each.pulled_at else "never"
    refused = f", {each.refused} refused ({each.refused_why})" if each.refused else ""
    trouble = f"; FAILED: {each.trouble}" if each.trouble else ""
    return (
        f"{each.name}: {each.url} for {each.provider}, every {each.every_minutes} min;"
        f" read {looked}, homes: {each.homes}{refused}{trouble}"
    )


@portal.command("pull")
@click.argument("name")
def pull_command(name: str) -> None:
    """Fetch the file of NAME now; fails if that does, or if a home was refused."""

    async def work(deployment: Deployment) -> State:
        async with outbound_of(deployment.settings) as outbound:
            done = await Puller(deployment.pool, deployment.writer, outbound).pull(name)
        found = {each.name: each for each in await select_files(deployment.pool)}
        if name not in found:
            raise click.ClickException(f"There is no portal {name!r}.")
        if done is None:
            raise click.ClickException(f"{name} is being fetched by another process just now.")
        return found[name]

    found = run_in_deployment(work)
    click.echo(_line(found))
    if found.trouble or found.refused:
        sys.exit(1)


@portal.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Look at the file of NAME no more. What was reported stays."""
    if not run_in_deployment(lambda deployment: delete_file(deployment.pool, name)):
        raise click.ClickException(f"There is no portal {name!r}.")
    click.echo(f"{name} is removed.")
