"""`freiplatz corrections`: what readers say is wrong with entries."""

from __future__ import annotations

import click

from vacancies.corrections import record_done, select_corrections
from vacancies.deployment import Deployment
from web.commands.administration import note, print_json, run_in_deployment


@click.group()
def corrections() -> None:
    """What readers say is wrong with entries. No entry changes by it."""


@corrections.command("list")
@click.option("--all", "include_done", is_flag=True, help="Those that are done, too.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def corrections_list(include_done: bool, as_json: bool) -> None:
    """What waits for somebody, the oldest first."""
    found = run_in_deployment(
        lambda deployment: select_corrections(deployment.pool, include_done=include_done)
    )
    if as_json:
        print_json(found)
        return
    for each in found:
        done = "  done" if each.done_at else ""
        click.echo(
            f"{each.id:>5}  {each.created_at:%Y-%m-%d %H:%M}  {each.matter:<8} {each.home_id}"
            f"  {each.home_name}{done}"
        )
        for line in filter(None, [*each.said.splitlines(), each.email and f"from {each.email}"]):
            click.echo(f"       {line}")


@corrections.command("done")
@click.argument("number", type=click.IntRange(1, 2**63 - 1))
def corrections_done(number: int) -> None:
    """Say that NUMBER was dealt with; it is deleted 90 days later."""

    async def work(deployment: Deployment) -> bool:
        return await record_done(deployment.pool, number)

    if not run_in_deployment(work):
        raise click.ClickException(
            f"There is no correction {number}. `freiplatz corrections list` shows all."
        )
    note(f"{number} is done.")
