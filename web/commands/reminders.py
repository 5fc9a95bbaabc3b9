"""`freiplatz reminders`: what is planned, by which policy, and sending it."""

from __future__ import annotations

import re
from typing import Any

import click
from msgspec.structs import asdict, replace

from providers.reminder_plan import Reminder, select_reminders
from providers.reminder_policy import (
    Policies,
    ReminderPolicy,
    record_policy,
    select_policies,
)
from providers.reminder_scheduler import Round, Scheduler, send_now
from vacancies.deployment import Deployment
from vacancies.errors import UnknownHome
from vacancies.homes import select_homes
from vacancies.listings import REGION
from web.commands.administration import print_json, run_in_deployment
from web.reminder_mail import open_post

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@click.group()
def reminders() -> None:
    """Reminders to homes that have not reported. `serve` sends them by itself."""


@reminders.command("run")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def run_command(as_json: bool) -> None:
    """Plan and send all that is due now, once, and end when nothing is left."""
    from web.commands.process import configure_log  # brings the web server along

    configure_log()  # the log goes to stderr

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


@reminders.group("policy", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_context
def policy(context: click.Context, as_json: bool) -> None:
    """By which policy homes are reminded; `set` changes it."""
    if context.invoked_subcommand is not None:
        return
    found = run_in_deployment(lambda deployment: select_policies(deployment.pool))
    if as_json:
        print_json([{"prefix": prefix, **asdict(each)} for prefix, each in found.items()])
        return
    for prefix, each in found.items():
        click.echo(_policy_line(prefix, each))


def _policy_line(prefix: str, each: ReminderPolicy) -> str:
    days = ",".join(DAYS[number - 1] for number in each.weekdays)
    told = f", {each.municipality_email} after {each.municipality_after_hours} h"
    return (
        f"{prefix or 'all':<12}  every {each.every_hours} h,"
        f" {_clock(each.from_minute)} to {_clock(each.until_minute)} on {days};"
        f" admins after {each.admins_after_hours} h{told if each.municipality_email else ''}"
    )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _minute(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """A time of day as minutes since midnight; 24:00 is the end of the day."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", value, re.ASCII)
    minute = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minute <= 24 * 60:
        raise click.BadParameter(f"{value!r} is no time of day such as 07:00.")
    return minute


def _weekdays(
    context: click.Context, option: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """Days from mon to sun, separated by commas, as numbers from 1."""
    if value is None:
        return None
    names = {part.strip().lower() for part in value.split(",")}
    if not names <= set(DAYS):
        raise click.BadParameter(f"Name days as in {','.join(DAYS)}.")
    return tuple(sorted(DAYS.index(name) + 1 for name in names))


@policy.command("set")
@click.argument("prefix", required=False, default="")
@click.option("--every-hours", type=int, help="How often a home should report.")
@click.option(
    "--from", "from_minute", metavar="HH:MM", callback=_minute, help="No mail earlier in the day."
)
@click.option(
    "--until", "until_minute", metavar="HH:MM", callback=_minute, help="No mail later in the day."
)
@click.option(
    "--weekdays", metavar="DAYS", callback=_weekdays, help="Days with mail, such as mon,tue,wed."
)
@click.option("--admins-after-hours", type=int, help="The provider's admins are told then.")
@click.option("--municipality-after-hours", type=int, help="The municipality is told then.")
@click.option("--municipality-email", help="Where; an empty value: not at all.")
def policy_set(prefix: str, **values: Any) -> None:
    """Change the policy for municipality keys (AGS) that begin with PREFIX, or without one for
    all. What is not named stays as it is."""
    changes = {name: value for name, value in values.items() if value is not None}
    if changes.get("municipality_email") == "":
        changes["municipality_email"] = None

    async def work(deployment: Deployment) -> Policies:
        async with deployment.pool.acquire() as connection:
            before = (await select_policies(connection)).of(prefix)
            await record_policy(connection, prefix, replace(before, **changes))
            return await select_policies(connection)

    found = run_in_deployment(work)
    click.echo(_policy_line(prefix, found.of(prefix)))
