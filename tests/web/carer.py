"""Somebody who reports for homes by one-tap links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from providers.links import make_token
from providers.staff import ensure_membership, ensure_staff
from tests.conftest import Service
from vacancies.homes import select_homes
from vacancies.models import CareHome


class Carer:
    """Somebody who holds a link for home `a`."""

    def __init__(self, service: Service, membership_id: int) -> None:
        self.service = service
        self.membership_id = membership_id

    def link(self, home_id: str = "a", age: timedelta = timedelta()) -> str:
        secret = self.service.state.settings.secret_key
        token = make_token(secret, self.membership_id, home_id, datetime.now(UTC) - age)
        return f"/report/link/{token}"

    async def get(self, path: str) -> tuple[int, str]:
        async with self.service.client.get(self.service.url + path) as answer:
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Set-Cookie" not in answer.headers
            return answer.status, await answer.text()

    async def post(self, path: str, **fields: str) -> tuple[int, str]:
        """The page in the end, redirects followed."""
        named = {name.replace("__", "."): value for name, value in fields.items()}
        async with self.service.client.post(self.service.url + path, data=named) as answer:
            return answer.status, await answer.text()

    async def send(
        self, path: str, body: Any, key: str | None = None, client_time: str = ""
    ) -> tuple[int, Any]:
        headers = {"Idempotency-Key": key} if key else {}
        headers |= {"Client-Time": client_time} if client_time else {}
        async with self.service.client.post(
            self.service.url + path, json=body, headers=headers
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def home(self, home_id: str = "a") -> CareHome:
        (found,) = await select_homes(self.service.state.deployment.pool, [home_id])
        return found


async def carer_of(
    service: Service, home_id: str | None, email: str = "Pat@Anna.example", language: str = "en"
) -> Carer:
    pool = service.state.deployment.pool
    staff = await ensure_staff(pool, email, language=language)
    provider_id = await pool.fetchval("SELECT id FROM provider WHERE slug = 'caritas-musterstadt'")
    return Carer(service, await ensure_membership(pool, staff.id, provider_id, home_id))
