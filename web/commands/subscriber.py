"""`freiplatz subscriber`: data platforms that may subscribe by NGSI-LD."""

from __future__ import annotations

import click

from vacancies.database import borrowed
from vacancies.deployment import Deployment
from web.commands.administration import print_json, run_in_deployment
from web.standards.subscribers import delete_subscriber, insert_subscriber, select_subscribers


@click.group()
def subscriber() -> None:
    """Data platforms that are told of changes by NGSI-LD (see docs/standards.md)."""


@subscriber.command("add")
@click.argument("name")
def add_command(name: str) -> None:
    """Let NAME subscribe; prints its token alone, which is shown only once."""
    if not name.strip():
        raise click.UsageError("Give it a name.")
    click.echo(
        run_in_deployment(lambda deployment: insert_subscriber(deployment.pool, name.strip()))
    )


@subscriber.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_command(as_json: bool) -> None:
    """All subscribers, without their tokens."""
    found = run_in_deployment(lambda deployment: select_subscribers(deployment.pool))
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(f"{each.name:<40} {each.subscriptions} subscriptions, {each.failing} failing")


@subscriber.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Remove NAME with all of its subscriptions."""

    async def work(deployment: Deployment) -> bool:
        async with borrowed(deployment.pool) as connection, connection.transaction():
            return await delete_subscriber(connection, name)

    if not run_in_deployment(work):
        raise click.ClickException(f"There is no subscriber {name!r}.")
    click.echo(f"{name} is removed.")
