"""`freiplatz desk`: who works at the desk of a municipality."""

from __future__ import annotations

import click
from msgspec.structs import asdict

from providers.desks import (
    DeskRole,
    delete_desk_member,
    ensure_desk_member,
    select_desk_members,
)
from providers.signin import checked_email
from providers.staff import ensure_staff
from vacancies.deployment import Deployment
from vacancies.errors import InvalidInput
from vacancies.municipalities import select_municipality
from web.commands.administration import print_json, run_in_deployment
from web.language import languages
from web.link_mail import public_address


@click.group()
def desk() -> None:
    """Who works at the desk of a municipality: its first admin; the others are invited there."""


@desk.command("add")
@click.argument("key")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice(["admin", "clerk"]),
    default="admin",
    show_default=True,
    help="A clerk works on homes; an admin also on people and settings.",
)
@click.option("--name", default="", help="How they want to be called.")
@click.option("--language", default="de", show_default=True, help="Of mails and pages.")
def desk_add(key: str, email: str, role: DeskRole, name: str, language: str) -> None:
    """Let the person with the address EMAIL work at the desk of KEY; says where they sign in."""
    try:
        address = checked_email(email)
    except InvalidInput as error:
        raise click.ClickException(error.detail) from error
    if language not in languages():
        raise click.ClickException(f"There are these languages: {', '.join(languages())}.")

    async def work(deployment: Deployment) -> str:
        found = await select_municipality(deployment.pool, key)
        async with deployment.pool.acquire() as connection, connection.transaction():
            person = await ensure_staff(connection, address, name=name, language=language)
            await ensure_desk_member(connection, person.id, key, role)
        origin = public_address(deployment.settings)
        return f"{address} works at the desk of {found.name}: {origin}/desk/{key}"

    click.echo(run_in_deployment(work))


@desk.command("list")
@click.argument("key")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def desk_list(key: str, as_json: bool) -> None:
    """Who works at the desk of KEY."""

    async def work(deployment: Deployment) -> list[dict[str, object]]:
        await select_municipality(deployment.pool, key)
        return [asdict(each) for each in await select_desk_members(deployment.pool, key)]

    found = run_in_deployment(work)
    if as_json:
        print_json(found)
        return
    for member in found:
        click.echo(f"{member['role']:<6} {member['email']:<40} {member['name']}")
    if not found:
        click.echo(f"Nobody yet: freiplatz desk add {key} EMAIL")


@desk.command("remove")
@click.argument("key")
@click.argument("email")
def desk_remove(key: str, email: str) -> None:
    """Let the person with the address EMAIL work there no more."""

    async def work(deployment: Deployment) -> None:
        async with deployment.pool.acquire() as connection:
            members = await select_desk_members(connection, key)
            mine = next((each for each in members if each.email == email.strip().lower()), None)
            if mine is None:
                raise click.ClickException(f"{email} does not work at the desk of {key}.")
            await delete_desk_member(connection, key, mine.id)

    run_in_deployment(work)
    click.echo(f"{email} works there no more.")
