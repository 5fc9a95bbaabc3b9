"""Two deployments, each with its own database; one may report to the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import Service, fresh_database, served
from tests.waiting import until
from tests.web.staff import PROVIDER
from tests.web.webhooks.conftest import Bench, open_bench
from vacancies.config import Settings
from vacancies.deployment import Deployment
from vacancies.outbound import Outbound
from vacancies.provider import ensure_provider
from vacancies.reports import Told, select_told
from vacancies.servers import Servers
from web.alerts.sealing import Seal
from web.portals.asking import PATH
from web.portals.copies import Copy, Verdict, record_verdicts, select_copies
from web.portals.links import insert_link, record_trouble
from web.webhooks.endpoints import pause_webhook


@pytest.fixture
async def near(settings: Settings) -> AsyncIterator[Service]:
    """A service that may call this machine."""
    async with served(settings, outbound=Outbound(allow_loopback=True)) as service:
        yield service


@pytest.fixture
async def there_settings(
    servers: Servers, template: str, settings: Settings, tmp_path: Path
) -> AsyncIterator[Settings]:
    async with fresh_database(servers, template) as url:
        yield replace(settings, database_url=url, data_dir=tmp_path / "there")


@pytest.fixture
async def there(there_settings: Settings) -> AsyncIterator[Service]:
    """The other one, which may call this machine too."""
    async with served(there_settings, outbound=Outbound(allow_loopback=True)) as service:
        yield service


@pytest.fixture
async def bench(deployment: Deployment) -> AsyncIterator[Bench]:
    async with open_bench(deployment) as found:
        yield found


async def connect(service: Service, url: str, key: str) -> str:
    """Let reports of the provider be passed on to `url`; the id of the link."""
    pool = service.state.deployment.pool
    provider = await ensure_provider(pool, PROVIDER)
    seal = Seal(service.state.settings.secret_key)
    async with pool.acquire() as connection, connection.transaction():
        return await insert_link(connection, seal, provider.id, url + PATH, key, datetime.now(UTC))


async def a_portal(service: Service) -> str:
    """The path of a link at which something was taken and something refused; it is paused."""
    pool = service.state.deployment.pool
    link = await connect(service, "https://other.example.org", "fp_" + 40 * "x")
    async with pool.acquire() as connection, connection.transaction():
        await pause_webhook(connection, link)
        (copy,) = await select_copies(connection, link, ["a"])
        why = Verdict(outcome="refused", code="strange", detail="x" * 100)
        await record_verdicts(connection, link, [(copy, why)], datetime.now(UTC))
        await record_trouble(connection, link, "strange")
    return f"/webhooks/portals/{link}"


async def copy_of(service: Service, link_id: str, home_id: str) -> Copy:
    (found,) = await select_copies(service.state.deployment.pool, link_id, [home_id])
    return found


async def is_settled(service: Service, link_id: str, home_id: str, outcome: str = "taken") -> bool:
    """Whether what the home says now was answered so."""
    found = await copy_of(service, link_id, home_id)
    is_so = found.verdict is not None and found.verdict.outcome == outcome
    return is_so and not found.is_due


async def settled(service: Service, link_id: str, *home_ids: str, outcome: str = "taken") -> None:
    for home_id in home_ids:
        await until(lambda h=home_id: is_settled(service, link_id, h, outcome))  # type: ignore[misc]


async def history(service: Service, home_id: str) -> list[Told]:
    """What the home has said there, newest first."""
    return await select_told(service.state.deployment.pool, home_id, 50)
