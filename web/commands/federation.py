"""`freiplatz federation`: other deployments whose homes are shown here too."""

from __future__ import annotations

import re
import sys
from typing import Any

import click
from msgspec.structs import asdict
from yarl import URL

from providers.federation.addresses import is_loopback, neighbour_address
from providers.federation.following import SILENT_SECONDS
from providers.federation.introduction import Collection, Terms, introduce
from providers.federation.neighbours import (
    State,
    record_neighbour,
    record_removal,
    select_left,
    select_states,
)
from vacancies.database import select_epoch
from vacancies.deployment import Deployment
from vacancies.foreign import Depart
from vacancies.outbound import Outbound, outbound_of
from vacancies.provider import slug_of
from web.commands.administration import print_json, run_in_deployment

SLUG_LENGTH = 40
AT_ONCE = 500


@click.group()
def federation() -> None:
    """Neighbours: other deployments of Freiplatz whose homes are shown here too."""


@federation.command("add")
@click.argument("url")
@click.option("--name", help="What readers see it called, and what ids of its homes begin with.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def federation_add(url: str, name: str | None, as_json: bool) -> None:
    """Follow the deployment at URL: its homes are shown here, marked with where they are from."""

    async def work(deployment: Deployment) -> tuple[str, str, Collection, Terms]:
        outbound = outbound_of(deployment.settings)
        address = neighbour_address(url, outbound)
        if is_loopback(address):
            outbound = Outbound(allow_loopback=True)
        async with outbound:
            found, terms = await introduce(outbound, address)
        if found.epoch == await select_epoch(deployment.pool):
            raise click.ClickException(f"{address} is this deployment itself.")
        label = " ".join((name or _host(address)).split())[:100]
        slug = slug_of(label)[:SLUG_LENGTH].strip("-")
        if not await record_neighbour(
            deployment.pool, slug, label, address, terms.licence, terms.attribution
        ):
            raise click.ClickException(
                f"A neighbour {slug!r}, or one at {address}, is followed already."
                " `freiplatz federation list` shows all; --name gives it another name."
            )
        return slug, address, found, terms

    slug, address, found, terms = run_in_deployment(work)
    if as_json:
        print_json({"slug": slug, "url": address, "homes": found.total, **asdict(terms)})
        return
    click.echo(f"{slug} is followed from now on: {address}, {_homes(found.total)}.")
    if terms.licence or terms.attribution:
        click.echo(f"Its data: {' '.join(filter(None, (terms.attribution, terms.licence)))}")
    click.echo("They appear within seconds while `freiplatz serve` runs.")


def _host(address: str) -> str:
    url = URL(address)
    host = re.sub(r"^www\.", "", url.host or "")
    return host if url.is_default_port() else f"{host}:{url.port}"


def _homes(count: int) -> str:
    return "1 home" if count == 1 else f"{count} homes"


@federation.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def federation_list(as_json: bool) -> None:
    """All neighbours: how many of their homes are shown, and when they were last heard."""
    found = run_in_deployment(lambda deployment: select_states(deployment.pool))
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    for each in found:
        click.echo("\n".join(_lines(each)))
    if not found:
        click.echo("Nobody is followed yet: freiplatz federation add https://…")


def _as_json(each: State) -> dict[str, Any]:
    return {**asdict(each), "is_silent": _is_silent(each)}


def _is_silent(each: State) -> bool:
    return each.silent_seconds is None or each.silent_seconds > SILENT_SECONDS


def _lines(each: State) -> list[str]:
    heard = (
        "never heard"
        if each.heard_at is None
        else f"last heard {each.heard_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    lines = [f"{each.slug}  {each.name} ({each.url})", f"    {_homes(each.homes)} shown, {heard}"]
    if each.duplicates:
        lines.append(f"    {_homes(each.duplicates)} not shown: they are ours too")
    if each.trouble:
        lines.append(f"    Trouble: {each.trouble}")
    if each.refused:
        lines.append(f"    {each.refused} messages left out, the last because: {each.refused_why}")
    return lines


@federation.command("check")
def federation_check() -> None:
    """For monitoring: says which neighbours are not heard, and ends with 1 if there is one."""
    found = run_in_deployment(lambda deployment: select_states(deployment.pool))
    silent = [each for each in found if _is_silent(each)]
    for each in silent:
        click.echo("\n".join(_lines(each)))
    if silent:
        sys.exit(1)
    click.echo(f"All are heard: {len(found)}.")


@federation.command("remove")
@click.argument("slug", metavar="NAME")
@click.option("--yes", is_flag=True, help="Do not ask.")
def federation_remove(slug: str, yes: bool) -> None:
    """Follow NAME no more. Its homes are gone from here at once."""

    async def work(deployment: Deployment) -> int:
        if not yes:
            click.confirm(f"The homes of {slug} are to go?", abort=True, err=True)
        await record_removal(deployment.pool, slug)
        gone = 0
        while left := await select_left(deployment.pool, AT_ONCE):
            await deployment.writer.submit([Depart(home_id=home_id) for home_id in left])
            gone += len(left)
        return gone

    click.echo(f"{_homes(run_in_deployment(work))} of {slug} are gone.")
