"""What the tests of the running program share."""

from __future__ import annotations

import pytest

from providers.auth import create_key
from vacancies.database import Pool
from vacancies.provider import ensure_provider


@pytest.fixture
async def key(pool: Pool) -> str:
    found = await ensure_provider(pool, "Träger")
    return await create_key(pool, found.id)
