"""What a batch of accepted commands writes: the head, the states of homes, and the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vacancies.commands import Kind
from vacancies.database import Connection
from vacancies.homes import encode_lines
from vacancies.models import CareHome


class Row(NamedTuple):
    """One accepted command: the state that it leaves, and what is appended to the history of
    reports (`kind`; None: nothing). With `is_state` it becomes the row of its home."""

    home: CareHome
    kind: Kind | None
    api_key_id: int | None
    is_state: bool


async def write_changes(connection: Connection, rows: Sequence[Row]) -> int:
    """Take a revision for each of `rows`, in their order, and write them; returns the first.

    The homes must be locked. Locks the head to the end of the transaction: commit soon.
    """
    before: int = await connection.fetchval(
        """
        WITH head AS (
          UPDATE revision_head SET revision = revision + $1 RETURNING revision - $1 AS before
        ), told AS MATERIALIZED (
          SELECT (SELECT before FROM head) + t.position AS revision,
                 t.lines::jsonb AS vacancies, t.*
          FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[],
                      $6::timestamptz[], $7::timestamptz[], $8::timestamptz[],
                      $9::text[], $10::bigint[], $11::bool[])
            WITH ORDINALITY AS t(id, lines, observed_at, reported_at, confirmed_at, evaluated_at,
                                 next_transition_at, kind, api_key_id, is_state, position)
        ), state AS (
          UPDATE home_state s
          SET vacancies = told.vacancies, observed_at = told.observed_at,
              reported_at = told.reported_at, confirmed_at = told.confirmed_at,
              evaluated_at = told.evaluated_at, next_transition_at = told.next_transition_at,
              revision = told.revision
          FROM told WHERE s.home_id = told.id AND told.is_state
        ), history AS (
          INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies,
                              api_key_id)
          SELECT id, revision, kind, greatest(observed_at, confirmed_at), evaluated_at,
                 vacancies, api_key_id
          FROM told WHERE kind IS NOT NULL
        )
        SELECT before FROM head
        """,
        len(rows),
        [row.home.id for row in rows],
        [encode_lines(row.home.vacancies) for row in rows],
        [row.home.observed_at for row in rows],
        [row.home.reported_at for row in rows],
        [row.home.confirmed_at for row in rows],
        [row.home.evaluated_at for row in rows],
        [row.home.next_transition_at for row in rows],
        [row.kind for row in rows],
        [row.api_key_id for row in rows],
        [row.is_state for row in rows],
    )
    return before + 1
