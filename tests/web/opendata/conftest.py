"""A small region whose data are open: two homes with reports, one that is full, one closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Service, served
from vacancies.config import OpenData, Settings
from vacancies.operator import Operator

BASE = "https://freiplatz.example"
OPERATOR = Operator(name='Kreis "Muster\\stadt"', email="offen@kreis.example")


@pytest.fixture
async def region(settings: Settings) -> AsyncIterator[Service]:
    contributor = "http://dcat-ap.de/def/contributors/kreisMusterstadt"
    open_settings = replace(
        settings,
        public_url=BASE,
        operator=OPERATOR,
        open_data=OpenData(contributor=contributor),
    )
    async with served(open_settings) as service:
        await service.put_home("b", capacity={"long_term": 40, "short_term": 4})
        await service.put_home("a", municipality="05754008", contact={"phone": "05241 850"})
        await service.put_home("full", coordinates={"latitude": 51.85, "longitude": 8.38})
        await service.put_home("closed")
        await service.put_home("closed", status="closed")
        await service.report("b", {"count": 2}, {"care_form": "short_term", "count": 1})
        await service.report("full")
        yield service


async def fetch(service: Service, path: str, **headers: str) -> tuple[int, bytes, Any]:
    """(status, body as it was sent, unpacked if the client unpacks it, headers)."""
    async with service.client.get(service.url + path, headers=headers) as answer:
        return answer.status, await answer.read(), answer.headers
