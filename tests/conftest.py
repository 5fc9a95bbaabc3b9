"""What tests share: real servers, a fresh database each, and a service that is served.

Nothing is mocked: Postgres and Valkey are the embedded ones, HTTP goes over sockets.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import hypothesis
import pytest
import structlog

from providers.auth import create_key
from vacancies.config import Settings
from vacancies.database import Pool, migrate, open_pool
from vacancies.deployment import Deployment, open_deployment
from vacancies.feed import Announcement
from vacancies.outbound import Outbound
from vacancies.provider import ensure_provider
from vacancies.servers import Servers, local_servers
from vacancies.writer import Writer
from web.app import create_app
from web.commands.serving import Stop, serve_listener
from web.connections import Connections, GuardedConfig
from web.state import State

TEMPLATE = "freiplatz_template"

# How fast Hypothesis finds its values says nothing about us (the first time on a machine it lists
# all of Unicode), nor does how long an example takes: the clock asserts nothing here.
hypothesis.settings.register_profile(
    "freiplatz", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None
)
hypothesis.settings.load_profile("freiplatz")


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """Commands set up the log for their whole process, which here is that of all tests."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Postgres and Valkey of this test run."""
    with local_servers(tmp_path_factory.mktemp("servers"), lambda line: None) as found:
        yield found


@pytest.fixture(scope="session")
def template(servers: Servers) -> str:
    """The name of a migrated database from which tests get theirs."""

    async def make() -> None:
        admin = await asyncpg.connect(servers.database_url)
        await admin.execute(f"CREATE DATABASE {TEMPLATE}")
        await admin.close()
        pool = await open_pool(_database(servers, TEMPLATE), size=1)
        await migrate(pool)
        await pool.close()

    asyncio.run(make())
    return TEMPLATE


def _database(servers: Servers, name: str) -> str:
    path, _, query = servers.database_url.partition("?")
    return f"{path.rsplit('/', 1)[0]}/{name}?{query}"


@asynccontextmanager
async def fresh_database(servers: Servers, template: str) -> AsyncIterator[str]:
    """The address of a migrated, empty database."""
    name = f"test_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(servers.database_url)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        url = _database(servers, name)
        connection = await asyncpg.connect(url)
        # An epoch of its own: all tests share one Redis.
        await connection.execute("UPDATE deployment SET epoch = $1", secrets.token_hex(16))
        await connection.close()
        yield url
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
async def database_url(servers: Servers, template: str) -> AsyncIterator[str]:
    """A fresh, migrated, empty database."""
    async with fresh_database(servers, template) as url:
        yield url


@pytest.fixture
def settings(database_url: str, servers: Servers, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=servers.redis_url,
        data_dir=tmp_path,
        secret_key="x" * 32,
    )


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url)
    yield pool
    await pool.close()


@pytest.fixture
def announced() -> list[Announcement]:
    """What the `writer` fixture has announced."""
    return []


@pytest.fixture
async def writer(pool: Pool, announced: list[Announcement]) -> AsyncIterator[Writer]:
    async with Writer(pool, announced.append) as writer:
        yield writer


@pytest.fixture
async def deployment(settings: Settings) -> AsyncIterator[Deployment]:
    async with open_deployment(settings) as deployment:
        yield deployment


@dataclass
class Service:
    """A served app: `url` without a slash at the end, a client, and its inner state."""

    url: str
    client: aiohttp.ClientSession
    state: State
    connections: Connections
    keys: dict[str, str] = field(default_factory=dict)

    async def key(self, provider: str = "caritas-musterstadt") -> str:
        """A key of that provider, which is made if need be."""
        if provider not in self.keys:
            found = await ensure_provider(self.state.deployment.pool, provider)
            self.keys[provider] = await create_key(self.state.deployment.pool, found.id)
        return self.keys[provider]

    async def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        provider: str | None = None,
        key: str | None = None,
        **more: Any,
    ) -> tuple[int, Any, Any]:
        """(status, decoded JSON, headers); with the key of `provider`, or `key`, if given."""
        headers = dict(more.pop("headers", {}))
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if provider is not None:
            headers["Authorization"] = f"Bearer {await self.key(provider)}"
        async with self.client.request(
            method, self.url + path, json=json, headers=headers, **more
        ) as answer:
            body = await answer.json() if await answer.read() else None
            return answer.status, body, answer.headers

    async def put_home(
        self, home_id: str, provider: str = "caritas-musterstadt", **profile: Any
    ) -> dict[str, Any]:
        """Create or replace a home, in Gütersloh unless told otherwise."""
        profile.setdefault("name", f"Haus {home_id}")
        if "address" not in profile:
            profile.setdefault("coordinates", {"latitude": 51.9, "longitude": 8.38})
        status, body, _ = await self.call(
            "PUT", f"/api/v1/homes/{home_id}", profile, provider=provider
        )
        assert status in (200, 201), body
        return dict(body)

    async def report(
        self,
        home_id: str,
        *lines: dict[str, Any],
        provider: str = "caritas-musterstadt",
        **more: Any,
    ) -> dict[str, Any]:
        """Report these lines; without a care form they are long-term."""
        vacancies = [{"care_form": "long_term", **line} for line in lines]
        status, body, _ = await self.call(
            "PUT",
            f"/api/v1/homes/{home_id}/vacancies",
            {"vacancies": vacancies, **more},
            provider=provider,
        )
        assert status == 200, body
        return dict(body)


@asynccontextmanager
async def served(
    settings: Settings,
    port: int = 0,
    outbound: Outbound | None = None,
    connections: Connections | None = None,
) -> AsyncIterator[Service]:
    """Serve the app of `settings` on `port` (0: a free one) of the loopback address. Unless
    `outbound` is given it calls nobody: no name has an address."""
    outbound = outbound or Outbound(lookup=_nowhere)
    async with (
        open_deployment(settings) as deployment,
        _served(deployment, port, outbound, connections) as service,
    ):
        yield service


async def _nowhere(host: str) -> list[str]:
    return []


@asynccontextmanager
async def _served(
    deployment: Deployment, port: int, outbound: Outbound, connections: Connections | None
) -> AsyncIterator[Service]:
    connections = Connections() if connections is None else connections
    app = create_app(deployment, outbound=outbound, connections=connections)
    listener = socket.socket()
    # A server that starts again finds the connections of the one before in TIME_WAIT.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()  # from now on connections wait until Hypercorn accepts
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = GuardedConfig(connections)
    config.accesslog = None
    config.loglevel = "WARNING"
    started, stop = asyncio.Event(), Stop()

    @app.while_serving
    async def signal_start() -> AsyncGenerator[None]:
        started.set()
        yield

    serving = asyncio.create_task(serve_listener(app, config, listener, stop))
    try:
        starting = asyncio.create_task(started.wait())
        await asyncio.wait({starting, serving}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        async with aiohttp.ClientSession() as client:
            yield Service(url, client, app.extensions["state"], connections)
    finally:
        stop.set()
        await serving


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """A served app with an empty database of its own."""
    async with served(settings) as service:
        yield service
