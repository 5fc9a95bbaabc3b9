"""`freiplatz municipality`: who takes part, where its area is, and which homes lie in it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import msgspec
from msgspec.structs import asdict

from vacancies.assignment import (
    AssignByHand,
    Assigner,
    select_homes_of_nobody,
)
from vacancies.boundary_files import Area, area_of, read_areas
from vacancies.deployment import Deployment
from vacancies.homes import select_homes
from vacancies.looks import record_addresses, select_look
from vacancies.municipalities import (
    Municipality,
    record_municipality,
    select_municipalities,
    select_municipality,
)
from web.app import create_app
from web.commands.administration import print_json, run_in_deployment
from web.link_mail import public_address
from web.looks import reserved
from web.origin import host_of


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an `add`: `homes` now belong to it, `moved` came there or left just now,
    `of_nobody` belong to none that takes part."""

    municipality: Municipality
    is_new: bool
    moved: int
    of_nobody: int


def municipality_key(
    context: click.Context, argument: click.Parameter, value: str | None
) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9]{2,12}", value, re.ASCII):
        raise click.BadParameter(
            f"{value!r} is no key: 8 digits for a municipality (AGS), 5 for a district (Kreis)."
        )
    return value


@click.group()
def municipality() -> None:
    """Who runs this service together: join, leave, and which homes belong to whom."""


@municipality.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def municipality_list(as_json: bool) -> None:
    """All that take part, with the number of their open homes."""
    found = run_in_deployment(lambda deployment: select_municipalities(deployment.pool))
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for each in found:
        click.echo(_line(each))
    if not found:
        click.echo("Nobody takes part yet: freiplatz municipality add KEY --from BOUNDARY.geojson")


def _line(each: Municipality) -> str:
    boundary = "" if each.has_boundary else ", without a boundary"
    land = f", {each.land}" if each.land else ""
    return f"{each.key:<8}  {each.name}{land}: {homes_in_words(each.homes)}{boundary}"


def homes_in_words(count: int) -> str:
    return "1 home" if count == 1 else f"{count} homes"


@municipality.command("add")
@click.argument("key", callback=municipality_key)
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="GeoJSON with its boundary, alone or among others.",
)
@click.option("--name", help="What it is called; else as the file says.")
@click.option("--source", help="Whose boundary that is, as its licence wants it said.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def municipality_add(
    key: str, file: Path | None, name: str | None, source: str | None, as_json: bool
) -> None:
    """Let KEY take part (8 digits of a municipality, AGS; 5 of a district, Kreis), or change it.

    With a boundary its homes are assigned by their position. Running it again with a newer
    boundary assigns them anew.
    """
    area = area_of(read_areas(file.read_bytes()), key) if file else None
    done = run_in_deployment(lambda deployment: _add(deployment, key, area, name, source))
    if as_json:
        print_json({**asdict(done), "municipality": asdict(done.municipality)})
        return
    each = done.municipality
    click.echo(_line(each))
    click.echo(f"Assigned anew: {homes_in_words(done.moved)}.")
    if not each.has_boundary:
        click.echo(
            f"Its homes are those whose providers say so: freiplatz municipality add {key}"
            " --from BOUNDARY.geojson finds them by their position."
        )
    if done.of_nobody:
        click.echo(
            f"Belonging to nobody: {homes_in_words(done.of_nobody)}. To list them:"
            " freiplatz municipality unassigned"
        )


async def _add(
    deployment: Deployment, key: str, area: Area | None, name: str | None, source: str | None
) -> Joined:
    async with deployment.pool.acquire() as connection:
        is_new = await record_municipality(
            connection,
            key,
            name or (area.name if area else None),
            area.geometry if area else None,
            source,
        )
    moved = await assign_all(deployment)
    return Joined(
        municipality=await select_municipality(deployment.pool, key),
        is_new=is_new,
        moved=moved,
        of_nobody=len(await select_homes_of_nobody(deployment.pool)),
    )


