"""People, a provider and a home for tests, straight in the database."""

from __future__ import annotations

from providers.staff import Staff, ensure_membership, ensure_staff
from vacancies.commands import Describe
from vacancies.database import Pool
from vacancies.models import Point, Profile
from vacancies.provider import Provider, ensure_provider
from vacancies.writer import Writer

ANNA = "anna@example.org"
BERT = "bert@example.org"


async def a_provider(pool: Pool, writer: Writer, *homes: str, name: str = "Caritas") -> Provider:
    """A provider with these homes."""
    provider = await ensure_provider(pool, name)
    for home in homes:
        profile = Profile(name=f"Haus {home}", point=Point(51.9, 8.38))
        described = Describe(
            home_id=home, provider_id=provider.id, provider=provider.slug, profile=profile
        )
        settled = await writer.submit([described])
        assert settled.outcomes[0].error is None
    return provider


async def a_person(
    pool: Pool, provider: Provider, email: str = ANNA, home: str | None = None
) -> Staff:
    """Somebody who may report for that home, or for all of the provider."""
    staff = await ensure_staff(pool, email)
    await ensure_membership(pool, staff.id, provider.id, home)
    return staff
