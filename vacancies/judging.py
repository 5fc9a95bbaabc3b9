"""What is to be judged anew though nobody has reported: time has passed, or the policy is new."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from vacancies.commands import OPERATOR, Actor
from vacancies.database import Connection, Pool
from vacancies.errors import UnknownHome
from vacancies.homes import HOUR, hours_policy
from vacancies.models import DEFAULT_POLICY, CareHome, Policy


class Reevaluate(msgspec.Struct, frozen=True, kw_only=True):
    """Time has passed: judge the home anew. Nothing happens if that is no longer due."""

    home_id: str
    actor: Actor = OPERATOR

    @property
    def kind(self) -> None:
        return None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        if home is None:
            raise UnknownHome(f"There is no home {self.home_id}.")
        due = home.next_transition_at is not None and home.next_transition_at <= at
        return replace(home, evaluated_at=at) if due else home


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """Judge the home by another policy from now on."""

    home_id: str
    policy: Policy
    actor: Actor = OPERATOR

    @property
    def kind(self) -> None:
        return None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        if home is None:
            raise UnknownHome(f"There is no home {self.home_id}.")
        return home if home.policy == self.policy else replace(home, policy=self.policy)


async def select_due_homes(connection: Connection | Pool, limit: int) -> list[str]:
    """Ids of homes that time has changed, by the database's clock, oldest first."""
    rows = await connection.fetch(
        "SELECT home_id FROM home_state WHERE next_transition_at <= clock_timestamp()"
        " ORDER BY next_transition_at LIMIT $1",
        limit,
    )
    return [row["home_id"] for row in rows]


async def select_misjudged_homes(
    connection: Connection | Pool, limit: int
) -> list[tuple[str, Policy]]:
    """Ids of open homes that were last judged by another policy than holds for their municipality
    now, each with that one: the policy was changed, or the home is new or has moved."""
    # By place first: there are a few hundred of those, and all is right nearly always.
    rows = await connection.fetch(
        """
        WITH judged AS (
          SELECT DISTINCT coalesce(municipality, '') AS place, fresh_hours, ageing_hours
          FROM care_home WHERE status = 'open'
        ), wrong AS MATERIALIZED (
          SELECT judged.*, coalesce(p.fresh_hours, $2) AS fresh,
                 coalesce(p.ageing_hours, $3) AS ageing
          FROM judged LEFT JOIN LATERAL (
            SELECT fresh_hours, ageing_hours FROM reporting_policy
            WHERE starts_with(place, prefix) ORDER BY length(prefix) DESC LIMIT 1
          ) p ON true
          WHERE (judged.fresh_hours, judged.ageing_hours)
            <> (coalesce(p.fresh_hours, $2), coalesce(p.ageing_hours, $3))
        )
        SELECT h.id, wrong.fresh, wrong.ageing FROM wrong JOIN care_home h
          ON coalesce(h.municipality, '') = wrong.place
          AND (h.fresh_hours, h.ageing_hours) = (wrong.fresh_hours, wrong.ageing_hours)
        WHERE h.status = 'open' LIMIT $1
        """,
        limit,
        DEFAULT_POLICY.fresh_for // HOUR,
        DEFAULT_POLICY.ageing_for // HOUR,
    )
    return [(row["id"], hours_policy(row["fresh"], row["ageing"])) for row in rows]


async def select_sweep_lag(connection: Connection | Pool) -> float:
    """Seconds by which the oldest due transition is late, 0 if none is."""
    due: datetime | None
    row = await connection.fetchrow(
        "SELECT min(next_transition_at) AS due, clock_timestamp() AS clock FROM home_state"
    )
    assert row is not None
    due = row["due"]
    return 0.0 if due is None else max(0.0, (row["clock"] - due).total_seconds())
