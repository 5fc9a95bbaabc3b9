"""Which days are counted when, what comes late, and what a killed process leaves."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from providers.federation.neighbours import ensure_foreign_providers, record_neighbour
from tests.vacancies.counted_homes import DAY, Home, Past, count, store, stored
from tests.waiting import until
from vacancies.command import Command
from vacancies.commands import Amend, Confirm, Describe, Report, Undo
from vacancies.database import CONNECTION_ERRORS, Pool, borrowed
from vacancies.foreign import Adopt
from vacancies.listings import local_date
from vacancies.models import (
    AdmissionStop,
    CareForm,
    Freshness,
    HomeStatus,
    Origin,
    Point,
    Profile,
    StopReason,
    Vacancy,
)
from vacancies.provider import ensure_provider
from vacancies.reports import select_told
from vacancies.rollup_days import ALL
from vacancies.rollups import look, roll_up
from vacancies.writer import Writer

HOUR = timedelta(hours=1)
FIRST = date(2025, 10, 20)
PROFILE = Profile(
    name="Haus",
    point=Point(51.9, 8.38),
    municipality="05754008",
    capacity={CareForm.LONG_TERM: 40, CareForm.SHORT_TERM: 4},
)


async def describe(pool: Pool, writer: Writer, *ids: str) -> None:
    provider = await ensure_provider(pool, "traeger")
    for home_id in ids:
        await submit(
            writer,
            Describe(
                home_id=home_id, provider_id=provider.id, provider=provider.slug, profile=PROFILE
            ),
        )


async def submit(writer: Writer, command: Command) -> None:
    settled = await writer.submit([command])
    assert settled.outcomes[0].error is None


def free(count: int, form: CareForm = CareForm.LONG_TERM) -> tuple[Vacancy, ...]:
    return (Vacancy(care_form=form, count=count),)


async def take_back(pool: Pool, writer: Writer, home_id: str) -> None:
    """As the report page does it."""
    told = await select_told(pool, home_id, 2)
    before = told[1] if len(told) > 1 else None
    await submit(
        writer,
        Undo(
            home_id=home_id,
            vacancies=before.vacancies if before else (),
            said_at=before.said_at if before else None,
        ),
    )


async def something(dice: random.Random, pool: Pool, writer: Writer, home_id: str) -> None:
    """Something about the home that comes late."""
    now = datetime.now(UTC)
    told = await select_told(pool, home_id, 1)
    last = (told[0].said_at if told else None) or now - dice.randrange(6, 12) * DAY
    at = min(now, last + dice.choice([0.5, 9, 30, 60]) * HOUR)
    what = dice.choice(["report", "report", "confirm", "undo", "stop"])
    if what == "report" or not told or told[0].said_at is None:
        await submit(
            writer, Report(home_id=home_id, vacancies=free(dice.randrange(9)), observed_at=at)
        )
    elif what == "confirm":
        await submit(writer, Confirm(home_id=home_id, observed_at=at))
    elif what == "undo" and told[0].kind != "undo":
        await take_back(pool, writer, home_id)
    elif what == "stop":
        stop = dice.choice([None, AdmissionStop(reason=StopReason.STAFF)])
        await submit(writer, Amend(home_id=home_id, changes={"admission_stop": stop}))


@pytest.mark.parametrize("seed", range(6))
async def test_what_comes_late_is_counted_as_if_it_had_come_in_time(
    pool: Pool, writer: Writer, seed: int
) -> None:
    dice = random.Random(seed)
    ids = ["anna", "berta", "clara"]
    await describe(pool, writer, *ids)
    for home_id in ids[:2]:
        await something(dice, pool, writer, home_id)
    await roll_up(pool)
    assert await stored(pool)
    for _ in range(25):
        for _ in range(dice.randrange(3)):
            await something(dice, pool, writer, dice.choice(ids))
        await roll_up(pool)
    by_and_by = await stored(pool), await stored(pool, "month")
    head = await pool.fetchrow("SELECT * FROM planning_head")
    assert head is not None
    await pool.execute("TRUNCATE planning_rollup, planning_stop")
    await count(pool, head["since"], head["until"])
    assert by_and_by == (await stored(pool), await stored(pool, "month"))


async def test_a_look_without_news_counts_nothing(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "anna")
    at = datetime.now(UTC) - 5 * DAY
    await submit(writer, Report(home_id="anna", vacancies=free(2), observed_at=at))
    assert await roll_up(pool) == 5
    assert await roll_up(pool) == 0
    await submit(writer, Report(home_id="anna", vacancies=free(3)))
    await submit(writer, Amend(home_id="anna", changes={"admission_stop": None}))
    assert await roll_up(pool) == 0  # today is not over


async def look_at(pool: Pool, now: datetime) -> None:
    async with borrowed(pool) as connection:
        await look(connection, now)


async def test_a_day_keeps_what_the_home_was_on_it(pool: Pool, writer: Writer) -> None:
    now = datetime.now(UTC)
    today = local_date(now)
    await describe(pool, writer, "anna")
    await submit(writer, Report(home_id="anna", vacancies=free(2)))
    await roll_up(pool)
    moved = {"municipality": "05711000", "capacity": {CareForm.LONG_TERM: 90}}
    await submit(writer, Amend(home_id="anna", changes=moved))
    await look_at(pool, now + DAY)
    await look_at(pool, now + 2 * DAY)
    await roll_up(pool)
    found = await stored(pool)
    assert found["long_term", "05754008", today, "medium"]["licensed"] == 40
    assert found["long_term", "05711000", today + DAY, "large"]["licensed"] == 90
    assert ("long_term", "05754008", today + DAY, "medium") not in found


async def test_before_the_first_look_stops_and_closing_are_taken_from_the_history(
    pool: Pool, writer: Writer
) -> None:
    today = local_date(datetime.now(UTC))
    await describe(pool, writer, "anna", "berta")
    for home_id in ("anna", "berta"):
        at = datetime.now(UTC) - 6 * DAY
        await submit(writer, Report(home_id=home_id, vacancies=free(2), observed_at=at))
    stop = AdmissionStop(reason=StopReason.INFECTION)
    await submit(writer, Amend(home_id="anna", changes={"admission_stop": stop}))
    closed = replace(PROFILE, status=HomeStatus.CLOSED)
    provider = await ensure_provider(pool, "traeger")
    await submit(
        writer,
        Describe(home_id="berta", provider_id=provider.id, provider="traeger", profile=closed),
    )
    await pool.execute(
        "UPDATE report SET reported_at = reported_at - interval '4 days' WHERE kind = 'amendment'"
    )
    await pool.execute("UPDATE care_home SET closed_at = closed_at - interval '2 days'")
    await roll_up(pool)
    found = await stored(pool)

    def homes(days: int, *reason: str) -> int:
        key = (ALL, "05754008", today - days * DAY, "medium", *reason)
        return found.get(key, Counter())["homes"]

    assert [homes(days) for days in (6, 5, 4, 3, 2, 1)] == [2, 2, 2, 2, 1, 1]
    assert [homes(days, "infection") for days in (6, 5, 4, 3, 2, 1)] == [0, 0, 1, 1, 1, 1]


async def test_whoever_is_killed_leaves_the_work_to_the_next(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "anna")
    at = datetime.now(UTC) - 70 * DAY
    await submit(writer, Report(home_id="anna", vacancies=free(2), observed_at=at))
    async with pool.acquire() as other:
        # Whoever counts comes as far as the months.
        holding = other.transaction()
        await holding.start()
        await other.execute("LOCK TABLE planning_stop IN EXCLUSIVE MODE")
        counting = asyncio.create_task(roll_up(pool))

        async def kill() -> bool:
            return bool(
                await pool.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )
            )

        await until(kill)
        with pytest.raises(CONNECTION_ERRORS):
            await counting
        await holding.rollback()
    assert await pool.fetchval("SELECT count(*) FROM planning_due") == 70
    assert await stored(pool) == {}
    assert await roll_up(pool) == 70
    assert await pool.fetchval("SELECT count(*) FROM planning_due") == 0


async def test_one_process_counts(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "anna")
    at = datetime.now(UTC) - 3 * DAY
    await submit(writer, Report(home_id="anna", vacancies=free(2), observed_at=at))
    assert sorted(await asyncio.gather(roll_up(pool), roll_up(pool))) == [0, 3]


async def test_the_desk_sees_its_own_alone(pool: Pool) -> None:
    homes = {
        "a": Home([Past(FIRST, "05754008", True, {"long_term": 20}, stop=("staff", None))]),
        "b": Home([Past(FIRST, "05711000", True, {"long_term": 20}, stop=("staff", None))]),
    }
    await store(pool, homes)
    await count(pool, FIRST, FIRST)
    await pool.execute(
        "INSERT INTO unmet_search VALUES ('05754008', 'all', $1, 12), ('05711000', 'all', $1, 9)",
        FIRST,
    )
    async with borrowed(pool) as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE freiplatz_desk")
        for desk, seen in (("05754", {"05754008"}), ("057", {"05754008", "05711000"}), ("", set())):
            await connection.execute("SELECT set_config('freiplatz.desk', $1, true)", desk)
            for table in ("planning_rollup", "planning_stop", "unmet_search"):
                rows = await connection.fetch(f"SELECT municipality FROM {table}")
                assert {row["municipality"] for row in rows} == seen, (desk, table)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT FROM home_past")


async def test_homes_of_neighbours_are_not_planned_with(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "own")
    url = "https://freiplatz.herford.example"
    await record_neighbour(pool, "herford", "Kreis Herford", url, "", "")
    ids = await ensure_foreign_providers(pool, ["herford/caritas"])
    adopt = Adopt(
        home_id="herford/anna",
        provider_id=ids["herford/caritas"],
        provider="herford/caritas",
        origin=Origin(slug="herford", name="Kreis Herford", url=url, said=Freshness.FRESH),
        profile=Profile(name="Haus Anna", point=Point(52.12, 8.67)),
        vacancies=(),
        observed_at=datetime.now(UTC),
        confirmed_at=None,
    )
    await submit(writer, adopt)
    await roll_up(pool)
    assert [row["home_id"] for row in await pool.fetch("SELECT home_id FROM home_past")] == ["own"]
