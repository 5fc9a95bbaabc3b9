"""`freiplatz alerts`: how many readers are told of news, and ending one."""

from __future__ import annotations

import click

from vacancies.deployment import Deployment
from vacancies.listings import REGION
from web.alerts.alerts import AlertUnknown, delete_alerts
from web.alerts.overview import AlertRow, select_rows
from web.commands.administration import print_json, run_in_deployment


@click.group()
def alerts() -> None:
    """Readers who are told when a home begins to match their search. Whose they are, and what
    they search for, is shown to nobody."""


@alerts.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_command(as_json: bool) -> None:
    """All alerts, oldest first. Times are those of the region."""
    found = run_in_deployment(lambda deployment: select_rows(deployment.pool))
    if as_json:
        print_json(found)
        return
    for row in found:
        click.echo(_line(row))
    active = sum(row.state == "active" for row in found)
    click.echo(f"{active} active, {len(found) - active} not confirmed.", err=True)


def _line(row: AlertRow) -> str:
    until = row.expires_at.astimezone(REGION)
    failures = f", {row.failures} failures" if row.failures else ""
    return (
        f"{row.id}  {row.channel:<4}  {row.state:<7}  until {until:%Y-%m-%d %H:%M}"
        f"  {row.messages} messages{failures}"
    )


@alerts.command("remove")
@click.argument("alert_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def remove_command(alert_ids: tuple[str, ...], as_json: bool) -> None:
    """End alerts: nothing of them is kept, and nobody is told."""

    async def work(deployment: Deployment) -> int:
        return await delete_alerts(deployment.pool, alert_ids)

    removed = run_in_deployment(work)
    if not removed:
        raise AlertUnknown("There is no alert with that id. The list shows all.")
    if as_json:
        print_json({"removed": removed})
    else:
        click.echo(f"{removed} removed.")
