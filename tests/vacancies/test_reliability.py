"""How reliable the reports of a home have been: over histories in Postgres."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from tests.vacancies.test_writer import describe
from vacancies.database import Pool
from vacancies.reliability import Currency, Reliability, Rhythm, select_reliability
from vacancies.writer import Writer

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Said(NamedTuple):
    """`ago` it reached us; it was true `before` that, or nothing was said any more (None)."""

    ago: timedelta
    before: timedelta | None = timedelta()
    kind: str = "report"


async def remember(pool: Pool, history: Sequence[Said], home: str = "a") -> None:
    await pool.executemany(
        "INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies)"
        " VALUES ($1, $2, $3, $4, $5, '[]')",
        [
            (
                home,
                number,
                said.kind,
                None if said.before is None else NOW - said.ago - said.before,
                NOW - said.ago,
            )
            for number, said in enumerate(history, 1)
        ],
    )


async def reliability(pool: Pool, writer: Writer, *history: Said) -> Reliability | None:
    await describe(pool, writer, "a", "b")
    await remember(pool, history)
    # Another home of the same days must not count.
    await remember(pool, [Said(n * HOUR) for n in range(2_000)], "b")
    return await select_reliability(pool, "a", NOW)


def every(step: timedelta, days: int = 60) -> list[Said]:
    """The oldest first."""
    number = int(days * DAY / step)
    return [Said(n * step + HOUR) for n in reversed(range(number))]


@pytest.mark.parametrize(
    ("step", "current_days", "currency", "rhythm"),
    [
        (timedelta(hours=6), 30, Currency.MOSTLY, Rhythm.DAILY),
        (timedelta(hours=24), 30, Currency.MOSTLY, Rhythm.DAILY),
        (timedelta(hours=30), 24, Currency.OFTEN, Rhythm.DAILY),
        (timedelta(hours=48), 15, Currency.SELDOM, Rhythm.SOMETIMES),
        (timedelta(days=6), 5, Currency.SELDOM, Rhythm.WEEKLY),
        (timedelta(days=20), 1, Currency.SELDOM, Rhythm.RARELY),
    ],
)
async def test_current_days_are_time_in_which_it_was_fresh(
    pool: Pool,
    writer: Writer,
    step: timedelta,
    current_days: int,
    currency: Currency,
    rhythm: Rhythm,
) -> None:
    found = await reliability(pool, writer, *every(step))
    assert found is not None
    assert (found.days, found.current_days) == (30, current_days)
    assert (found.currency, found.rhythm) == (currency, rhythm)
    assert found.undone_at is None


async def test_what_came_late_was_not_current_before(pool: Pool, writer: Writer) -> None:
    """A report that was 23 hours old when it came was current for an hour."""
    late = [Said(n * DAY, 23 * HOUR) for n in reversed(range(60))]
    found = await reliability(pool, writer, *late)
    assert found == Reliability(days=30, current_days=1, told_days=30)


async def test_the_last_report_before_the_window_still_counts(pool: Pool, writer: Writer) -> None:
    history = (Said(60 * DAY), Said(30 * DAY + 12 * HOUR), Said(29 * DAY))
    found = await reliability(pool, writer, *history)
    assert found == Reliability(days=30, current_days=1, told_days=1)


@pytest.mark.parametrize(("age", "days"), [(14 * DAY, 14), (20.5 * DAY, 20), (400 * DAY, 30)])
async def test_a_young_home_is_judged_from_its_first_report_on(
    pool: Pool, writer: Writer, age: timedelta, days: int
) -> None:
    found = await reliability(pool, writer, Said(age), Said(HOUR))
    assert found is not None
    assert found.days == days


@pytest.mark.parametrize(
    "history",
    [
        (),
        (Said(14 * DAY - timedelta(seconds=1)), Said(HOUR)),
        (Said(40 * DAY, kind="amendment"), Said(HOUR)),
    ],
)
async def test_nothing_is_said_of_too_short_a_history(
    pool: Pool, writer: Writer, history: tuple[Said, ...]
) -> None:
    assert await reliability(pool, writer, *history) is None
    assert await select_reliability(pool, "nobody", NOW) is None


async def test_undo_and_amendment_are_no_reports(pool: Pool, writer: Writer) -> None:
    history = (
        Said(30 * DAY - HOUR),
        Said(10 * DAY, kind="amendment"),
        Said(3 * DAY, kind="confirmation"),
        Said(2 * DAY, None, "undo"),  # back to before the first report: nothing is said
    )
    found = await reliability(pool, writer, *history)
    assert found is not None
    assert (found.told_days, found.undone_at) == (2, NOW - 2 * DAY)
    assert found.current_days == 2, "one of each telling, none from the undo on"


async def test_the_policy_of_the_home_counts(pool: Pool, writer: Writer) -> None:
    await describe(pool, writer, "a")
    await remember(pool, every(timedelta(hours=48)))
    await pool.execute("UPDATE care_home SET fresh_hours = 48, ageing_hours = 72 WHERE id = 'a'")
    found = await select_reliability(pool, "a", NOW)
    assert found is not None
    assert found.current_days == 30


@pytest.mark.parametrize("seed", range(8))
async def test_as_if_somebody_had_looked_every_hour(pool: Pool, writer: Writer, seed: int) -> None:
    """An oracle that knows no SQL: at each full hour, what had been said last by then."""
    chance = random.Random(seed)
    hours = sorted(chance.sample(range(1, 1_000), chance.randint(5, 120)), reverse=True)
    kinds = ("report", "report", "confirmation", "undo", "amendment")
    history = [
        Said(n * HOUR, chance.randint(0, 40) * HOUR, chance.choice(kinds)) for n in hours
    ] + [Said(timedelta())]
    history.insert(0, Said(1_200 * HOUR))
    found = await reliability(pool, writer, *history)
    assert found is not None
    heard = [said for said in history if said.kind != "amendment"]
    current = 0
    for ago in range(30 * 24, 0, -1):  # the hour that begins so long ago
        last = [said for said in heard if said.ago >= ago * HOUR][-1]
        assert last.before is not None
        current += last.ago + last.before - ago * HOUR < 24 * HOUR
    assert found.current_days == current // 24
