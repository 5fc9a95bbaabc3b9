from __future__ import annotations

import pytest

from tests.conftest import Service
from tests.web.desk.verbund import Verbund, a_verbund


@pytest.fixture
async def verbund(service: Service) -> Verbund:
    return await a_verbund(service)
