"""Homes come to the municipality in which they lie, and stay where somebody has put them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from vacancies.assignment import (
    Assign,
    AssignByHand,
    Assigner,
    Place,
    mark_looked_at,
    release,
    select_homes_of_nobody,
    select_unassigned,
)
from vacancies.command import Command
from vacancies.commands import Describe, Report
from vacancies.database import Pool
from vacancies.feed import Announcement
from vacancies.homes import select_homes
from vacancies.models import Assignment, CareForm, CareHome, Point, Profile, Vacancy
from vacancies.municipalities import Names, delete_municipality, record_municipality
from vacancies.provider import ensure_provider
from vacancies.sweeper import sweep
from vacancies.writer import Writer

WEST, EAST = shapely.box(8.0, 51.0, 8.5, 52.0), shapely.box(8.5, 51.0, 9.0, 52.0)
IN_WEST, IN_EAST, OUTSIDE = Point(51.5, 8.2), Point(51.5, 8.7), Point(48.0, 11.0)
WEST_KEY, EAST_KEY = "05754004", "05754008"


async def describe(
    pool: Pool, writer: Writer, home_id: str, point: Point, stated: str | None = None
) -> None:
    provider = await ensure_provider(pool, "Caritas")
    profile = Profile(name=home_id, point=point, municipality=stated)
    await do(
        writer,
        Describe(home_id=home_id, provider_id=provider.id, provider=provider.slug, profile=profile),
    )


async def do(writer: Writer, *commands: Command) -> Sequence[bool]:
    outcomes = (await writer.submit(commands)).outcomes
    assert [outcome.error for outcome in outcomes] == [None] * len(commands)
    return [outcome.changed for outcome in outcomes]


async def home(pool: Pool, home_id: str) -> CareHome:
    (found,) = await select_homes(pool, [home_id])
    return found


async def belongs(pool: Pool, home_id: str) -> tuple[str | None, str | None]:
    found = await home(pool, home_id)
    return found.profile.municipality, found.assignment.by


async def join(pool: Pool, key: str, area: BaseGeometry | None) -> None:
    async with pool.acquire() as connection:
        await record_municipality(connection, key, f"Stadt {key}", area)


async def test_a_boundary_brings_the_homes_within_it(
    pool: Pool, writer: Writer, announced: list[Announcement]
) -> None:
    await describe(pool, writer, "a", IN_WEST)
    await describe(pool, writer, "b", IN_EAST, "09162000")
    await describe(pool, writer, "c", OUTSIDE, "09162000")
    assert await sweep(pool, writer) == 0
    await join(pool, WEST_KEY, WEST)
    await join(pool, EAST_KEY, EAST)
    announced.clear()
    assert await sweep(pool, writer) == 2
    assert await belongs(pool, "a") == (WEST_KEY, "position")
    assert await belongs(pool, "b") == (EAST_KEY, "position")
    assert await belongs(pool, "c") == ("09162000", None)
    told = {listing.id for news in announced for listing in news.listings or ()}
    assert told == {"a", "b"}
    # Looked at once, and then left alone: "c" got no revision for it.
    async with pool.acquire() as connection:
        assert await select_unassigned(connection, 2, 10) == []
    assert await sweep(pool, writer) == 0


async def test_a_provider_cannot_state_its_home_away(pool: Pool, writer: Writer) -> None:
    await join(pool, WEST_KEY, WEST)
    await describe(pool, writer, "a", IN_WEST)
    await sweep(pool, writer)
    revision = (await home(pool, "a")).revision
    await describe(pool, writer, "a", IN_WEST, "09162000")
    assert await belongs(pool, "a") == (WEST_KEY, "position")  # at once, not after the sweep
    await sweep(pool, writer)
    stored = await home(pool, "a")
    assert (stored.profile.municipality, stored.revision) == (WEST_KEY, revision + 1)
    # The same again is no change.
    await describe(pool, writer, "a", IN_WEST, "09162000")
    assert (await home(pool, "a")).revision == stored.revision


async def test_a_home_that_moves_is_looked_at_again(pool: Pool, writer: Writer) -> None:
    await join(pool, WEST_KEY, WEST)
    await join(pool, EAST_KEY, EAST)
    await describe(pool, writer, "a", IN_WEST)
    await sweep(pool, writer)
    await describe(pool, writer, "a", IN_EAST)
    assert await sweep(pool, writer) == 1
    assert await belongs(pool, "a") == (EAST_KEY, "position")
    await describe(pool, writer, "a", OUTSIDE, WEST_KEY)
    await sweep(pool, writer)
    assert await belongs(pool, "a") == (None, None)


async def test_by_hand_holds_until_it_is_taken_back(pool: Pool, writer: Writer) -> None:
    await join(pool, WEST_KEY, WEST)
    await join(pool, EAST_KEY, EAST)
    await describe(pool, writer, "a", IN_WEST)
    await sweep(pool, writer)
    assert await do(writer, AssignByHand(home_id="a", municipality=EAST_KEY)) == [True]
    assert await do(writer, AssignByHand(home_id="a", municipality=EAST_KEY)) == [False]
    await describe(pool, writer, "a", IN_WEST, WEST_KEY)
    await join(pool, WEST_KEY, WEST)
    await sweep(pool, writer)
    assert await belongs(pool, "a") == (EAST_KEY, "hand")
    await do(writer, AssignByHand(home_id="a", municipality=None))
    await sweep(pool, writer)
    assert await belongs(pool, "a") == (WEST_KEY, "position")


async def test_what_was_found_from_an_old_position_changes_nothing(
    pool: Pool, writer: Writer
) -> None:
    """It moved, or was assigned by hand, between the look and the write."""
    await describe(pool, writer, "a", IN_WEST)
    seen = Place("a", IN_WEST, None, None, None)
    late = Assign(place=seen, municipality=WEST_KEY, by="position", boundaries=1)
    await describe(pool, writer, "a", IN_EAST)
    assert await do(writer, late) == [False]
    await describe(pool, writer, "a", IN_WEST)
    await do(writer, AssignByHand(home_id="a", municipality=EAST_KEY))
    assert await do(writer, late) == [False]


async def test_who_leaves_leaves_its_homes_to_the_area_around(pool: Pool, writer: Writer) -> None:
    await join(pool, "05754", shapely.box(8, 51, 9, 52))
    await join(pool, WEST_KEY, WEST)
    await describe(pool, writer, "a", IN_WEST)
    await describe(pool, writer, "b", OUTSIDE)
    await do(writer, AssignByHand(home_id="b", municipality=WEST_KEY))
    await sweep(pool, writer)
    assert [await belongs(pool, i) for i in "ab"] == [(WEST_KEY, "position"), (WEST_KEY, "hand")]
    await release(pool, writer, WEST_KEY)
    async with pool.acquire() as connection:
        await delete_municipality(connection, WEST_KEY)
    await sweep(pool, writer)
    assert [await belongs(pool, i) for i in "ab"] == [("05754", "position"), (None, None)]
    assert [found[0] for found in await select_homes_of_nobody(pool)] == ["b"]


async def test_reports_keep_the_assignment(pool: Pool, writer: Writer) -> None:
    """A process that knows the home from before its assignment was marked."""
    await join(pool, WEST_KEY, WEST)
    await describe(pool, writer, "a", IN_WEST)
    await sweep(pool, writer)
    lines = (Vacancy(care_form=CareForm.SHORT_TERM, count=1),)
    await do(writer, Report(home_id="a", vacancies=lines))
    stored = await home(pool, "a")
    assert stored.assignment == Assignment(stated=None, by="position", boundaries=1)
    assert stored.vacancies == lines


async def test_a_newer_boundary_is_seen_by_an_assigner_that_knows_the_old_one(
    pool: Pool, writer: Writer
) -> None:
    assigner = Assigner()
    await join(pool, WEST_KEY, WEST)
    await describe(pool, writer, "a", IN_WEST)
    await describe(pool, writer, "b", IN_EAST)
    async with pool.acquire() as connection:
        looked: list[int] = []
        assert await assigner.run(connection, writer, looked.append) == 1
        assert sum(looked) == 2
    await join(pool, WEST_KEY, WEST.union(EAST))
    async with pool.acquire() as connection:
        assert await assigner.run(connection, writer) == 1
    assert await belongs(pool, "b") == (WEST_KEY, "position")


async def test_a_home_that_states_what_is_right_gets_no_revision(
    pool: Pool, writer: Writer, announced: list[Announcement]
) -> None:
    await describe(pool, writer, "a", IN_WEST, WEST_KEY)
    await join(pool, WEST_KEY, WEST)
    announced.clear()
    assert await sweep(pool, writer) == 0
    assert announced == []
    assert await belongs(pool, "a") == (WEST_KEY, "position")
    # From now on it is held there, whatever its provider states.
    assert (await home(pool, "a")).assignment.boundaries == 1


async def test_an_older_boundary_does_not_win_over_a_newer_one(pool: Pool, writer: Writer) -> None:
    await join(pool, WEST_KEY, WEST)
    await join(pool, EAST_KEY, EAST)
    await describe(pool, writer, "a", IN_WEST)
    seen = Place("a", IN_WEST, None, None, None)
    await sweep(pool, writer)
    late = Assign(place=seen, municipality=EAST_KEY, by="position", boundaries=1)
    again = Assign(place=seen, municipality=WEST_KEY, by="position", boundaries=2)
    assert await do(writer, late, again) == [False, False]


async def test_what_is_marked_is_what_was_seen(pool: Pool, writer: Writer) -> None:
    """Somebody takes a hand-made assignment back while the sweeper looks."""
    await join(pool, WEST_KEY, WEST)
    await describe(pool, writer, "a", IN_WEST)
    await sweep(pool, writer)
    await join(pool, WEST_KEY, WEST)
    async with pool.acquire() as connection:
        (place,) = await select_unassigned(connection, 2, 10)
        await do(writer, AssignByHand(home_id="a", municipality=None))
        await mark_looked_at(connection, [(place, "position")], 2)
        assert len(await select_unassigned(connection, 2, 10)) == 1
    await sweep(pool, writer)
    assert await belongs(pool, "a") == (WEST_KEY, "position")


async def test_names_outlive_the_database(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    await join(pool, WEST_KEY, None)
    names = Names(pool)
    assert await names.all() == {WEST_KEY: f"Stadt {WEST_KEY}"}
    monkeypatch.setattr(names, "_until", 0.0)

    async def gone(query: str) -> list[object]:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(names, "_pool", SimpleNamespace(fetch=gone))
    assert await names.all() == {WEST_KEY: f"Stadt {WEST_KEY}"}
