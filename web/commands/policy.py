"""`freiplatz policy`: how homes are to report and are reminded, and what of them is public, by
municipality."""

from __future__ import annotations

import re
from typing import Any

import click
from msgspec.structs import asdict, replace

from providers.reporting_policy import Policies, ReportingPolicy, record_policy, select_policies
from vacancies.deployment import Deployment
from web.commands.administration import print_json, run_in_deployment

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_context
def policy(context: click.Context, as_json: bool) -> None:
    """How long reports are fresh, and how homes are reminded; `set` changes it."""
    if context.invoked_subcommand is not None:
        return
    found = run_in_deployment(lambda deployment: select_policies(deployment.pool))
    if as_json:
        print_json([{"prefix": prefix, **asdict(each)} for prefix, each in found.items()])
        return
    for prefix, each in found.items():
        click.echo(_policy_line(prefix, each))


def _policy_line(prefix: str, each: ReportingPolicy) -> str:
    days = ",".join(DAYS[number - 1] for number in each.weekdays)
    told = f", {each.municipality_email} after {each.municipality_after_hours} h"
    return (
        f"{prefix or 'all':<12}  fresh {each.fresh_hours} h, stale after {each.ageing_hours} h;"
        f" reminders"
        f" {_clock(each.from_minute)} to {_clock(each.until_minute)} on {days};"
        f" admins after {each.admins_after_hours} h{told if each.municipality_email else ''};"
        f" details from {each.detail_places} places on"
        f"{', new homes wait for approval' if each.approve_new else ''}"
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
@click.option("--fresh-hours", type=int, help="So long a report is fresh: the next is due before.")
@click.option("--ageing-hours", type=int, help="From then on it is stale and counts no place.")
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
@click.option("--detail-places", type=int, help="Smaller homes show how many are free, no more.")
@click.option(
    "--approve-new/--show-new", default=None, help="Whether new homes of providers wait for a desk."
)
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
