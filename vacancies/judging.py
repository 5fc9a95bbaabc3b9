"""What is to be judged anew though nobody has reported: time has passed, the policy is new, or a
new home turns out to need no approval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from vacancies.command import Unrecorded
from vacancies.database import Connection, Pool
from vacancies.homes import HOUR, stored_policy
from vacancies.models import DEFAULT_POLICY, CareHome, Policy, Standing


class Reevaluate(Unrecorded, frozen=True, kw_only=True):
    """Time has passed: judge the home anew. Nothing happens if that is no longer due."""

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home = self.known(home)
        due = home.next_transition_at is not None and home.next_transition_at <= at
        return replace(home, evaluated_at=at) if due else home


class Judge(Unrecorded, frozen=True, kw_only=True):
    """Judge the home by another policy from now on."""

    policy: Policy

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home = self.known(home)
        return home if home.policy == self.policy else replace(home, policy=self.policy)


class Admit(Unrecorded, frozen=True, kw_only=True):
    """No approval is needed where the home lies: show it. Nothing happens if it has come to another
    municipality than `municipality` since, or somebody has decided."""

    municipality: str | None

    def decide(self, home: CareHome | None, at: datetime) -> CareHome:
        home = self.known(home)
        is_same = home.profile.municipality == self.municipality
        if home.standing is not Standing.WAITING or not is_same:
            return home
        return replace(home, standing=Standing.NORMAL)


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
          SELECT DISTINCT coalesce(municipality, '') AS place,
                 fresh_hours, ageing_hours, detail_places
          FROM care_home WHERE status = 'open'
        ), wrong AS MATERIALIZED (
          SELECT judged.*, coalesce(p.fresh_hours, $2) AS fresh,
                 coalesce(p.ageing_hours, $3) AS ageing, coalesce(p.detail_places, $4) AS detail
          FROM judged LEFT JOIN LATERAL (
            SELECT * FROM reporting_policy
            WHERE starts_with(place, prefix) ORDER BY length(prefix) DESC LIMIT 1
          ) p ON true
          WHERE (judged.fresh_hours, judged.ageing_hours, judged.detail_places)
            <> (coalesce(p.fresh_hours, $2), coalesce(p.ageing_hours, $3),
                coalesce(p.detail_places, $4))
        )
        SELECT h.id, wrong.fresh, wrong.ageing, wrong.detail FROM wrong JOIN care_home h
          ON coalesce(h.municipality, '') = wrong.place
          AND (h.fresh_hours, h.ageing_hours, h.detail_places)
            = (wrong.fresh_hours, wrong.ageing_hours, wrong.detail_places)
        WHERE h.status = 'open' LIMIT $1
        """,
        limit,
        DEFAULT_POLICY.fresh_for // HOUR,
        DEFAULT_POLICY.ageing_for // HOUR,
        DEFAULT_POLICY.detail_places,
    )
    return [(row["id"], stored_policy(row["fresh"], row["ageing"], row["detail"])) for row in rows]


async def select_standing_of_new(connection: Connection | Pool) -> Standing:
    """What a home is that a provider creates. Where it lies is looked at by the sweeper: so it
    waits as soon as anybody in the deployment approves homes, and `select_homes_to_admit` finds it
    if its own municipality does not."""
    approves: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reporting_policy WHERE approve_new)"
    )
    return Standing.WAITING if approves else Standing.NORMAL


async def select_homes_to_admit(
    connection: Connection, generation: int, limit: int
) -> list[tuple[str, str | None]]:
    """Ids of homes that wait in vain, with their municipalities: nobody approves homes there. Those
    that boundaries of `generation` have not been asked about may still come to another one."""
    rows = await connection.fetch(
        "SELECT id, municipality FROM care_home WHERE standing = 'waiting' AND status = 'open'"
        " AND (boundaries >= $1 OR assigned_by = 'hand') AND NOT coalesce((SELECT approve_new"
        " FROM reporting_policy WHERE starts_with(coalesce(municipality, ''), prefix)"
        " ORDER BY length(prefix) DESC LIMIT 1), false) LIMIT $2",
        generation,
        limit,
    )
    return [(row["id"], row["municipality"]) for row in rows]


async def select_approving(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those of the municipality keys in which new homes must be approved."""
    rows = await connection.fetch(
        "SELECT key FROM unnest($1::text[]) key WHERE (SELECT approve_new FROM reporting_policy"
        " WHERE starts_with(key, prefix) ORDER BY length(prefix) DESC LIMIT 1)",
        keys,
    )
    return {row["key"] for row in rows}


async def select_sweep_lag(connection: Connection | Pool) -> float:
    """Seconds by which the oldest due transition is late, 0 if none is."""
    due: datetime | None
    row = await connection.fetchrow(
        "SELECT min(next_transition_at) AS due, clock_timestamp() AS clock FROM home_state"
    )
    assert row is not None
    due = row["due"]
    return 0.0 if due is None else max(0.0, (row["clock"] - due).total_seconds())
