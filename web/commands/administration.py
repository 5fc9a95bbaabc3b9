"""Small commands for operators: migrate, key, provider, home."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click
import msgspec

from providers.auth import (
    LONGEST_DAYS,
    OVERLAP,
    ApiKey,
    create_key,
    revoke_key,
    rotate_key,
    select_keys,
)
from vacancies.config import load_settings
from vacancies.database import migrate as migrate_database
from vacancies.database import open_pool
from vacancies.deployment import Deployment, open_deployment
from vacancies.homes import select_homes
from vacancies.listings import own_listing, public_listing
from vacancies.models import Standing
from vacancies.provider import ensure_provider, select_provider, select_providers
from vacancies.rulings import Rate
from web.commands.log import configure_log

Result = TypeVar("Result")


def run_in_deployment(work: Callable[[Deployment], Awaitable[Result]]) -> Result:
    """Open the deployment of the settings, do `work`, close it."""
    configure_log()

    async def run() -> Result:
        async with open_deployment(load_settings(), report=note) as deployment:
            return await work(deployment)

    return asyncio.run(run())


def note(line: str) -> None:
    """Progress goes to stderr: stdout is for results."""
    click.echo(line, err=True)


def print_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


@click.command()
def migrate() -> None:
    """Bring the schema of the database up to date."""

    async def given(url: str) -> int:
        pool = await open_pool(url, size=1)
        try:
            return await migrate_database(pool, note)
        finally:
            await pool.close()

    async def own(deployment: Deployment) -> int:
        return await migrate_database(deployment.pool, note)

    url = load_settings().database_url
    done = asyncio.run(given(url)) if url else run_in_deployment(own)
    note(f"{done} migration(s) ran; the schema is up to date." if done else "Up to date.")


@click.group()
def key() -> None:
    """Keys with which a provider's software reports."""


@key.command("create")
@click.argument("provider")
@click.option("--home", "home_id", metavar="ID", help="For this home only, not for all.")
@click.option("--label", default="", help="What the key is for.")
@click.option("--test", "is_test", is_flag=True, help="For trying out: it changes nothing.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), help="It ends after so many days.")
def key_create(
    provider: str, home_id: str | None, label: str, is_test: bool, days: int | None
) -> None:
    """Make a key for PROVIDER (its slug or name) and print it: it is shown only once."""

    async def work(deployment: Deployment) -> str:
        found = await select_provider(deployment.pool, provider)
        if found is None:
            raise click.ClickException(
                f"There is no provider {provider!r}. `freiplatz provider list` shows all,"
                " `freiplatz provider add NAME` makes one."
            )
        return await create_key(
            deployment.pool,
            found.id,
            label,
            home_id=home_id,
            is_test=is_test,
            lifetime=None if days is None else timedelta(days=days),
        )

    click.echo(run_in_deployment(work))


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def key_list(as_json: bool) -> None:
    """All keys, without their secrets."""
    keys = run_in_deployment(lambda deployment: select_keys(deployment.pool))
    if as_json:
        print_json(keys)
        return
    now = datetime.now(UTC)
    for entry in keys:
        mode = "test" if entry.is_test else "live"
        scope = f"{entry.provider} {entry.home_id or '(all homes)'}"
        state = _state_of(entry, now)
        click.echo(f"{entry.id:>5}  {entry.prefix}…  {mode}  {scope:<44} {state}  {entry.label}")


def _state_of(entry: ApiKey, now: datetime) -> str:
    """Whether the key opens anything, until when, and when it was last used."""
    if entry.revoked_at:
        return "revoked"
    if entry.expires_at and entry.expires_at <= now:
        return "expired"
    said = [f"used {entry.last_used_at:%Y-%m-%d %H:%M}" if entry.last_used_at else "never used"]
    if entry.expires_at:
        said.append(f"ends {entry.expires_at:%Y-%m-%d %H:%M} UTC")
    if entry.replaced_by:
        said.append(f"replaced by {entry.replaced_by}")
    return ", ".join(said)


@key.command("rotate")
@click.argument("key_id", type=int)
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 24 * 90),
    default=int(OVERLAP / timedelta(hours=1)),
    show_default=True,
    help="So long the old key goes on.",
)
def key_rotate(key_id: int, overlap_hours: int) -> None:
    """Print a new key in place of the one with that number, which then ends by itself."""
    overlap = timedelta(hours=overlap_hours)
    click.echo(run_in_deployment(lambda deployment: rotate_key(deployment.pool, key_id, overlap)))
    note(f"Key {key_id} goes on for at most {overlap_hours} hours. Enter the new one until then.")


@key.command("revoke")
@click.argument("key_id", type=int)
def key_revoke(key_id: int) -> None:
    """Revoke the key with that number (see `key list`), at once."""
    if not run_in_deployment(lambda deployment: revoke_key(deployment.pool, key_id)):
        raise click.ClickException(f"There is no key {key_id} that could be revoked.")
    click.echo(f"Key {key_id} is revoked.")


@click.group()
def provider() -> None:
    """Organisations that run homes."""


@provider.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, with the homes' ids.")
def provider_list(as_json: bool) -> None:
    """All providers and how many homes they run."""
    found = run_in_deployment(lambda deployment: select_providers(deployment.pool))
    if as_json:
        print_json([{"slug": p.slug, "name": p.name, "homes": p.homes} for p in found])
        return
    for entry in found:
        click.echo(f"{entry.slug:<40} {len(entry.homes):>5} homes  {entry.name}")


@provider.command("add")
@click.argument("name")
def provider_add(name: str) -> None:
    """Enter a provider and print its slug; an existing one is left as it is."""
    found = run_in_deployment(lambda deployment: ensure_provider(deployment.pool, name))
    click.echo(found.slug)


@click.group()
def home() -> None:
    """Care homes."""


@home.command("show")
@click.argument("home_id")
def home_show(home_id: str) -> None:
    """What the public sees of a home, as JSON."""

    async def work(deployment: Deployment) -> Any:
        homes = await select_homes(deployment.pool, [home_id])
        if not homes:
            raise click.ClickException(f"There is no home {home_id!r}.")
        return public_listing(homes[0])

    print_json(run_in_deployment(work))


@home.command("approve")
@click.argument("home_id")
def home_approve(home_id: str) -> None:
    """Show a new home that waits for approval. Desks approve theirs; this is for homes that belong
    to no municipality."""

    async def work(deployment: Deployment) -> None:
        command = Rate(home_id=home_id, standing=Standing.NORMAL)
        (outcome,) = (await deployment.writer.submit([command])).outcomes
        if outcome.error is not None:
            raise click.ClickException(outcome.error.detail)
        note("It is shown now." if outcome.changed else "It was shown already.")

    run_in_deployment(work)


@home.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def home_list(as_json: bool) -> None:
    """All open homes of ours, also those that wait for approval: id, state, places, name."""

    async def work(deployment: Deployment) -> Any:
        rows = await deployment.pool.fetch(
            "SELECT id FROM care_home WHERE status = 'open' AND origin IS NULL ORDER BY id"
        )
        homes = await select_homes(deployment.pool, [row["id"] for row in rows])
        return sorted(map(own_listing, homes), key=lambda listing: listing.profile.name)

    listings = run_in_deployment(work)
    if as_json:
        print_json(listings)
        return
    for entry in listings:
        free = ", ".join(f"{n} {form}" for form, n in entry.free.items()) or "–"
        unseen = f" ({entry.standing})" if entry.is_hidden else ""
        click.echo(f"{entry.id:<24} {entry.freshness:<8} {free:<30} {entry.profile.name}{unseen}")
