"""What callers found out about free places: stored, counted, and at most a reason to ask the home.

It never changes a listing. All limits are counted here, in Postgres and under locks, so that they
hold over all processes and with many taps at once.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError
from vacancies.models import CareForm

Kind = Literal["confirmed", "taken", "unsuitable"]
Outcome = Literal["asked", "dropped"]

KEPT_DAYS = 30
UNDO_SECONDS = 60
# The button is shown for a minute; who pressed it in time must not lose to a slow network. No
# home is asked before that is over.
SETTLES_AFTER = timedelta(seconds=UNDO_SECONDS + 30)
# A home is asked at most so often, and not about what is long past.
ASKED_EVERY = timedelta(hours=6)
MOST_QUESTIONS_A_DAY = 2
ASKED_WITHIN = timedelta(hours=48)
# A day, from one network: a hospital's social workers share one address.
MOST_OF_NETWORK = 60
MOST_OF_NETWORK_FOR_HOME = 3
# A day, about one home, from wherever.
MOST_FOR_HOME = 20

_CLAIM_LOCK = 0x63616C6C  # "call": questions are claimed by one process at a time
_MOST_CLAIMED = 100


class TooMuchFeedback(FreiplatzError):
    """More than one network says a day, or than is said of one home; nothing was stored."""

    code = "too_much_feedback"


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What one caller said of a home in the state of `revision`."""

    id: UUID
    home_id: str
    kind: Kind
    care_form: CareForm | None
    revision: int
    at: datetime
    outcome: Outcome | None


class Calls(msgspec.Struct, frozen=True):
    """How many calls were told of in the last seven days, by what was found."""

    confirmed: int = 0
    taken: int = 0
    unsuitable: int = 0

    @property
    def total(self) -> int:
        return self.confirmed + self.taken + self.unsuitable


_COLUMNS = "id, home_id, kind, care_form, revision, at, outcome"


def _feedback(row: asyncpg.Record) -> Feedback:
    return Feedback(
        id=UUID(bytes=row["id"].bytes),
        home_id=row["home_id"],
        kind=row["kind"],
        care_form=CareForm(row["care_form"]) if row["care_form"] else None,
        revision=row["revision"],
        at=row["at"],
        outcome=row["outcome"],
    )


async def record_feedback(
    connection: Connection,
    home_id: str,
    kind: Kind,
    *,
    care_form: CareForm | None,
    revision: int,
    network: str,
) -> Feedback:
    """Store what a caller from `network` said. Raises `TooMuchFeedback`."""
    async with connection.transaction():
        hashed = await _hash_network(connection, network)
        # Whoever comes second counts the first one too. The network's lock comes first for all,
        # and whoever holds a home's lock waits for nobody: no deadlock.
        for key in (hashed.hex(), home_id):
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", key, _CLAIM_LOCK
            )
        await _check_limits(connection, home_id, hashed)
        row = await connection.fetchrow(
            "INSERT INTO call_feedback (home_id, kind, care_form, revision, network)"
            f" VALUES ($1, $2, $3, $4, $5) RETURNING {_COLUMNS}",
            home_id,
            kind,
            care_form,
            revision,
            hashed,
        )
    assert row is not None
    return _feedback(row)


async def _hash_network(connection: Connection, network: str) -> bytes:
    """A hash that tells networks apart for a day, and nothing of them after it."""
    await connection.execute(
        "INSERT INTO call_feedback_salt (day, salt) VALUES ((now() AT TIME ZONE 'UTC')::date, $1)"
        " ON CONFLICT DO NOTHING",
        secrets.token_bytes(32),
    )
    salt: bytes = await connection.fetchval(
        "SELECT salt FROM call_feedback_salt WHERE day = (now() AT TIME ZONE 'UTC')::date"
    )
    return hmac.digest(salt, network.encode("utf-8", "replace"), "sha256")[:16]


async def _check_limits(connection: Connection, home_id: str, hashed: bytes) -> None:
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM call_feedback WHERE network = $2) AS of_network,"
        " (SELECT count(*) FROM call_feedback WHERE network = $2 AND home_id = $1) AS of_both,"
        " (SELECT count(*) FROM call_feedback WHERE home_id = $1"
        "  AND at > now() - interval '1 day') AS for_home",
        home_id,
        hashed,
    )
    assert row is not None
    if (
        row["of_network"] >= MOST_OF_NETWORK
        or row["of_both"] >= MOST_OF_NETWORK_FOR_HOME
        or row["for_home"] >= MOST_FOR_HOME
    ):
        raise TooMuchFeedback("Enough was said today. Nothing was stored; try again tomorrow.")


