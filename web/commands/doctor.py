"""`freiplatz doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio

import click

from vacancies.config import Settings, load_settings
from vacancies.errors import SettingsError
from web.commands.administration import print_json
from web.commands.log import configure_log
from web.doctor.examination import examine
from web.doctor.finding import Finding, bad

_SIGNS = {"good": ("ok  ", "green"), "warning": ("see ", "yellow"), "bad": ("BAD ", "red")}


@click.command()
@click.option("--url", help="Where the service runs (default: as HOST and PORT are set).")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def doctor(url: str | None, as_json: bool) -> None:
    """Look at settings, database, Redis, clock, mail, certificate, disk and the running service.

    Nothing is changed, and no mail is sent. Says what is wrong and what to do; the exit code is 1
    if something is bad, 0 if there is nothing but warnings.
    """
    configure_log()
    try:
        findings = asyncio.run(_look(load_settings(), url, is_silent=as_json))
    except SettingsError as error:
        remedy = "Mend them where they are set; .env.example explains each."
        findings = [bad("settings", error.detail, remedy)]
        if not as_json:
            _show(findings[0])
    worst = [finding for finding in findings if finding.verdict == "bad"]
    if as_json:
        print_json({"good": not worst, "findings": findings})
    else:
        warnings = sum(finding.verdict == "warning" for finding in findings)
        click.echo(f"{len(findings)} looked at, {len(worst)} bad, {warnings} to see after.")
    if worst:
        raise SystemExit(1)


async def _look(settings: Settings, url: str | None, *, is_silent: bool) -> list[Finding]:
    findings = []
    async for finding in examine(settings, (url or _address(settings)).rstrip("/")):
        findings.append(finding)
        if not is_silent:
            _show(finding)
    return findings


def _address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _show(finding: Finding) -> None:
    sign, colour = _SIGNS[finding.verdict]
    click.echo(f"{click.style(sign, fg=colour)} {finding.check}: {finding.says}")
    if finding.remedy:
        click.echo(f"     → {finding.remedy}")
