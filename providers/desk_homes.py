"""The homes of a municipality as its desk sees them: what waits for somebody first.

Everything here is asked within `at_desk`.
"""

from __future__ import annotations

from typing import Literal, get_args

import asyncpg
import msgspec

from vacancies.database import Connection
from vacancies.homes import IS_AWAITED, home_from_row
from vacancies.listings import REGION
from vacancies.models import CareHome

PAGE_HOMES = 100

State = Literal[
    "open",
    "waiting",
    "wrong",
    "silent",
    "nobody",
    "stopped",
    "frozen",
    "declined",
    "refused",
    "closed",
]
STATES: tuple[State, ...] = get_args(State)


class DeskHome(msgspec.Struct, frozen=True, kw_only=True):
    """A home with all that it has reported; how many `people` may report for it, and how many
    `corrections` of readers are open."""

    home: CareHome
    people: int
    corrections: int


# `is_late`: it takes part, and what it said last is no longer fresh, as its listing was judged.
_SEEN = f"""
    WITH seen AS (
      SELECT h.id, h.name, h.status, h.standing, said.at AS said_at,
             coalesce(own.people, 0) + coalesce(admin.people, 0) AS people,
             coalesce(wrong.corrections, 0) AS corrections,
             h.status = 'open' AND h.{IS_AWAITED} AND (said.at IS NULL OR
               s.evaluated_at - said.at >= make_interval(hours => h.fresh_hours)) AS is_late,
             h.stop_reason IS NOT NULL AND coalesce(h.stop_until
               >= (s.evaluated_at AT TIME ZONE '{REGION.key}')::date, true) AS is_stopped
      FROM care_home h JOIN home_state s ON s.home_id = h.id
      CROSS JOIN LATERAL (SELECT greatest(s.observed_at, s.confirmed_at) AS at) said
      LEFT JOIN (SELECT home_id, count(*) AS people FROM membership
                 WHERE home_id IS NOT NULL GROUP BY 1) own ON own.home_id = h.id
      LEFT JOIN (SELECT provider_id, count(*) AS people FROM membership
                 WHERE home_id IS NULL GROUP BY 1) admin ON admin.provider_id = h.provider_id
      LEFT JOIN (SELECT home_id, count(*) AS corrections FROM correction
                 WHERE done_at IS NULL GROUP BY 1) wrong ON wrong.home_id = h.id
      WHERE strpos(lower(concat_ws(' ', h.name, h.postcode, h.city)), lower($1)) > 0
    )
"""
_IN_STATE: dict[State, str] = {
    "open": "status = 'open' AND standing <> 'refused'",
    "waiting": "status = 'open' AND standing = 'waiting'",
    "wrong": "status = 'open' AND corrections > 0",
    "silent": "is_late AND people > 0",
    "nobody": "is_late AND people = 0",
    "stopped": "status = 'open' AND is_stopped",
    "frozen": "status = 'open' AND standing = 'frozen'",
    "declined": "status = 'open' AND standing = 'declined'",
    "refused": "status = 'open' AND standing = 'refused'",
    "closed": "status <> 'open'",
}
# Who has been silent longest comes first among those who are; the others by name.
_ORDER = """
    CASE WHEN standing = 'waiting' THEN 0 WHEN corrections > 0 THEN 1
         WHEN is_late AND people > 0 THEN 2 WHEN is_late THEN 3
         WHEN standing = 'frozen' THEN 4 ELSE 5 END,
    CASE WHEN is_late THEN coalesce(said_at, '-infinity') END, name, id
"""


async def count_homes(connection: Connection, name: str = "") -> dict[State, int]:
    """How many homes are in each state, of those whose name or place has `name` in it."""
    counts = ", ".join(
        f"count(*) FILTER (WHERE {condition}) AS {state}" for state, condition in _IN_STATE.items()
    )
    row = await connection.fetchrow(f"{_SEEN} SELECT {counts} FROM seen", name)
    assert row is not None
    return {state: row[state] for state in STATES}


async def select_desk_homes(
    connection: Connection, state: State, name: str = "", page: int = 1
) -> list[DeskHome]:
    """A page of those that `count_homes` has counted, at most `PAGE_HOMES`."""
    rows = await connection.fetch(
        _whole(f"SELECT * FROM seen WHERE {_IN_STATE[state]} ORDER BY {_ORDER} LIMIT $2 OFFSET $3"),
        name,
        PAGE_HOMES,
        (page - 1) * PAGE_HOMES,
    )
    return list(map(_desk_home, rows))


async def select_desk_home(connection: Connection, home_id: str) -> DeskHome | None:
    """One home, in whatever state; None if the desk does not see it."""
    row = await connection.fetchrow(_whole("SELECT * FROM seen WHERE id = $2"), "", home_id)
    return None if row is None else _desk_home(row)


def _whole(chosen: str) -> str:
    """The query for all that belongs to the homes which that part of it chooses, in its order."""
    return (
        f"{_SEEN} SELECT h.*, s.*, p.slug AS provider, page.people, page.corrections"
        f" FROM (SELECT row_number() OVER () AS place, chosen.* FROM ({chosen}) chosen) page"
        " JOIN care_home h ON h.id = page.id JOIN home_state s ON s.home_id = h.id"
        " JOIN provider p ON p.id = h.provider_id ORDER BY page.place"
    )


def _desk_home(row: asyncpg.Record) -> DeskHome:
    return DeskHome(home=home_from_row(row), people=row["people"], corrections=row["corrections"])
