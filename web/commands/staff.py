"""`freiplatz staff`: people who report, for the operator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
import msgspec

from providers.post import open_mail_sender, sender_address
from providers.sessions import revoke_sessions, select_sessions
from providers.signin import checked_email, issue_invitation
from providers.staff import (
    Staff,
    delete_membership,
    delete_staff,
    ensure_membership,
    ensure_staff,
    revoke_links,
    select_all_memberships,
    select_memberships,
    select_staff,
)
from vacancies.database import Connection, Pool
from vacancies.deployment import Deployment
from vacancies.homes import select_homes
from vacancies.provider import Provider, select_provider
from web.commands.administration import print_json, run_in_deployment
from web.language import choose
from web.origin import origin_of
from web.signin_mail import invitation_mail, link_address


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `staff list`: what one person may do for one provider."""

    email: str
    name: str
    provider: str
    role: str
    home: str | None
    links_from: datetime


@click.group()
def staff() -> None:
    """People who report for homes. They sign in by mail, without passwords."""


@staff.command("add")
@click.argument("email")
@click.option("--provider", required=True, help="Slug or name of the provider.")
@click.option("--home", help="Id of the one home; without, all homes, as an admin.")
@click.option("--name", default="", help="How the person wants to be called.")
@click.option("--invite", is_flag=True, help="Send a mail first; it counts once it is accepted.")
def staff_add(email: str, provider: str, home: str | None, name: str, invite: bool) -> None:
    """Let the person with the address EMAIL report for PROVIDER."""

    async def work(deployment: Deployment) -> str:
        address = checked_email(email)
        found = await _provider(deployment.pool, provider)
        what = await _check_home(deployment.pool, found, home)
        if invite:
            await _invite(deployment, address, found, home, what)
            return f"An invitation to report for {what} is on its way."
        async with deployment.pool.acquire() as connection, connection.transaction():
            person = await ensure_staff(connection, address, name=name)
            await ensure_membership(connection, person.id, found.id, home)
        return f"May report for {what} now, and sign in at /signin."

    click.echo(run_in_deployment(work))


@staff.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def staff_list(as_json: bool) -> None:
    """Who may report for what."""

    async def work(deployment: Deployment) -> list[Entry]:
        return [
            Entry(
                email=m.staff.email,
                name=m.staff.name,
                provider=m.provider,
                role=m.role,
                home=m.home_id,
                links_from=m.links_from,
            )
            for m in await select_all_memberships(deployment.pool)
        ]

    entries = run_in_deployment(work)
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        where = entry.home or "all homes (admin)"
        click.echo(f"{entry.email:<36} {entry.provider:<30} {where:<24} {entry.name}")


@staff.command("remove")
@click.argument("email")
@click.option("--provider", help="Only what the person may do for this provider.")
@click.option("--home", help="Only this home of that provider.")
def staff_remove(email: str, provider: str | None, home: str | None) -> None:
    """Take a person's rights away; without options forget the person altogether."""
    if home and not provider:
        raise click.UsageError("--home needs --provider.")

    async def work(deployment: Deployment) -> str:
        person = await _person(deployment.pool, email)
        async with deployment.pool.acquire() as connection:
            if provider is None:
                await delete_staff(connection, person.id)
                return "Removed, with all sessions, passkeys and links."
            found = await _provider(connection, provider)
            ended = await _end(connection, person, found, home)
        if not ended:
            raise click.ClickException("This person may not do that anyway.")
        return f"{ended} right(s) taken away."

    click.echo(run_in_deployment(work))


@staff.command("sessions")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def staff_sessions(email: str, as_json: bool) -> None:
    """Where a person is signed in."""

    async def work(deployment: Deployment) -> Any:
        person = await _person(deployment.pool, email)
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
    """Sign a person out everywhere, and make the links in mails sent so far void: for a phone
    that was lost. The person may sign in anew."""

    async def work(deployment: Deployment) -> int:
        person = await _person(deployment.pool, email)
        async with deployment.pool.acquire() as connection, connection.transaction():
            for membership in await select_memberships(connection, person.id):
                await revoke_links(connection, membership.id)
            return await revoke_sessions(connection, person.id)

    click.echo(f"{run_in_deployment(work)} session(s) ended; all links are void.")


async def _provider(connection: Connection | Pool, name: str) -> Provider:
    found = await select_provider(connection, name)
    if found is None:
        raise click.ClickException(
            f"There is no provider {name!r}. `freiplatz provider list` shows all."
        )
    return found


async def _check_home(connection: Connection | Pool, provider: Provider, home: str | None) -> str:
    """The name of that home of the provider; of the provider itself without a home."""
    if home is None:
        return provider.name
    homes = await select_homes(connection, [home])
    if not homes or homes[0].provider_id != provider.id:
        raise click.ClickException(f"{provider.name} has no home {home!r}.")
    return homes[0].profile.name


async def _person(connection: Connection | Pool, email: str) -> Staff:
    found = await select_staff(connection, checked_email(email))
    if found is None:
        raise click.ClickException("Nobody has this address. `freiplatz staff list` shows all.")
    return found


async def _invite(
    deployment: Deployment, email: str, provider: Provider, home: str | None, what: str
) -> None:
    settings = deployment.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    origin = origin_of(settings.public_url or f"http://{host}:{settings.port}")
    assert origin is not None
    async with deployment.pool.acquire() as connection:
        token = await issue_invitation(connection, email, provider.id, home)
        known = await select_staff(connection, email)
    language = choose(known.language if known else None)
    mail = invitation_mail(
        sender_address(settings), email, link_address(origin, token, language), what, "", language
    )
    await open_mail_sender(settings).send(mail)


async def _end(connection: Connection, person: Staff, provider: Provider, home: str | None) -> int:
    """End what the person may do for the provider, or for one home of it; how much that was."""
    memberships = [
        membership
        for membership in await select_memberships(connection, person.id)
        if membership.provider_id == provider.id and home in (None, membership.home_id)
    ]
    for membership in memberships:
        await delete_membership(connection, membership.id)
    return len(memberships)
