"""Homes are judged by the policy of their municipality: a change of it is a revision."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from providers.reporting_policy import ReportingPolicy, record_policy
from vacancies.commands import Amend, Describe, Report
from vacancies.database import Pool
from vacancies.feed import Announcement
from vacancies.homes import select_homes
from vacancies.models import (
    CareForm,
    CareHome,
    Freshness,
    HomeStatus,
    Point,
    Policy,
    Profile,
    Vacancy,
)
from vacancies.provider import ensure_provider
from vacancies.sweeper import sweep
from vacancies.writer import Writer

HOUR = timedelta(hours=1)
WEEKLY = Policy(fresh_for=168 * HOUR, ageing_for=336 * HOUR)
LINES = (Vacancy(care_form=CareForm.SHORT_TERM, count=2),)


async def open_home(
    pool: Pool, writer: Writer, home_id: str, municipality: str | None, age: timedelta
) -> None:
    provider = await ensure_provider(pool, "Caritas")
    profile = Profile(name=home_id, point=Point(51.9, 8.4), municipality=municipality)
    await writer.submit(
        [
            Describe(
                home_id=home_id, provider_id=provider.id, provider=provider.slug, profile=profile
            ),
            Report(home_id=home_id, vacancies=LINES, observed_at=datetime.now(UTC) - age),
        ]
    )


async def set_policy(pool: Pool, prefix: str, fresh_hours: int, ageing_hours: int) -> None:
    async with pool.acquire() as connection:
        policy = ReportingPolicy(fresh_hours=fresh_hours, ageing_hours=ageing_hours)
        await record_policy(connection, prefix, policy)


async def home(pool: Pool, home_id: str) -> CareHome:
    (found,) = await select_homes(pool, [home_id])
    return found


async def test_a_changed_policy_is_a_revision_for_those_whom_it_concerns(
    pool: Pool, writer: Writer, announced: list[Announcement]
) -> None:
    await open_home(pool, writer, "here", "05754008", 100 * HOUR)
    await open_home(pool, writer, "there", "05758012", 100 * HOUR)
    await open_home(pool, writer, "nowhere", None, 100 * HOUR)
    assert await sweep(pool, writer) == 0
    announced.clear()
    await set_policy(pool, "05754", 168, 336)
    assert await sweep(pool, writer) == 1
    (news,) = announced
    (listing,) = news.listings or ()
    assert (listing.id, listing.freshness) == ("here", Freshness.FRESH)
    assert listing.free == {CareForm.SHORT_TERM: 2}
    stored = await home(pool, "here")
    assert stored.policy == WEEKLY
    assert stored.observed_at is not None
    assert stored.next_transition_at == stored.observed_at + WEEKLY.fresh_for
    assert await sweep(pool, writer) == 0


async def test_the_longest_prefix_holds_and_the_others_stay(pool: Pool, writer: Writer) -> None:
    await open_home(pool, writer, "town", "05754008", HOUR)
    await open_home(pool, writer, "district", "05754044", HOUR)
    await open_home(pool, writer, "other", "09162000", HOUR)
    await set_policy(pool, "05754008", 12, 24)
    await set_policy(pool, "05", 48, 96)
    await set_policy(pool, "", 36, 80)
    assert await sweep(pool, writer) == 3
    found = [(await home(pool, each)).policy.fresh_for // HOUR for each in ("town", "district")]
    assert found == [12, 48]
    assert (await home(pool, "other")).policy == Policy(fresh_for=36 * HOUR, ageing_for=80 * HOUR)


async def test_a_report_keeps_the_policy_and_a_home_that_moves_gets_another(
    pool: Pool, writer: Writer
) -> None:
    await set_policy(pool, "05754", 168, 336)
    await open_home(pool, writer, "a", "05754008", 100 * HOUR)
    assert await sweep(pool, writer) == 1, "a new home begins with the defaults"
    # From memory, in one statement.
    await writer.submit([Report(home_id="a", vacancies=LINES)])
    stored = await home(pool, "a")
    assert stored.policy == WEEKLY
    assert stored.observed_at is not None
    assert stored.next_transition_at == stored.observed_at + WEEKLY.fresh_for
    await writer.submit([Amend(home_id="a", changes={"municipality": "05758012"})])
    assert await sweep(pool, writer) == 1
    assert (await home(pool, "a")).policy == Policy()


async def test_closed_homes_are_left_alone(pool: Pool, writer: Writer) -> None:
    await open_home(pool, writer, "a", "05754008", HOUR)
    provider = await ensure_provider(pool, "Caritas")
    stored = await home(pool, "a")
    await writer.submit(
        [
            Describe(
                home_id="a",
                provider_id=provider.id,
                provider=provider.slug,
                profile=replace(stored.profile, status=HomeStatus.CLOSED),
            )
        ]
    )
    await set_policy(pool, "05754", 168, 336)
    assert await sweep(pool, writer) == 0
