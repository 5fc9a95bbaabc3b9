"""The same call twice has one effect and one answer (header `Idempotency-Key`).

The key and its answer commit together with the change, so a `kill -9` leaves nothing
behind that blocks a retry. Across processes a call in flight holds an advisory lock for
the length of its transaction; within a process the writer knows the keys it works on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vacancies.command import Outcome
from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError, IdempotencyKeyInFlight, IdempotencyKeyReused

KEPT_HOURS = 24


@dataclass(frozen=True, slots=True)
class Remembered:
    """A call with a key, of `caller` ("key:5", "staff:7"). `render` gives the bytes to
    remember, or None if the call did not succeed: only successes are repeated."""

    caller: str
    path: str
    key: str
    body_hash: bytes
    render: Callable[[Sequence[Outcome]], bytes | None]

    @property
    def identity(self) -> tuple[str, str, str]:
        return (self.caller, self.path, self.key)


def in_flight_error() -> IdempotencyKeyInFlight:
    return IdempotencyKeyInFlight(
        "The first call with this Idempotency-Key is still running. Try again in a second.",
        field="Idempotency-Key",
    )


async def claim_calls(
    connection: Connection, calls: Sequence[Remembered]
) -> list[bytes | FreiplatzError | None]:
    """For each call: the first answer, or why it cannot go on, or None: it is the first.

    Runs in the transaction of the change and holds its locks to the end of that.
    """
    free = await connection.fetchval(
        "SELECT array_agg(pg_try_advisory_xact_lock(hashtextextended(name, 0)) ORDER BY position)"
        " FROM unnest($1::text[]) WITH ORDINALITY AS t(name, position)",
        ["\x1f".join(map(str, call.identity)) for call in calls],
    )
    # Only a statement after the lock sees what the former holder has committed.
    rows = await connection.fetch(
        "SELECT i.* FROM idempotency i JOIN unnest($1::text[], $2::text[], $3::text[])"
        " AS t(caller, path, key) USING (caller, path, key)"
        " WHERE i.created_at > now() - make_interval(hours => $4)",
        *(list(column) for column in zip(*(call.identity for call in calls), strict=True)),
        KEPT_HOURS,
    )
    answers = {
        (row["caller"], row["path"], row["key"]): (row["body_hash"], row["answer"]) for row in rows
    }
    verdicts: list[bytes | FreiplatzError | None] = []
    for call, is_free in zip(calls, free, strict=True):
        body_hash, answer = answers.get(call.identity, (call.body_hash, None))
        if not is_free:
            verdicts.append(in_flight_error())
        elif body_hash != call.body_hash:
            verdicts.append(
                IdempotencyKeyReused(
                    "This Idempotency-Key came with another body before. Use a new key.",
                    field="Idempotency-Key",
                )
            )
        else:
            verdicts.append(answer)
    return verdicts


async def insert_answers(
    connection: Connection, answers: Sequence[tuple[Remembered, bytes]]
) -> None:
    await connection.executemany(
        "INSERT INTO idempotency (caller, path, key, body_hash, answer)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (caller, path, key) DO UPDATE"
        " SET body_hash = excluded.body_hash, answer = excluded.answer, created_at = now()",
        [(*call.identity, call.body_hash, answer) for call, answer in answers],
    )


async def delete_old_answers(connection: Connection | Pool) -> None:
    await connection.execute(
        "DELETE FROM idempotency WHERE created_at < now() - make_interval(hours => $1)", KEPT_HOURS
    )
