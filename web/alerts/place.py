"""How far changes were matched with alerts, which homes match each, and who is at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from vacancies.database import Connection

# What comes within this is told together, and what is taken back at once is not told.
GATHER = timedelta(seconds=20)
# Of a statement: each has a few seconds, and a home may be news to thousands.
MOST_PAIRS = 5_000


class Place(msgspec.Struct, frozen=True):
    """Where to go on: everything up to `revision` of `epoch` was matched. `turn` is this one."""

    epoch: str
    revision: int
    turn: int


class Matched(msgspec.Struct, kw_only=True):
    """What a round found: of homes that changed, which alerts they match now (`shown`); of alerts
    that are new, which homes match them (`begun`)."""

    shown: dict[str, set[str]]
    revision: int
    begun: dict[str, list[str]] = {}


async def claim_matching(
    connection: Connection, name: UUID, now: datetime, until: datetime
) -> Place | None:
    """Take or keep the lease `until` then; None while another process has it."""
    row = await connection.fetchrow(
        "UPDATE alert_matching SET matcher = $1, leased_until = $3, turn = turn + 1"
        " WHERE only_row = (SELECT only_row FROM alert_matching"
        " WHERE matcher = $1 OR leased_until IS NULL OR leased_until <= $2"
        " FOR UPDATE SKIP LOCKED) RETURNING epoch, revision, turn",
        name,
        now,
        until,
    )
    return None if row is None else Place(**dict(row))


async def release_matching(connection: Connection, name: UUID) -> None:
    await connection.execute(
        "UPDATE alert_matching SET matcher = NULL, leased_until = NULL WHERE matcher = $1", name
    )


async def select_known_alerts(connection: Connection) -> list[tuple[str, bytes]]:
    """Id and sealed contents of all that were matched once."""
    rows = await connection.fetch("SELECT id, sealed FROM alert WHERE is_matched")
    return [(row["id"], row["sealed"]) for row in rows]


async def select_new_alerts(connection: Connection, limit: int) -> list[tuple[str, bytes]]:
    """The same of up to `limit` that were not matched yet."""
    rows = await connection.fetch(
        "SELECT id, sealed FROM alert WHERE NOT is_matched ORDER BY id LIMIT $1", limit
    )
    return [(row["id"], row["sealed"]) for row in rows]


async def delete_vanished(connection: Connection, here: list[str]) -> None:
    """Forget homes that are not among those `here`."""
    await connection.execute("DELETE FROM alert_home WHERE home_id <> ALL($1::text[])", here)


async def record_matched(
    connection: Connection, name: UUID, place: Place, matched: Matched, now: datetime
) -> bool:
    """Write what the round found, all or nothing; False if the turn was taken away."""
    async with connection.transaction():
        mine = await connection.fetchval(
            "SELECT true FROM alert_matching WHERE matcher = $1 AND turn = $2 FOR UPDATE",
            name,
            place.turn,
        )
        if not mine:
            return False
        if matched.shown or matched.begun:
            await _record_homes(connection, matched, now)
        await connection.execute(
            "UPDATE alert_matching SET epoch = $1, revision = $2", place.epoch, matched.revision
        )
    return True


async def _record_homes(connection: Connection, matched: Matched, now: datetime) -> None:
    entered, left = await _differences(connection, matched)
    # Locked first and in order: whoever sends or ends alerts locks them first too.
    locked = await connection.fetch(
        "SELECT id FROM alert WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
        sorted({alert for alert, _ in (*entered, *left)} | matched.begun.keys()),
    )
    there = {row["id"] for row in locked}
    await _insert_homes(connection, [pair for pair in entered if pair[0] in there], True)
    begun = [(alert, home) for alert, homes in matched.begun.items() for home in homes]
    await _insert_homes(connection, [pair for pair in begun if pair[0] in there], False)
    await _delete_homes(connection, left)
    await connection.execute(
        "UPDATE alert SET due_at = coalesce(due_at, $2) WHERE id = ANY($1) AND state = 'active'",
        [alert for alert, _ in entered],
        now + GATHER,
    )
    await connection.execute(
        "UPDATE alert SET is_matched = true WHERE id = ANY($1)", list(matched.begun)
    )


Pairs = list[tuple[str, str]]


async def _differences(connection: Connection, matched: Matched) -> tuple[Pairs, Pairs]:
    """(alert, home) where a home matches that did not, and where it matches no more."""
    rows = await connection.fetch(
        "SELECT alert_id, home_id FROM alert_home WHERE home_id = ANY($1)", list(matched.shown)
    )
    before = {(row["alert_id"], row["home_id"]) for row in rows}
    now = {(alert, home) for home, alerts in matched.shown.items() for alert in alerts}
    return sorted(now - before), sorted(before - now)


async def _insert_homes(connection: Connection, pairs: Pairs, is_news: bool) -> None:
    for first in range(0, len(pairs), MOST_PAIRS):
        await connection.execute(
            "INSERT INTO alert_home (alert_id, home_id, is_news)"
            " SELECT alert, home, $3 FROM unnest($1::text[], $2::text[]) found (alert, home)"
            " ON CONFLICT DO NOTHING",
            *_columns(pairs[first : first + MOST_PAIRS]),
            is_news,
        )


async def _delete_homes(connection: Connection, pairs: Pairs) -> None:
    for first in range(0, len(pairs), MOST_PAIRS):
        await connection.execute(
            "DELETE FROM alert_home h USING unnest($1::text[], $2::text[]) gone (alert, home)"
            " WHERE h.alert_id = gone.alert AND h.home_id = gone.home",
            *_columns(pairs[first : first + MOST_PAIRS]),
        )


def _columns(pairs: Pairs) -> tuple[list[str], list[str]]:
    return [alert for alert, _ in pairs], [home for _, home in pairs]
