"""Searches without a result are counted where they were meant for, and shown in groups only."""

from __future__ import annotations

from collections import Counter
from datetime import date

import shapely

from vacancies.board import Board
from vacancies.commands import Describe
from vacancies.database import Pool
from vacancies.homes import select_homes
from vacancies.listings import public_listing
from vacancies.models import CareForm, Point, Profile
from vacancies.municipalities import record_municipality
from vacancies.provider import ensure_provider
from vacancies.search import Query
from vacancies.unmet import Group, Row, Unmet, record_unmet, select_unmet
from vacancies.writer import Writer

DAY = date(2026, 11, 2)
TOWN, OTHER, DISTRICT = "05754008", "05754012", "05754"
HERE = Point(51.9, 8.38)


async def counted(pool: Pool) -> dict[tuple[str, str], int]:
    rows = await pool.fetch("SELECT * FROM unmet_search")
    assert {row["day"] for row in rows} <= {DAY}
    return {(row["municipality"], row["care_form"]): row["searches"] for row in rows}


async def a_board(pool: Pool, writer: Writer) -> Board:
    """With one home, in `TOWN`."""
    provider = await ensure_provider(pool, "traeger")
    profile = Profile(name="Haus", point=HERE, municipality=TOWN)
    await writer.submit(
        [Describe(home_id="anna", provider_id=provider.id, provider=provider.slug, profile=profile)]
    )
    board = Board()
    async with pool.acquire() as connection:
        homes = await select_homes(connection, ["anna"])
        board.apply([public_listing(home) for home in homes], homes[0].revision)
    return board


async def test_a_search_counts_once_and_for_each_care_form(pool: Pool, writer: Writer) -> None:
    board, unmet = await a_board(pool, writer), Unmet()
    forms = (CareForm.SHORT_TERM, CareForm.RESPITE)
    unmet.note(Query(centres=(HERE, Point(52.5, 13.4)), care_forms=forms), DAY)
    unmet.note(Query(municipality=DISTRICT), DAY)
    unmet.note(Query(municipality=OTHER), DAY)  # where no home is
    unmet.note(Query(care_forms=forms), DAY)  # of no place
    await unmet.flush(pool, board)
    expected = {
        (TOWN, "all"): 1,
        (TOWN, "short_term"): 1,
        (TOWN, "respite"): 1,
        (DISTRICT, "all"): 1,
    }
    assert await counted(pool) == expected
    await unmet.flush(pool, board)  # nothing is left, and nothing is added again
    assert await counted(pool) == expected


async def test_the_boundary_decides_and_not_the_nearest_home(pool: Pool, writer: Writer) -> None:
    board, unmet = await a_board(pool, writer), Unmet()
    async with pool.acquire() as connection:
        for key, west in ((TOWN, 8.3), (OTHER, 8.5)):
            area = shapely.box(west, 51.8, west + 0.2, 52.0)
            await record_municipality(connection, key, key, area)
    unmet.note(Query(centres=(Point(51.9, 8.55),)), DAY)
    unmet.note(Query(centres=(Point(48.1, 11.5),)), DAY)  # where nobody takes part
    await unmet.flush(pool, board)
    assert await counted(pool) == {(OTHER, "all"): 1}


async def test_small_groups_are_put_together(pool: Pool) -> None:
    rows = {
        Row(TOWN, "short_term", DAY): 12,
        Row(OTHER, "short_term", DAY): 6,
        Row("05754016", "short_term", DAY): 4,
        Row("05754020", "day", DAY): 9,
        Row("05711000", "short_term", DAY): 50,
        Row(TOWN, "short_term", date(2026, 10, 1)): 30,
    }
    async with pool.acquire() as connection:
        await record_unmet(connection, Counter(rows))
        forms = ["short_term", "day"]
        assert await select_unmet(connection, DISTRICT, DAY, DAY, forms) == [
            Group(TOWN, "short_term", 12),
            Group(None, "short_term", 10),
        ]
        assert await select_unmet(connection, OTHER, DAY, DAY, forms) == []
        await record_unmet(connection, Counter({Row(OTHER, "short_term", DAY): 4}))
        assert await select_unmet(connection, DISTRICT, DAY, DAY, forms) == [
            Group(TOWN, "short_term", 12),
            Group(OTHER, "short_term", 10),
        ]
