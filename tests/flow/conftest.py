"""What the tests of the running program share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_struct

from providers.auth import create_key
from providers.federation import following, stream
from tests.conftest import Service, fresh_database, served
from vacancies.config import Settings
from vacancies.database import Pool
from vacancies.provider import ensure_provider
from vacancies.servers import Servers


@pytest.fixture
async def key(pool: Pool) -> str:
    found = await ensure_provider(pool, "Träger")
    return await create_key(pool, found.id)


@pytest.fixture
async def herford(servers: Servers, template: str, settings: Settings) -> AsyncIterator[Service]:
    """A neighbour with a database of its own."""
    async with (
        fresh_database(servers, template) as url,
        served(replace(settings, database_url=url)) as service,
    ):
        yield service


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbours are looked after often, and tried again soon."""
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(following, "MATCH_SECONDS", 0.2)
    patience = replace_struct(stream.PATIENCE, first_pause=0.1, longest_pause=0.5)
    monkeypatch.setattr(stream, "PATIENCE", patience)
