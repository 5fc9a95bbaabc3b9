"""`freiplatz demo`: fills an empty database with a made-up region, and keeps it alive."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import click

from providers.auth import create_key, hash_key
from providers.demo import MOST_HOMES, DemoHome, made_up_advice, made_up_region
from providers.demo_live import PER_MINUTE, KeyOf, live_reports, select_live_homes
from vacancies.advice import upsert_advice_offices
from vacancies.command import Command
from vacancies.commands import Describe, Report
from vacancies.config import load_settings
from vacancies.database import Pool
from vacancies.deployment import Deployment, open_deployment
from vacancies.errors import FreiplatzError
from vacancies.provider import ensure_provider, select_provider

_CHUNK_HOMES = 500  # the usual demo is one commit: there, or not there
_LABEL = "demo --live"


class NotADemo(FreiplatzError):
    """The database holds real homes: made-up ones and reports must not get among them."""

    code = "not_a_demo"


@click.command()
@click.option("--homes", type=click.IntRange(1, MOST_HOMES), default=300, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Other seed, other homes.")
@click.option("--live", is_flag=True, help="Keep a demo alive with reports until stopped.")
@click.option("--url", help="Where the demo is served (with --live).")
@click.option(
    "--per-minute",
    type=click.FloatRange(0.1, 6_000),
    default=PER_MINUTE,
    show_default=True,
    help="Reports a minute (with --live).",
)
def demo(homes: int, seed: int, live: bool, url: str | None, per_minute: float) -> None:
    """Fill an empty database with a made-up region, or keep it alive (--live)."""
    if live:
        asyncio.run(_live(url, per_minute))
    else:
        asyncio.run(_fill(homes, seed))


def _say(line: str) -> None:
    click.echo(line, err=True)


async def _fill(homes: int, seed: int) -> None:
    async with open_deployment(load_settings(), report=_say) as deployment:
        await fill_demo(deployment, homes, seed)
    click.echo(f"{homes} made-up homes are there. `freiplatz serve` shows them.")


async def _live(url: str | None, per_minute: float) -> None:
    settings = load_settings()
    async with open_deployment(settings, report=_say) as deployment:
        _say("Reporting until stopped (Ctrl-C).")
        await keep_alive(
            deployment, url or f"http://127.0.0.1:{settings.port}", per_minute, said=_say
        )


async def fill_demo(
    deployment: Deployment,
    homes: int,
    seed: int,
    report: Callable[[str], None] = _say,
) -> None:
    """Write a made-up region into an empty database and mark it as a demo.

    Raises `NotADemo` if there are homes already, and changes nothing then.
    """
    if not await deployment.is_empty():
        raise NotADemo(
            "This database holds homes already; a demo goes only into an empty one. Choose"
            " another data folder (FREIPLATZ_DATA_DIR) or database."
        )
    report(f"Making up a region with {homes} homes.")
    # Before the first home, so that no page ever shows them as real ones.
    await deployment.pool.execute("UPDATE deployment SET demo = true")
    now: datetime = await deployment.pool.fetchval("SELECT clock_timestamp()")
    with click.progressbar(
        made_up_region(homes, seed, now),
        length=homes,
        label="Demo",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    ) as region:
        chunk: list[DemoHome] = []
        for home in region:
            chunk.append(home)
            if len(chunk) == _CHUNK_HOMES:
                await _write(deployment, chunk)
                chunk = []
        if chunk:
            await _write(deployment, chunk)
    async with deployment.pool.acquire() as connection:
        await upsert_advice_offices(connection, made_up_advice(homes, seed))


async def _write(deployment: Deployment, homes: Sequence[DemoHome]) -> None:
    commands: list[Command] = []
    names = dict.fromkeys(home.provider for home in homes)
    providers = {name: await ensure_provider(deployment.pool, name) for name in names}
    for home in homes:
        provider = providers[home.provider]
        commands.append(
            Describe(
                home_id=home.id,
                provider_id=provider.id,
                provider=provider.slug,
                profile=home.profile,
            )
        )
        if home.vacancies is not None:
            commands.append(
                Report(home_id=home.id, vacancies=home.vacancies, observed_at=home.observed_at)
            )
    settled = await deployment.writer.submit(commands)
    for outcome in settled.outcomes:
        if outcome.error is not None:
            raise outcome.error


async def keep_alive(
    deployment: Deployment,
    base_url: str,
    per_minute: float = PER_MINUTE,
    *,
    said: Callable[[str], None] = lambda _: None,
    most: int | None = None,
) -> int:
    """Send reports for the demo that is served at `base_url`, until cancelled.

    Raises `NotADemo` for a database that is not marked as one.
    """
    if not await deployment.is_demo():
        raise NotADemo(
            "This database is not a demo, so nobody may make up reports for it. Fill an empty"
            " one first: freiplatz demo."
        )
    async with _keys(deployment.pool) as key_of:
        homes = await select_live_homes(deployment.pool)
        return await live_reports(base_url, key_of, homes, per_minute, said=said, most=most)


@asynccontextmanager
async def _keys(pool: Pool) -> AsyncIterator[KeyOf]:
    """A key for each provider when it is first needed; none of them outlives the command."""
    keys: dict[str, str] = {}

    async def key_of(slug: str) -> str:
        if slug not in keys:
            provider = await select_provider(pool, slug)
            if provider is None:
                raise NotADemo(f"The provider {slug} has gone. Start again.")
            keys[slug] = await create_key(pool, provider.id, _LABEL)
        return keys[slug]

    try:
        yield key_of
    finally:
        await pool.execute(
            "UPDATE api_key SET revoked_at = now() WHERE label = $1 AND revoked_at IS NULL"
            " AND hash = ANY($2)",
            _LABEL,
            [hash_key(key) for key in keys.values()],
        )
