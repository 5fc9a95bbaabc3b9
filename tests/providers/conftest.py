"""A home that has reported, and what must stay as it is when a call is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Service
from tests.providers.reminder_town import Town
from vacancies.database import Pool
from vacancies.writer import Writer

PROVIDER = "caritas-musterstadt"
PATH = "/api/v1/homes/a/vacancies"
ONE: dict[str, Any] = {"vacancies": [{"care_form": "long_term", "count": 1}]}


@pytest.fixture
async def ready(service: Service) -> Service:
    await service.put_home("a", capacity={"long_term": 40})
    await service.report("a", {"count": 2})
    return service


async def state_of(service: Service) -> tuple[Any, ...]:
    row = await service.state.deployment.pool.fetchrow(
        "SELECT (SELECT revision FROM revision_head), (SELECT count(*) FROM report),"
        " (SELECT array_agg(care_home ORDER BY id)::text FROM care_home),"
        " (SELECT array_agg(home_state ORDER BY home_id)::text FROM home_state)"
    )
    assert row is not None
    return tuple(row)


def ago(**age: float) -> str:
    return (datetime.now(UTC) - timedelta(**age)).isoformat()


@pytest.fixture
async def town(pool: Pool, writer: Writer, tmp_path: Path) -> Town:
    found = Town(pool, writer, tmp_path / "mail")
    await found.set_policy()
    return found
