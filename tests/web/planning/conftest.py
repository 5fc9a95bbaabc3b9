from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.conftest import Service
from tests.vacancies.counted_homes import DAY, Home, Past, Told, count, store
from tests.waiting import until
from tests.web.desk.verbund import DISTRICT, OTHER, TOWN, Verbund
from vacancies.database import Pool

FIRST, LAST = date(2026, 7, 1), date(2026, 9, 30)
# What a spreadsheet would calculate.
FORMULA = "=1+1"


def daily(count_on: dict[int, int], days: int = 92) -> list[Told]:
    """A report at noon of every day; `count_on` is from which day on so many are free."""
    told, free = [], 0
    for number in range(days):
        free = count_on.get(number, free)
        at = datetime(2026, 7, 1, 10, tzinfo=UTC) + timedelta(days=number)
        told.append(Told("report", at, at, [{"care_form": "long_term", "count": free}]))
    return told


HOMES = {
    # Four free in July, two afterwards.
    "anna": Home([Past(FIRST, TOWN, True, {"long_term": 40})], daily({0: 4, 31: 2})),
    # Silent from August on, and without staff in September.
    "berta": Home(
        [
            Past(FIRST, OTHER, True, {"long_term": 100, "short_term": 10}),
            Past(date(2026, 9, 1), OTHER, True, {"long_term": 100}, stop=("staff", None)),
        ],
        daily({0: 10}, 31),
    ),
    "foreign": Home([Past(FIRST, "05711000", True, {"long_term": 40})], daily({0: 40})),
}


async def counted(pool: Pool) -> None:
    """The third quarter of 2026 as it would stand there."""
    await store(pool, HOMES)
    await count(pool, FIRST, LAST)
    await pool.execute("DELETE FROM planning_due; DELETE FROM planning_head")
    await pool.execute(
        "INSERT INTO planning_head VALUES (true, $1, $2, $3, $4, now())",
        FIRST,
        LAST,
        FIRST + 10 * DAY,
        2**62,
    )
    await pool.execute(
        "INSERT INTO unmet_search VALUES ($1, 'all', $3, 24), ($2, 'all', $3, 7),"
        " ($1, 'hospice', $3, 9)",
        TOWN,
        OTHER,
        FIRST,
    )


async def has_looked(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM planning_head)"))


@pytest.fixture
async def verbund(service: Service) -> Verbund:
    """Homes of three municipalities, of which two lie in the district."""
    made = Verbund(service)
    for key, name in ((DISTRICT, "Kreis Gütersloh"), (TOWN, "Gütersloh"), (OTHER, FORMULA)):
        await made.join(key, name)
        await made.appoint(f"{key}@example.org", key)
    # The service has looked at its empty history, and looks again in minutes.
    await until(lambda: has_looked(made.pool))
    await counted(made.pool)
    return made
