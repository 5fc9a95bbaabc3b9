"""`freiplatz staff`: people who report for homes, their one-tap links, and where they are signed
in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from providers.links import make_token
from providers.post import open_mail_sender, sender_address
from providers.sessions import select_sessions
from providers.signin import checked_email, issue_invitation, revoke_access
from providers.staff import (
    Membership,
    Staff,
    delete_membership,
    delete_staff,
    ensure_membership,
    ensure_staff,
    revoke_links,
    select_all_memberships,
    select_membership,
    select_memberships,
    select_staff,
)
from vacancies.deployment import Deployment
from vacancies.errors import InvalidInput
from vacancies.homes import select_homes
from vacancies.provider import select_provider
from web.commands.administration import print_json, run_in_deployment
from web.language import choose, languages
from web.link_mail import link_address, link_mail, public_address
from web.signin_mail import invitation_mail, offer_address


@click.group()
def staff() -> None:
    """People who report for homes. They need no password: links are sent to their address."""


@staff.command("add")
@click.argument("email")
@click.option("--provider", required=True, help="For whom they report: its slug or name.")
@click.option("--home", "home_id", help="For this home only; left out: for all its homes.")
@click.option("--name", default="", help="How they want to be called.")
@click.option("--language", default="de", show_default=True, help="Of mails and pages.")
@click.option("--invite", is_flag=True, help="Send a mail first; it counts once it is accepted.")
def staff_add(
    email: str, provider: str, home_id: str | None, name: str, language: str, invite: bool
) -> None:
    """Let the person with the address EMAIL report; prints the number of the membership."""
    address = _address(email)
    known = languages(reporting=True)
    if language not in known:
        raise click.ClickException(f"There are these languages: {', '.join(known)}.")

    async def work(deployment: Deployment) -> str:
        found = await select_provider(deployment.pool, provider)
        if found is None:
            raise click.ClickException(
                f"There is no provider {provider!r}. `freiplatz provider list` shows all."
            )
        what = found.name
        if home_id is not None:
            homes = await select_homes(deployment.pool, [home_id])
            if not homes or homes[0].provider_id != found.id:
                raise click.ClickException(f"{found.name} has no home {home_id!r}.")
            what = homes[0].profile.name
        if invite:
            return await _invite(deployment, address, found.id, home_id, what, language)
        async with deployment.pool.acquire() as connection, connection.transaction():
            person = await ensure_staff(connection, address, name=name, language=language)
            return str(await ensure_membership(connection, person.id, found.id, home_id))

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


@staff.command("sessions")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def staff_sessions(email: str, as_json: bool) -> None:
    """Where the person with the address EMAIL is signed in."""
    address = _address(email)

    async def work(deployment: Deployment) -> list[dict[str, Any]]:
        person = await _person(deployment, address)
        return [
            {"device": s.device, "seen_at": s.seen_at, "expires_at": s.expires_at}
            for s in await select_sessions(deployment.pool, person.id)
        ]

    found = run_in_deployment(work)
    if as_json:
        print_json(found)
        return
    for entry in found:
        click.echo(f"{entry['seen_at']:%Y-%m-%d %H:%M} UTC  {entry['device'] or 'unknown'}")


@staff.command("revoke")
@click.argument("email")
def staff_revoke(email: str) -> None:
    """For a phone that was lost: sign a person out everywhere, remove their passkeys, and make
    all links in mails sent so far useless. The person may sign in anew."""
    address = _address(email)

    async def work(deployment: Deployment) -> int:
        person = await _person(deployment, address)
        async with deployment.pool.acquire() as connection, connection.transaction():
            for member in await select_memberships(connection, person.id):
                await revoke_links(connection, member.id)
            return await revoke_access(connection, person)

    click.echo(f"{run_in_deployment(work)} session(s) ended; all links and passkeys are dead.")


@staff.command("forget")
@click.argument("email")
def staff_forget(email: str) -> None:
    """Forget a person altogether. What they have reported stays, without their name."""
    address = _address(email)

    async def work(deployment: Deployment) -> None:
        person = await _person(deployment, address)
        async with deployment.pool.acquire() as connection:
            await delete_staff(connection, person.id)

    run_in_deployment(work)
    click.echo("Forgotten, with all memberships, sessions, passkeys and links.")


def _address(email: str) -> str:
    try:
        return checked_email(email)
    except InvalidInput:
        raise click.ClickException(
            f"{email!r} is no address. It must look like name@example.org."
        ) from None


async def _person(deployment: Deployment, address: str) -> Staff:
    found = await select_staff(deployment.pool, address)
    if found is None:
        raise click.ClickException("Nobody has this address. `freiplatz staff list` shows all.")
    return found


async def _invite(
    deployment: Deployment,
    address: str,
    provider_id: int,
    home_id: str | None,
    what: str,
    code: str,
) -> str:
    settings = deployment.settings
    async with deployment.pool.acquire() as connection:
        token = await issue_invitation(connection, address, provider_id, home_id)
        known = await select_staff(connection, address)
    language = choose(known.language if known else code, reporting=True)
    link = offer_address(public_address(settings), token, language)
    mail = invitation_mail(sender_address(settings), address, link, what, "", language)
    await open_mail_sender(settings).send(mail)
    return f"An invitation to report for {what} is on its way."


async def _membership(deployment: Deployment, membership_id: int) -> Membership:
    found = await select_membership(deployment.pool, membership_id)
    if found is None:
        raise click.ClickException(
            f"There is no membership {membership_id}. `freiplatz staff list` shows all."
        )
    return found
