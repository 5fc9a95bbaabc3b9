"""A service with the varied board of `region.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.conftest import Service, served
from tests.web.standards.region import BASE, make_region
from vacancies.config import Settings


@pytest.fixture
async def region(settings: Settings) -> AsyncIterator[Service]:
    async with served(replace(settings, public_url=BASE)) as service:
        await make_region(service)
        yield service