async def select_feedback(connection: Connection | Pool, feedback_id: UUID) -> Feedback | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM call_feedback WHERE id = $1", feedback_id
    )
    return _feedback(row) if row else None


async def delete_feedback(connection: Connection | Pool, feedback_id: UUID) -> bool:
    """Take it back; False if it is too late, or was taken back already."""
    done = await connection.execute(
        "DELETE FROM call_feedback WHERE id = $1 AND outcome IS NULL AND claimed_until IS NULL"
        " AND at > now() - $2::interval",
        feedback_id,
        SETTLES_AFTER,
    )
    return bool(done == "DELETE 1")


async def select_calls(connection: Connection | Pool, home_id: str) -> Calls:
    rows = await connection.fetch(
        "SELECT kind, count(*)::int AS calls FROM call_feedback"
        " WHERE home_id = $1 AND at > now() - interval '7 days' GROUP BY kind",
        home_id,
    )
    return Calls(**{row["kind"]: row["calls"] for row in rows})


async def has_reported_since(connection: Connection | Pool, home_id: str, revision: int) -> bool:
    """Whether the home has said anything of its places after the state of `revision`."""
    newest: int | None = await connection.fetchval(
        "SELECT revision FROM report WHERE home_id = $1 AND kind <> 'amendment'"
        " ORDER BY reported_at DESC, revision DESC LIMIT 1",
        home_id,
    )
    return newest is not None and newest > revision


# ---- asking the home ----


async def claim_questions(connection: Connection, lease: timedelta) -> list[Feedback]:
    """All that callers said was taken, that is settled by now and of which nobody has asked:
    of homes that may be asked again. They are the caller's until `lease` is over."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _CLAIM_LOCK)
        rows = await connection.fetch(
            "UPDATE call_feedback f SET claimed_until = clock_timestamp() + $1::interval"
            " WHERE f.id IN (SELECT w.id FROM call_feedback w"
            "  WHERE w.kind = 'taken' AND w.outcome IS NULL"
            "  AND w.at BETWEEN now() - $2::interval AND now() - $3::interval"
            "  AND NOT EXISTS (SELECT FROM call_feedback o WHERE o.home_id = w.home_id"
            "   AND (o.claimed_until > now() AND o.outcome IS NULL"
            "    OR o.outcome = 'asked' AND o.settled_at > now() - $4::interval))"
            "  AND (SELECT count(DISTINCT o.settled_at) FROM call_feedback o"
            "   WHERE o.home_id = w.home_id AND o.outcome = 'asked'"
            "   AND o.settled_at > now() - interval '1 day') < $5"
            "  ORDER BY w.at LIMIT $6)"
            f" RETURNING {_COLUMNS}",
            lease,
            ASKED_WITHIN,
            SETTLES_AFTER,
            ASKED_EVERY,
            MOST_QUESTIONS_A_DAY,
            _MOST_CLAIMED,
        )
    return sorted((_feedback(row) for row in rows), key=lambda found: (found.at, found.id))


async def record_outcome(
    connection: Connection | Pool, feedback_ids: list[UUID], outcome: Outcome
) -> None:
    """What became of questions that were claimed. Those of one mail are settled together."""
    await connection.execute(
        "UPDATE call_feedback SET outcome = $2, settled_at = now() WHERE id = ANY($1)",
        feedback_ids,
        outcome,
    )


async def postpone(
    connection: Connection | Pool, feedback_ids: list[UUID], until: datetime
) -> None:
    """Leave claimed questions alone until then."""
    await connection.execute(
        "UPDATE call_feedback SET claimed_until = $2 WHERE id = ANY($1)", feedback_ids, until
    )


async def delete_old_feedback(connection: Connection | Pool) -> None:
    await connection.execute(
        "DELETE FROM call_feedback WHERE at < now() - make_interval(days => $1)", KEPT_DAYS
    )
    await connection.execute(
        "DELETE FROM call_feedback_salt WHERE day < (now() AT TIME ZONE 'UTC')::date"
    )
