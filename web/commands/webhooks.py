"""`freiplatz webhook`: who is told of changes by HTTP."""

from __future__ import annotations

from typing import Any

import click

from providers.payloads import is_email
from vacancies.config import load_settings
from vacancies.database import borrowed
from vacancies.deployment import Deployment
from vacancies.geocoding import open_geocoder
from vacancies.outbound import outbound_of
from vacancies.provider import select_provider
from web.commands.administration import print_json, run_in_deployment
from web.webhooks import endpoints
from web.webhooks.deliveries import MOST_KEPT, select_deliveries
from web.webhooks.ping import send_test
from web.webhooks.searches import normal_search
from web.webhooks.sending import utc_now


@click.group()
def webhook() -> None:
    """Addresses that are told of changes (see docs/webhooks.md)."""


@webhook.command("add")
@click.argument("address")
@click.option("--provider", help="Whose it is: slug or name. Without --search: of its homes.")
@click.option("--search", help="Parameters of a search: 'place=33330&care_form=day'.")
@click.option("--contact", help="Mail address for notes when it is stopped.")
def webhook_add(
    address: str, provider: str | None, search: str | None, contact: str | None
) -> None:
    """Tell ADDRESS (https://…) of changes; prints the webhook with its secret, as JSON.

    `--search include_full=true` means every home.
    """
    if provider is None and search is None:
        raise click.UsageError("Give --provider, --search, or both.")
    if contact is not None and not is_email(contact):
        raise click.UsageError(f"{contact!r} is no address. It must look like name@example.org.")
    checked = str(outbound_of(load_settings()).check(address))

    async def work(deployment: Deployment) -> endpoints.WebhookWithSecret:
        owner = None
        if provider is not None:
            owner = await select_provider(deployment.pool, provider)
            if owner is None:
                raise click.ClickException(f"There is no provider {provider!r}.")
        normal = None
        if search is not None:
            geocoder = open_geocoder(deployment.settings.geocoder)
            try:
                normal = await normal_search(search, geocoder)
            finally:
                await geocoder.aclose()
        async with borrowed(deployment.pool) as connection, connection.transaction():
            return await endpoints.insert_webhook(
                connection,
                deployment.settings.secret_key,
                provider_id=owner.id if owner else None,
                address=checked,
                search=normal,
                contact=contact,
                now=utc_now(),
            )

    print_json(run_in_deployment(work))


@webhook.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def webhook_list(as_json: bool) -> None:
    """All webhooks, without their secrets."""
    found = run_in_deployment(lambda deployment: endpoints.select_webhooks(deployment.pool))
    if as_json:
        print_json(found)
        return
    for entry in found:
        state = f"{entry.state} ({entry.reason})" if entry.reason else entry.state
        if entry.failing_since is not None and entry.state == "active":
            state = f"failing since {entry.failing_since:%Y-%m-%d %H:%M}"
        whose = entry.provider or "operator"
        about = "its homes" if entry.search is None else f"search {entry.search!r}"
        click.echo(f"{entry.id}  {state:<30} {whose:<30} {about}  {entry.address}")


@webhook.command("test")
@click.argument("webhook_id")
def webhook_test(webhook_id: str) -> None:
    """Send a ping now; exit code 1 if it was not taken."""

    async def work(deployment: Deployment) -> Any:
        found = await endpoints.select_webhook(deployment.pool, webhook_id)
        async with outbound_of(deployment.settings) as outbound:
            return await send_test(deployment, outbound, found)

    done = run_in_deployment(work)
    print_json(done)
    if done.outcome != "delivered":
        raise click.ClickException("The ping was not delivered.")


@webhook.command("rotate")
@click.argument("webhook_id")
def webhook_rotate(webhook_id: str) -> None:
    """Make a new secret and print it; the old one signs too for 24 hours."""

    async def work(deployment: Deployment) -> str:
        await endpoints.select_webhook(deployment.pool, webhook_id)
        secret_key = deployment.settings.secret_key
        async with borrowed(deployment.pool) as connection, connection.transaction():
            return await endpoints.rotate_secret(connection, webhook_id, secret_key, utc_now())

    click.echo(run_in_deployment(work))


@webhook.command("pause")
@click.argument("webhook_id")
def webhook_pause(webhook_id: str) -> None:
    """Send nothing until it is resumed."""

    async def work(deployment: Deployment) -> None:
        await endpoints.select_webhook(deployment.pool, webhook_id)
        await endpoints.pause_webhook(deployment.pool, webhook_id)

    run_in_deployment(work)
    click.echo(f"Webhook {webhook_id} is paused.")


@webhook.command("resume")
@click.argument("webhook_id")
def webhook_resume(webhook_id: str) -> None:
    """Go on, with the newest state of all that changed in the meantime."""

    async def work(deployment: Deployment) -> None:
        await endpoints.select_webhook(deployment.pool, webhook_id)
        await endpoints.resume_webhook(deployment.pool, webhook_id, utc_now())

    run_in_deployment(work)
    click.echo(f"Webhook {webhook_id} is active.")


@webhook.command("remove")
@click.argument("webhook_id")
def webhook_remove(webhook_id: str) -> None:
    """Remove a webhook and its log."""

    async def work(deployment: Deployment) -> None:
        await endpoints.select_webhook(deployment.pool, webhook_id)
        await endpoints.delete_webhook(deployment.pool, webhook_id)

    run_in_deployment(work)
    click.echo(f"Webhook {webhook_id} is removed.")


@webhook.command("log")
@click.argument("webhook_id")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.option("--limit", type=click.IntRange(1, MOST_KEPT), default=100, show_default=True)
def webhook_log(webhook_id: str, as_json: bool, limit: int) -> None:
    """What was tried in the last 30 days, newest first."""

    async def work(deployment: Deployment) -> Any:
        await endpoints.select_webhook(deployment.pool, webhook_id)
        return await select_deliveries(deployment.pool, webhook_id, limit)

    found = run_in_deployment(work)
    if as_json:
        print_json(found)
        return
    for entry in found:
        result = f"{entry.outcome} {entry.status or ''}".strip()
        click.echo(
            f"{entry.sent_at:%Y-%m-%d %H:%M:%S}  {result:<16} {entry.duration_ms:>6} ms"
            f"  try {entry.attempt:<3} {entry.event:<16} {entry.home_id or ''}"
        )
