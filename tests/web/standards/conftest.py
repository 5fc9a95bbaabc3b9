"""A service with the varied board of `region.py`."""

from __future__ import annotations

import pytest

from tests.conftest import Service
from tests.web.standards.region import make_region


@pytest.fixture
async def region(service: Service) -> Service:
    await make_region(service)
    return service
