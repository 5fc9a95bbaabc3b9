"""Made-up homes as a stored history: the real tables, and the real SQL that counts them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from scripts.lasting_record.histories import HISTORY_HOURS
from scripts.lasting_record.homes import Home
from vacancies.database import Connection
from vacancies.lasting import Cell
from vacancies.lasting_history import select_cells

# The made-up hours begin on a Monday, 00:00.
BEGIN = datetime(2026, 5, 4, tzinfo=UTC)
FITTED_AT = BEGIN + timedelta(hours=HISTORY_HOURS)
FORM = "long_term"


async def store(connection: Connection, homes: Sequence[Home]) -> int:
    """Put `homes` and what they report up to `FITTED_AT` into an empty database; returns how many
    reports there are. Whoever has nothing new to say confirms."""
    provider = await connection.fetchval(
        "INSERT INTO provider (slug, name) VALUES ('made-up', 'Made up')"
        " ON CONFLICT (slug) DO UPDATE SET name = excluded.name RETURNING id"
    )
    await connection.execute("DELETE FROM report")
    await connection.execute("DELETE FROM care_home")
    await connection.copy_records_to_table(
        "care_home",
        columns=[
            *("id", "provider_id", "name", "latitude", "longitude"),
            *("point_precision", "capacity", "moved_revision"),
        ],
        records=[
            (f"h{n}", provider, "Haus", 51.0, 8.0, "exact", json.dumps({FORM: home.licensed}), 0)
            for n, home in enumerate(homes)
        ],
    )
    rows = [row for n, home in enumerate(homes) for row in _reports(f"h{n}", home)]
    await connection.copy_records_to_table(
        "report",
        columns=["home_id", "revision", "kind", "observed_at", "reported_at", "vacancies"],
        records=rows,
        timeout=60,
    )
    await connection.execute("ANALYZE report")
    return len(rows)


def _reports(home_id: str, home: Home) -> list[tuple[object, ...]]:
    hours = home.reports[home.reports < HISTORY_HOURS]
    rows: list[tuple[object, ...]] = []
    said = -1
    for revision, (hour, free) in enumerate(zip(hours, home.places.free(hours), strict=True)):
        at = BEGIN + timedelta(hours=float(hour))
        lines = json.dumps([{"care_form": FORM, "count": int(free)}] if free else [])
        kind = "confirmation" if free == said else "report"
        rows.append((home_id, revision, kind, at, at, lines))
        said = free
    return rows


async def counted(connection: Connection) -> list[Cell]:
    async with connection.transaction():
        return await select_cells(connection, FITTED_AT)
