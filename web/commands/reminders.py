"""`freiplatz reminders`: what is planned, and sending it."""

from __future__ import annotations

import click

from providers.reminder_plan import Reminder, select_reminders
from providers.reminder_scheduler import Round, Scheduler, send_now
from vacancies.deployment import Deployment
from vacancies.errors import UnknownHome
from vacancies.homes import select_homes
from vacancies.listings import REGION
from web.commands.administration import print_json, run_in_deployment
from web.reminder_mail import open_post


@click.group()
def reminders() -> None:
    """Reminders to homes that have not reported. `serve` sends them by itself."""


@reminders.command("run")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def run_command(as_json: bool) -> None:
    """Plan and send all that is due now, once, and end when nothing is left."""

    async def work(deployment: Deployment) -> Round:
        post = open_post(deployment.settings)
        return await Scheduler(deployment.pool, post).run_until_done()

    done = run_in_deployment(work)
    if as_json:
        print_json(done)
    else:
        click.echo(f"{done.planned} planned, {done.sent} sent, {done.failed} failed.")
    if done.is_stuck:
        raise click.ClickException("Mail cannot be handed over just now. Try again later.")


@reminders.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_command(as_json: bool) -> None:
    """All reminders that are planned, the next one first. Times are those of the region."""
    found = run_in_deployment(lambda deployment: select_reminders(deployment.pool))
    if as_json:
        print_json(found)
        return
    for entry in found:
        click.echo(_line(entry))


def _line(entry: Reminder) -> str:
    due, since = entry.due_at.astimezone(REGION), entry.since.astimezone(REGION)
    failures = f", {entry.failures} failures" if entry.failures else ""
    return (
        f"{due:%Y-%m-%d %H:%M}  {entry.step:<12}  {entry.home_id:<24}"
        f" silent since {since:%Y-%m-%d %H:%M}{failures}"
    )


@reminders.command("send")
@click.argument("home_id", metavar="HOME")
def send_command(home_id: str) -> None:
    """Send the reminder for HOME now, as a test: to its people, whatever the plan says."""

    async def work(deployment: Deployment) -> int:
        homes = await select_homes(deployment.pool, [home_id])
        if not homes:
            raise UnknownHome(f"There is no home {home_id!r}.")
        return await send_now(deployment.pool, open_post(deployment.settings), homes[0])

    sent = run_in_deployment(work)
    if sent == 0:
        raise click.ClickException("Nobody could be told: see who may report for this home.")
    click.echo(f"{sent} sent.")