async def assign_all(deployment: Deployment) -> int:
    """Now, and not when the service sweeps next: whoever typed this wants to see it."""
    homes = await deployment.pool.fetchval("SELECT count(*) FROM care_home WHERE status = 'open'")
    with click.progressbar(
        length=homes, label="Homes", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        async with deployment.pool.acquire() as connection:
            return await Assigner().run(connection, deployment.writer, bar.update)


@municipality.command("address")
@click.argument("key", callback=municipality_key)
@click.option("--path", help="Its pages stand below it, as guetersloh for /guetersloh.")
@click.option("--host", help="Its pages are read under this host name too; point it to us.")
@click.option("--none", "take_away", is_flag=True, help="Take both away.")
def municipality_address(key: str, path: str | None, host: str | None, take_away: bool) -> None:
    """Give KEY addresses of its own for pages in its look. What is not named stays."""
    if not (path or host) and not take_away:
        raise click.UsageError("Name a --path, a --host, or --none.")
    if path and not re.fullmatch(r"[a-z][a-z0-9-]{1,39}", path):
        raise click.ClickException("A path has small letters, digits and hyphens: guetersloh.")
    if host and not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host):
        raise click.ClickException("A host name looks like pflege.guetersloh.de.")

    async def work(deployment: Deployment) -> str:
        public_url = deployment.settings.public_url
        if host and not public_url:
            raise click.ClickException(
                "Set FREIPLATZ_PUBLIC_URL first: under the host name pages can only be read, and"
                " lead there for everything else."
            )
        if host and host == host_of(public_url or ""):
            raise click.ClickException("That is the public address of the deployment itself.")
        if path in reserved(create_app(deployment).url_map):
            raise click.ClickException(f"/{path} is a page of ours already. Choose another one.")
        each = await select_municipality(deployment.pool, key)
        before = await select_look(deployment.pool, key)
        kept = (None, None) if before is None or take_away else (before.path, before.host)
        await record_addresses(deployment.pool, key, path or kept[0], host or kept[1])
        found = await select_look(deployment.pool, key)
        assert found is not None
        there = [f"{public_address(deployment.settings)}/{found.path}"] if found.path else []
        there += [f"https://{found.host}/"] if found.host else []
        return f"{each.name}: {', '.join(there) or 'no address of its own'}"

    click.echo(run_in_deployment(work))


@municipality.command("assign")
@click.argument("home_id", metavar="HOME")
@click.argument("key", callback=municipality_key, required=False)
@click.option("--by-position", is_flag=True, help="Take that back: by its position again.")
def municipality_assign(home_id: str, key: str | None, by_position: bool) -> None:
    """Put HOME (its id) into KEY by hand, wherever it lies."""
    if (key is None) != by_position:
        raise click.UsageError("Name a KEY, or --by-position.")

    async def work(deployment: Deployment) -> str | None:
        if key is not None:
            await select_municipality(deployment.pool, key)
        command = AssignByHand(home_id=home_id, municipality=key)
        (outcome,) = (await deployment.writer.submit([command])).outcomes
        if outcome.error is not None:
            raise outcome.error
        await assign_all(deployment)
        (home,) = await select_homes(deployment.pool, [home_id])
        return home.profile.municipality

    found = run_in_deployment(work)
    click.echo(f"{home_id} belongs to {found or 'nobody'}.")


@municipality.command("unassigned")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def municipality_unassigned(as_json: bool) -> None:
    """Open homes that belong to nobody who takes part."""
    found = run_in_deployment(lambda deployment: select_homes_of_nobody(deployment.pool))
    if as_json:
        print_json(
            [
                {"id": i, "name": name, "latitude": at.latitude, "longitude": at.longitude}
                for i, name, at in found
            ]
        )
        return
    for home_id, name, at in found:
        click.echo(f"{home_id}  {name} ({at.latitude:.5f}, {at.longitude:.5f})")
    if not found:
        click.echo("All homes belong to somebody.")
