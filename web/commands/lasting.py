"""`freiplatz lasting`: how long places stay free, and whether that can be trusted."""

from __future__ import annotations

from typing import Any

import click
from msgspec import to_builtins

from vacancies.database import borrowed
from vacancies.deployment import Deployment
from vacancies.lasting import Step, wilson
from vacancies.lasting_fit import fit_history, select_fitted_at, select_steps
from vacancies.listings import REGION
from web.commands.administration import print_json, run_in_deployment

REFUSALS = {
    "few_pairs": "too few reports",
    "few_homes": "too few homes",
    "silent": "homes fall silent",
    "uncalibrated": "foretold wrongly",
}


@click.group()
def lasting() -> None:
    """How long places stay free after a report. `serve` fits it once a day by itself."""


@lasting.command("fit")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def fit_command(as_json: bool) -> None:
    """Look at the history of the last 180 days now, and put the curves in place."""

    async def work(deployment: Deployment) -> list[Step]:
        if await deployment.is_demo():
            click.echo("This is a demo: its reports are made up, so there are no curves.", err=True)
        async with borrowed(deployment.pool) as connection:
            await fit_history(connection)
        return await select_steps(deployment.pool)

    steps = run_in_deployment(work)
    shown = sum(step.refusal is None for step in steps)
    if as_json:
        print_json({"steps": len(steps), "shown": shown})
    else:
        click.echo(f"{len(steps)} steps, {shown} of them shown with a number.")


@lasting.command("show")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def show_command(as_json: bool) -> None:
    """The curves, and how the newer part of the history was foretold by the older one."""

    async def work(deployment: Deployment) -> Any:
        return await select_fitted_at(deployment.pool), await select_steps(deployment.pool)

    fitted_at, steps = run_in_deployment(work)
    if as_json:
        print_json(
            {"fitted_at": fitted_at, "steps": [to_builtins(step._asdict()) for step in steps]}
        )
        return
    if fitted_at is None:
        raise click.ClickException("Nothing is fitted yet. Run `freiplatz lasting fit`.")
    click.echo(f"Fitted {fitted_at.astimezone(REGION):%Y-%m-%d %H:%M}")
    for step in steps:
        click.echo(_line(step))


def _line(step: Step) -> str:
    low, high = wilson(step.still_free, step.checked)
    foretold = "–" if step.expected is None else f"{step.expected:.2f}"
    verdict = "shown" if step.refusal is None else REFUSALS[step.refusal]
    return (
        f"{step.care_form:<15} {step.size:<7} {step.free_places} free"
        f"  {step.from_hours:>3.0f}–{step.until_hours:<3.0f} h  {step.share:.2f}"
        f" of {step.pairs:>6} pairs, {step.homes:>4} homes;"
        f"  foretold {foretold}, then {low:.2f}–{high:.2f} of {step.checked:>5}  {verdict}"
    )
