"""The history of what homes have said."""

from __future__ import annotations

from collections.abc import Sequence

from vacancies.commands import Command, Outcome
from vacancies.database import Connection
from vacancies.homes import encode_lines


async def insert_reports(
    connection: Connection, accepted: Sequence[tuple[Command, Outcome]]
) -> None:
    """Append the accepted reports and confirmations of a batch, each with its revision."""
    rows = [
        (
            home.id,
            home.revision,
            command.kind,
            home.last_said_at,
            home.evaluated_at,
            encode_lines(home.vacancies),
            command.actor.api_key_id,
        )
        for command, outcome in accepted
        if command.kind is not None and (home := outcome.home) is not None
    ]
    if not rows:
        return
    await connection.execute(
        "INSERT INTO report (home_id, revision, kind, observed_at, reported_at, vacancies,"
        " api_key_id) SELECT home_id, revision, kind, observed_at, reported_at, lines::jsonb, key"
        " FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[],"
        " $5::timestamptz[], $6::text[], $7::bigint[])"
        " AS r(home_id, revision, kind, observed_at, reported_at, lines, key)",
        *(list(column) for column in zip(*rows, strict=True)),
    )
