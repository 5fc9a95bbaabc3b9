"""What a batch of accepted commands writes (the head, the states of homes, and the history), and
what stands in the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from vacancies.actors import Actor, Via
from vacancies.command import Kind
from vacancies.database import Connection, Pool
from vacancies.homes import decode_lines, encode_lines
from vacancies.models import CareHome, Vacancy


class Row(NamedTuple):
    """One accepted command: the state that it leaves, and what is appended to the history of
    reports (`kind`; None: nothing). Unless `is_over` it becomes the row of its home."""

    home: CareHome
    kind: Kind | None
    actor: Actor
    amended: dict[str, Any] | None
    is_over: bool  # a later row of the same home follows


class Written(NamedTuple):
    """The `first` revision of what was written, by which `transaction`, and the database's
    clock then."""

    first: int
    transaction: int
    at: datetime


async def write_changes(
    connection: Connection,
    rows: Sequence[Row],
    *,
    versions: Mapping[str, int] | None = None,
    at: datetime | None = None,
) -> Written | None:
    """Take a revision for each of `rows`, in their order, and write them.

    Without `versions` the homes must be locked already. With them they are locked here, in
    the order of their ids, and nothing is written (None) unless the row of each is still the
    version on which the decision rests, and the database's clock within a second of `at`.

    Locks the head, last, to the end of the transaction: commit soon.
    """
    row = await connection.fetchrow(
        """
        WITH locked AS MATERIALIZED (
          SELECT s.home_id FROM unnest($2::text[], $3::xid[]) AS seen(id, version)
          JOIN home_state s ON s.home_id = seen.id AND s.xmin = seen.version
          ORDER BY s.home_id FOR NO KEY UPDATE OF s
        ), told AS MATERIALIZED (
          SELECT t.lines::json AS vacancies, t.*
          FROM unnest($5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[],
                      $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
                      $12::text[], $13::bigint[], $14::bigint[], $15::text[], $16::text[],
                      $18::text[])
            WITH ORDINALITY AS t(id, lines, observed_at, reported_at, confirmed_at, evaluated_at,
                                 next_transition_at, kind, api_key_id, staff_id, via, amended,
                                 portal, position)
        ), head AS MATERIALIZED (
          UPDATE revision_head SET revision = revision + $1
          WHERE (SELECT count(*) FROM locked) = cardinality($2::text[])
            AND coalesce(abs(extract(epoch FROM clock_timestamp() - $4)) < 1, true)
            -- Always so: asked here, all is decoded before the head is locked.
            AND (SELECT count(*) FROM told) = $1
          RETURNING revision - $1 AS before
        ), state AS (
          UPDATE home_state s
          SET vacancies = told.vacancies, observed_at = told.observed_at,
              reported_at = told.reported_at, confirmed_at = told.confirmed_at,
              evaluated_at = told.evaluated_at, next_transition_at = told.next_transition_at,
              revision = head.before + told.position
          FROM head, told WHERE s.home_id = told.id AND told.position <> ALL ($17::bigint[])
        ), history AS (
          INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies,
                              api_key_id, staff_id, via, amended, portal)
          SELECT id, before + position, kind, greatest(observed_at, confirmed_at), evaluated_at,
                 vacancies, api_key_id, staff_id, via, amended::json, portal
          FROM head, told WHERE kind IS NOT NULL
        )
        SELECT before + 1 AS first, pg_current_xact_id()::xid AS transaction,
               clock_timestamp() AS at
        FROM head
        """,
        len(rows),
        list(versions or ()),
        list((versions or {}).values()),
        at,
        [row.home.id for row in rows],
        [encode_lines(row.home.vacancies) for row in rows],
        [row.home.observed_at for row in rows],
        [row.home.reported_at for row in rows],
        [row.home.confirmed_at for row in rows],
        [row.home.evaluated_at for row in rows],
        [row.home.next_transition_at for row in rows],
        [row.kind for row in rows],
        [row.actor.api_key_id for row in rows],
        [row.actor.staff_id for row in rows],
        [row.actor.via for row in rows],
        [row.amended and msgspec.json.encode(row.amended).decode() for row in rows],
        [position for position, row in enumerate(rows, 1) if row.is_over],
        [row.actor.portal for row in rows],
    )
    return None if row is None else Written(*row)


class Told(NamedTuple):
    """One entry of the history of a home. `said_at` is None before its first report; `portal` is
    where it was passed on from."""

    revision: int
    kind: Kind
    said_at: datetime | None
    reported_at: datetime
    vacancies: tuple[Vacancy, ...]
    via: Via
    staff_id: int | None
    portal: str | None


async def select_told(connection: Connection | Pool, home_id: str, limit: int) -> list[Told]:
    """What a home has said of its places, newest first: amendments say nothing of them."""
    rows = await connection.fetch(
        "SELECT revision, kind, observed_at, reported_at, vacancies, via, staff_id, portal"
        " FROM report"
        " WHERE home_id = $1 AND kind <> 'amendment' ORDER BY reported_at DESC, revision DESC"
        " LIMIT $2",
        home_id,
        limit,
    )
    return [
        Told(
            revision=row["revision"],
            kind=row["kind"],
            said_at=row["observed_at"],
            reported_at=row["reported_at"],
            vacancies=decode_lines(row["vacancies"]),
            via=row["via"],
            staff_id=row["staff_id"],
            portal=row["portal"],
        )
        for row in rows
    ]
