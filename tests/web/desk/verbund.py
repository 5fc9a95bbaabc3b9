"""Two municipalities in one district, with a home and people each, and everything that can be
private about them: what belongs to the second is called `SECRET` or contains it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from providers.desks import DeskRole, ensure_desk_member, insert_act, select_desks_of
from providers.reporting_policy import ReportingPolicy, record_policy
from providers.staff import ensure_membership, ensure_staff
from tests.conftest import Service
from tests.web.staff import Desk, a_desk, sign_in
from vacancies.corrections import Matter, insert_correction
from vacancies.database import Pool
from vacancies.municipalities import record_municipality
from vacancies.provider import ensure_provider

DISTRICT, TOWN, OTHER = "05754", "05754008", "05754012"
SECRET = "secret"


@dataclass
class Verbund:
    """The service, with homes `home` in `TOWN` and `other-home` in `OTHER`."""

    service: Service

    @property
    def pool(self) -> Pool:
        return self.service.state.deployment.pool

    async def join(self, key: str, name: str) -> None:
        async with self.pool.acquire() as connection:
            await record_municipality(connection, key, name)

    async def appoint(self, email: str, key: str, role: DeskRole = "admin") -> None:
        person = await ensure_staff(self.pool, email)
        await ensure_desk_member(self.pool, person.id, key, role)

    @asynccontextmanager
    async def browser(self, email: str) -> AsyncIterator[Desk]:
        """Of somebody who is signed in."""
        async with a_desk(self.service) as desk:
            await sign_in(self.service, desk, email)
            yield desk


async def a_verbund(service: Service) -> Verbund:
    made = Verbund(service)
    for key, name, home, provider, mark in (
        (TOWN, "Gütersloh", "home", "caritas", "open"),
        (OTHER, "Halle", "other-home", "diakonie", SECRET),
    ):
        await made.join(key, name)
        point = {"latitude": 51.9, "longitude": 8.38 if key == TOWN else 8.6}
        profile = {"municipality": key, "name": f"Haus {name}", "coordinates": point}
        await service.put_home(home, provider, **profile)
        await service.report(home, {"count": 2, "note": f"{mark} note"}, provider=provider)
        staff = await ensure_staff(made.pool, f"{mark}@home.example", name=f"{mark} carer")
        owner = await ensure_provider(made.pool, provider)
        await ensure_membership(made.pool, staff.id, owner.id, home)
        await made.appoint(f"{mark}@town.example", key)
        async with made.pool.acquire() as connection:
            await insert_correction(connection, home, Matter.OTHER, f"{mark} words", None)
            policy = ReportingPolicy(municipality_email=f"{mark}@policy.example")
            await record_policy(connection, key, policy)
            member = await ensure_staff(connection, f"{mark}@town.example")
            (desk,) = await select_desks_of(connection, member.id)
            await insert_act(connection, desk, f"{mark}_act", home, said=f"{mark} act")
        await made.pool.execute(
            "INSERT INTO reminder (home_id, since, due_at, told) VALUES ($1, now(), now(), $2)",
            home,
            [f"{mark} told"],
        )
        await made.pool.execute(
            "INSERT INTO call_feedback (home_id, kind, revision, network)"
            " VALUES ($1, 'taken', 1, $2)",
            home,
            mark.encode(),
        )
    return made
