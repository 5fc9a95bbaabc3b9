"""A varied board: homes in every state that the standards have to say something about."""

from __future__ import annotations

from typing import Any

from tests.conftest import Service

BASE = "https://freiplatz.example"
FULL: dict[str, Any] = {
    "name": 'Haus "Ährenfeld" <b>am Park</b>',
    "address": {"street": "Parkstr. 1", "postcode": "33330", "city": "Gütersloh"},
    "coordinates": {"latitude": 51.9, "longitude": 8.38},
    "contact": {
        "phone": "05241 12345",
        "email": "haus@example.org",
        "website": "https://example.org/haus",
        "hours": "Mo bis Fr 9 bis 12 Uhr",
    },
    "municipality": "05754008",
    "capacity": {"long_term": 80, "short_term": 10},
    "costs": {"care_eur": 1500.5, "training_eur": 80, "board_eur": 900, "investment_eur": 500},
    "focuses": ["dementia"],
    "needs": ["mrsa", "couples"],
    "languages": ["tr", "gsg"],
    "waiting_list": "open",
}


async def make_region(service: Service) -> None:
    """The homes of `OPEN`, and `z-closed`, which is not public any more."""
    await service.put_home("a-free", **FULL)
    await service.report(
        "a-free",
        {"count": 3, "sex": "female", "care_grades": [3, 4]},
        {"care_form": "short_term", "count": 1, "available_until": "2099-12-31"},
    )
    await service.put_home("b_full~1", capacity={"day": 12}, name="Tagespflege Süd")
    await service.report("b_full~1")
    await service.put_home("c-silent", name="Haus ohne Meldung")
    await service.put_home(
        "d-stopped", capacity={"long_term": 40}, admission_stop={"reason": "infection"}
    )
    await service.report("d-stopped", {"count": 2})
    await service.put_home("e-stale", capacity={"hospice": 12}, provider="asb")
    await service.report(
        "e-stale",
        {"care_form": "hospice", "count": 2},
        observed_at="2026-01-01T12:00:00Z",
        provider="asb",
    )
    await service.put_home("f" * 64, capacity={"assisted_living": 40})
    await service.report("f" * 64, {"care_form": "assisted_living", "count": 4})
    await service.put_home("g.day", coordinates={"latitude": 48.1, "longitude": 11.5})
    await service.report("g.day", {"care_form": "night", "count": 1})
    await service.put_home("h-small", capacity={"long_term": 8})
    await service.report("h-small", {"count": 1, "sex": "male", "room": "double", "note": "Zi. 7"})
    await service.put_home("z-closed")
    await service.put_home("z-closed", status="closed")


OPEN = (
    "a-free",
    "b_full~1",
    "c-silent",
    "d-stopped",
    "e-stale",
    "f" * 64,
    "g.day",
    "h-small",
)
LICENCE = "https://www.govdata.de/dl-de/by-2-0"


async def get(service: Service, path: str, **headers: str) -> tuple[int, Any, Any]:
    """(status, decoded JSON, headers) of an address below the service, or a whole one."""
    path = path.removeprefix(BASE)
    async with service.client.get(service.url + path, headers=headers) as answer:
        text = await answer.read()
        body = await answer.json(content_type=None) if text else None
        return answer.status, body, answer.headers
