"""`freiplatz staff`: people who report for homes, and their one-tap links."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from providers.links import make_token
from providers.payloads import is_email
from providers.post import open_mail_sender
from providers.staff import (
    Membership,
    delete_membership,
    ensure_membership,
    ensure_staff,
    revoke_links,
    select_all_memberships,
    select_membership,
)
from vacancies.deployment import Deployment
from vacancies.homes import select_homes
from vacancies.provider import select_provider
from web.commands.administration import print_json, run_in_deployment
from web.language import languages
from web.link_mail import link_address, link_mail


@click.group()
def staff() -> None:
    """People who report for homes. They need no password: links are sent to their address."""


@staff.command("add")
@click.argument("email")
@click.option("--provider", required=True, help="For whom they report: its slug or name.")
@click.option("--home", "home_id", help="For this home only; left out: for all its homes.")
@click.option("--name", default="", help="How they want to be called.")
@click.option("--language", default="de", show_default=True, help="Of mails and pages.")
def staff_add(email: str, provider: str, home_id: str | None, name: str, language: str) -> None:
    """Let the person with the address EMAIL report; prints the number of the membership."""
    if not is_email(email):
        raise click.ClickException(f"{email!r} is no address. It must look like name@example.org.")
    known = languages(reporting=True)
    if language not in known:
        raise click.ClickException(f"There are these languages: {', '.join(known)}.")

    async def work(deployment: Deployment) -> int:
        found = await select_provider(deployment.pool, provider)
        if found is None:
            raise click.ClickException(
                f"There is no provider {provider!r}. `freiplatz provider list` shows all."
            )
        if home_id is not None:
            homes = await select_homes(deployment.pool, [home_id])
            if not homes or homes[0].provider_id != found.id:
                raise click.ClickException(f"{found.name} has no home {home_id!r}.")
        async with deployment.pool.acquire() as connection, connection.transaction():
            person = await ensure_staff(connection, email, name=name, language=language)
            return await ensure_membership(connection, person.id, found.id, home_id)

    click.echo(run_in_deployment(work))


@staff.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def staff_list(as_json: bool) -> None:
    """Everybody who may report, and for what."""
    found = run_in_deployment(lambda deployment: select_all_memberships(deployment.pool))
    if as_json:
        print_json(found)
        return
    for member in found:
        what = member.home_id or "all homes"
        click.echo(f"{member.id:>5}  {member.staff.email:<40} {member.provider:<30} {what}")


@staff.command("remove")
@click.argument("membership_id", type=int)
def staff_remove(membership_id: int) -> None:
    """End the membership with that number (see `staff list`); its links are dead at once."""

    async def work(deployment: Deployment) -> None:
        await _membership(deployment, membership_id)
        await delete_membership(deployment.pool, membership_id)

    run_in_deployment(work)
    click.echo(f"Membership {membership_id} has ended.")


@staff.command("link")
@click.argument("membership_id", type=int)
@click.option("--home", "home_id", help="Which home, for somebody who reports for several.")
@click.option("--mail", is_flag=True, help="Send it to the person instead of printing it.")
def staff_link(membership_id: int, home_id: str | None, mail: bool) -> None:
    """Print a one-tap link of that membership: whoever has it can report for 48 hours."""

    async def work(deployment: Deployment) -> str:
        member = await _membership(deployment, membership_id)
        wanted = home_id or member.home_id
        if wanted is None:
            raise click.ClickException("This person reports for several homes: name one, --home.")
        homes = await select_homes(deployment.pool, [wanted])
        is_theirs = member.home_id in (None, wanted)
        if not is_theirs or not homes or homes[0].provider_id != member.provider_id:
            raise click.ClickException(f"This person does not report for {wanted!r}.")
        if mail:
            await open_mail_sender(deployment.settings).send(
                link_mail(deployment.settings, member, homes[0])
            )
            return f"The link was sent to {member.staff.email}."
        secret = deployment.settings.secret_key
        token = make_token(secret, member.id, wanted, datetime.now(UTC))
        return link_address(deployment.settings, token)

    click.echo(run_in_deployment(work))


@staff.command("revoke-links")
@click.argument("membership_id", type=int)
def staff_revoke_links(membership_id: int) -> None:
    """Make all links that this membership was sent so far useless."""

    async def work(deployment: Deployment) -> None:
        await _membership(deployment, membership_id)
        await revoke_links(deployment.pool, membership_id)

    run_in_deployment(work)
    click.echo(f"All links of membership {membership_id} are dead.")


async def _membership(deployment: Deployment, membership_id: int) -> Membership:
    found = await select_membership(deployment.pool, membership_id)
    if found is None:
        raise click.ClickException(
            f"There is no membership {membership_id}. `freiplatz staff list` shows all."
        )
    return found
