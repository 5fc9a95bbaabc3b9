"""New homes that wait for their municipality: until it decides, or until it turns out that nobody
has to."""

from __future__ import annotations

import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from providers.reporting_policy import ReportingPolicy, record_policy
from vacancies.actors import Actor
from vacancies.command import Command
from vacancies.commands import Describe, Report
from vacancies.database import Pool
from vacancies.errors import ChangedSince
from vacancies.feed import Announcement
from vacancies.homes import select_homes
from vacancies.judging import select_standing_of_new
from vacancies.models import CareForm, CareHome, Point, Profile, Standing, Vacancy
from vacancies.municipalities import record_municipality
from vacancies.provider import ensure_provider
from vacancies.rulings import Rate
from vacancies.sweeper import sweep
from vacancies.writer import Writer

WEST, EAST = shapely.box(8.0, 51.0, 8.5, 52.0), shapely.box(8.5, 51.0, 9.0, 52.0)
IN_WEST, IN_EAST, OUTSIDE = Point(51.5, 8.2), Point(51.5, 8.7), Point(48.0, 11.0)
WEST_KEY, EAST_KEY = "05754004", "05754008"
LINES = (Vacancy(care_form=CareForm.SHORT_TERM, count=2),)


async def approve_new(pool: Pool, prefix: str, *, approves: bool = True) -> None:
    async with pool.acquire() as connection:
        await record_policy(connection, prefix, ReportingPolicy(approve_new=approves))


async def join(pool: Pool, key: str, area: BaseGeometry) -> None:
    async with pool.acquire() as connection:
        await record_municipality(connection, key, f"Stadt {key}", area)


async def do(writer: Writer, command: Command) -> CareHome:
    (outcome,) = (await writer.submit([command])).outcomes
    if outcome.error is not None:
        raise outcome.error
    assert outcome.home is not None
    return outcome.home


async def put(
    pool: Pool, writer: Writer, point: Point, home_id: str = "home", stated: str | None = None
) -> CareHome:
    """As the API does it for a provider."""
    provider = await ensure_provider(pool, "Caritas")
    command = Describe(
        home_id=home_id,
        provider_id=provider.id,
        provider=provider.slug,
        profile=Profile(name=home_id, point=point, municipality=stated),
        standing=await select_standing_of_new(pool),
        actor=Actor(provider_id=provider.id, via="api"),
    )
    return await do(writer, command)


async def standing(pool: Pool, home_id: str = "home") -> Standing:
    (found,) = await select_homes(pool, [home_id])
    return found.standing


@pytest.fixture
async def verbund(pool: Pool) -> Pool:
    """Two municipalities; the one in the east approves new homes."""
    await join(pool, WEST_KEY, WEST)
    await join(pool, EAST_KEY, EAST)
    await approve_new(pool, EAST_KEY)
    return pool


async def test_where_nobody_approves_a_new_home_is_shown_at_once(
    pool: Pool, writer: Writer
) -> None:
    assert (await put(pool, writer, IN_EAST)).standing is Standing.NORMAL


async def test_a_new_home_waits_where_it_is_to_be_approved(verbund: Pool, writer: Writer) -> None:
    assert (await put(verbund, writer, IN_EAST)).standing is Standing.WAITING
    await sweep(verbund, writer)
    assert await standing(verbund) is Standing.WAITING
    await do(writer, Report(home_id="home", vacancies=LINES))
    assert await standing(verbund) is Standing.WAITING, "what it reports is kept"
    await do(writer, Rate(home_id="home", standing=Standing.NORMAL))
    # Nothing brings it back into the queue: neither the sweeper nor its provider.
    await put(verbund, writer, Point(51.6, 8.7))
    await sweep(verbund, writer)
    assert await standing(verbund) is Standing.NORMAL


@pytest.mark.parametrize("point", [IN_WEST, OUTSIDE])
async def test_elsewhere_the_sweeper_shows_it(
    verbund: Pool, writer: Writer, announced: list[Announcement], point: Point
) -> None:
    await put(verbund, writer, point)
    assert await sweep(verbund, writer) > 0
    assert await standing(verbund) is Standing.NORMAL
    listings = announced[-1].listings
    assert listings is not None
    assert listings[-1].profile.name == "home"


async def test_stating_another_municipality_passes_nobody_by(verbund: Pool, writer: Writer) -> None:
    await put(verbund, writer, IN_EAST, stated=WEST_KEY)
    await sweep(verbund, writer)
    assert await standing(verbund) is Standing.WAITING


async def test_a_home_that_comes_from_elsewhere_waits(verbund: Pool, writer: Writer) -> None:
    await put(verbund, writer, IN_WEST)
    await sweep(verbund, writer)
    await put(verbund, writer, IN_EAST)
    await sweep(verbund, writer)
    assert await standing(verbund) is Standing.WAITING


async def test_a_new_boundary_sends_no_home_back_into_the_queue(
    verbund: Pool, writer: Writer
) -> None:
    await put(verbund, writer, IN_WEST)
    await sweep(verbund, writer)
    await join(verbund, WEST_KEY, shapely.box(8.0, 51.0, 8.1, 52.0))
    await join(verbund, EAST_KEY, shapely.box(8.1, 51.0, 9.0, 52.0))
    await sweep(verbund, writer)
    (found,) = await select_homes(verbund, ["home"])
    assert (found.profile.municipality, found.standing) == (EAST_KEY, Standing.NORMAL)


async def test_who_waits_is_shown_when_nobody_approves_any_more(
    verbund: Pool, writer: Writer
) -> None:
    await put(verbund, writer, IN_EAST)
    await put(verbund, writer, IN_EAST, "refused")
    await do(writer, Rate(home_id="refused", standing=Standing.REFUSED))
    await sweep(verbund, writer)
    await approve_new(verbund, EAST_KEY, approves=False)
    await sweep(verbund, writer)
    assert await standing(verbund) is Standing.NORMAL
    assert await standing(verbund, "refused") is Standing.REFUSED, "somebody has decided"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Standing.NORMAL, Standing.REFUSED),
        (Standing.NORMAL, Standing.WAITING),
        (Standing.WAITING, Standing.FROZEN),
        (Standing.REFUSED, Standing.DECLINED),
    ],
)
async def test_what_two_clerks_do_at_once_does_not_undo_each_other(
    verbund: Pool, writer: Writer, before: Standing, after: Standing
) -> None:
    await put(verbund, writer, IN_EAST)
    await do(writer, Rate(home_id="home", standing=before))
    with pytest.raises(ChangedSince):
        await do(writer, Rate(home_id="home", standing=after))
    assert await standing(verbund) is before
