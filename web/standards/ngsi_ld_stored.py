"""Subscriptions in Postgres: each is a webhook, which says where and how far, and a row of its
own for what only NGSI-LD has."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from vacancies.database import Connection, Pool
from web.standards.ngsi_ld_subscription import Subscription
from web.standards.refusals import AlreadyExists, TooManySubscriptions
from web.webhooks.endpoints import Reason, WebhookState

MOST_SUBSCRIPTIONS = 20  # of one subscriber


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription, how it goes, and since when it fails."""

    id: str
    webhook_id: str
    document: bytes
    state: WebhookState
    reason: Reason | None
    failing_since: datetime | None
    expires_at: datetime | None
    times_sent: int
    times_failed: int
    last_notification: datetime | None
    last_success: datetime | None
    last_failure: datetime | None


class Place(msgspec.Struct, frozen=True):
    """Where a subscription begins: the state of the board when it was made, and what it watches
    of each home then (`seen`, by home)."""

    epoch: str
    revision: int
    seen: Mapping[str, str]


_SELECT = (
    "SELECT s.id, s.webhook_id, s.document, w.state, w.reason, w.failing_since, w.expires_at,"
    " s.times_sent, s.times_failed, s.last_notification, s.last_success, s.last_failure"
    " FROM ngsi_subscription s JOIN webhook w ON w.id = s.webhook_id"
)


def _stored(row: asyncpg.Record) -> Stored:
    return Stored(**{**dict(row), "document": row["document"].encode()})


async def insert_subscription(
    connection: Connection,
    subscriber_id: int,
    wish: Subscription,
    document: bytes,
    address: str,
    place: Place,
    now: datetime,
) -> str:
    """Make a subscription and return its id: it is told of what changes from `place` on. Must
    run in a transaction. Raises `TooManySubscriptions` and `AlreadyExists`."""
    # Locked, or two calls at once would both find room for one more.
    await connection.execute(
        "SELECT FROM subscriber WHERE id = $1 FOR NO KEY UPDATE", subscriber_id
    )
    have = await connection.fetchval(
        "SELECT count(*) FROM ngsi_subscription WHERE subscriber_id = $1", subscriber_id
    )
    if have >= MOST_SUBSCRIPTIONS:
        raise TooManySubscriptions(
            f"There are {MOST_SUBSCRIPTIONS} subscriptions already. Delete one that is not needed."
        )
    number = secrets.token_hex(8)
    name = wish.id or f"urn:ngsi-ld:Subscription:{number}"
    is_paused = wish.isActive is False
    await connection.execute(
        "INSERT INTO webhook (id, search, speaks, address, state, reason, epoch, cursor,"
        " next_attempt_at, expires_at)"
        " VALUES ($1, 'include_full=true', 'ngsi_ld', $2, $3, $4, $5, $6, $7, $8)",
        f"wh_{number}",
        address,
        "paused" if is_paused else "active",
        "owner" if is_paused else None,
        place.epoch,
        place.revision,
        now,
        wish.expiresAt,
    )
    done = await connection.execute(
        "INSERT INTO ngsi_subscription (webhook_id, id, subscriber_id, document)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
        f"wh_{number}",
        name,
        subscriber_id,
        document.decode(),
    )
    if done != "INSERT 0 1":
        raise AlreadyExists(f"There is a subscription {name} already. Choose another id.")
    await record_seen(connection, f"wh_{number}", place.seen)
    return name


async def update_subscription(
    connection: Connection,
    stored: Stored,
    wish: Subscription,
    document: bytes,
    address: str,
    place: Place | None,
) -> None:
    """Put another document in place; with `place` it begins anew there. A turn that is under way
    loses its claim, and ends with its call. Must run in a transaction."""
    await connection.execute(
        "UPDATE webhook SET address = $2, expires_at = $3, claim = NULL, claimed_until = NULL,"
        " epoch = coalesce($4, epoch), cursor = coalesce($5, cursor) WHERE id = $1",
        stored.webhook_id,
        address,
        wish.expiresAt,
        place.epoch if place else None,
        place.revision if place else None,
    )
    await connection.execute(
        "UPDATE ngsi_subscription SET document = $2 WHERE webhook_id = $1",
        stored.webhook_id,
        document.decode(),
    )
    if place is not None:
        await connection.execute(
            "DELETE FROM webhook_home WHERE webhook_id = $1", stored.webhook_id
        )
        await record_seen(connection, stored.webhook_id, place.seen)


async def select_subscription(
    connection: Connection | Pool, name: str, subscriber_id: int, *, for_update: bool = False
) -> Stored | None:
    row = await connection.fetchrow(
        f"{_SELECT} WHERE s.id = $1 AND s.subscriber_id = $2{' FOR UPDATE OF w' * for_update}",
        name,
        subscriber_id,
    )
    return None if row is None else _stored(row)


async def select_subscriptions(connection: Connection | Pool, subscriber_id: int) -> list[Stored]:
    """All of a subscriber, oldest first."""
    rows = await connection.fetch(
        f"{_SELECT} WHERE s.subscriber_id = $1 ORDER BY w.created_at, s.id", subscriber_id
    )
    return [_stored(row) for row in rows]


async def select_told(connection: Connection | Pool, webhook_id: str) -> tuple[Stored, bool] | None:
    """The subscription that a webhook delivers, and whether the homes are made up."""
    row = await connection.fetchrow(
        f"{_SELECT.replace(' FROM', ', d.demo FROM', 1)}, deployment d WHERE w.id = $1", webhook_id
    )
    if row is None:
        return None
    found = dict(row)
    is_demo = found.pop("demo")
    return Stored(**{**found, "document": row["document"].encode()}), is_demo


async def select_seen(
    connection: Connection | Pool, webhook_id: str, home_ids: Sequence[str]
) -> dict[str, str]:
    """What the receiver was told last of these homes, as far as it is watched."""
    rows = await connection.fetch(
        "SELECT home_id, seen FROM webhook_home WHERE webhook_id = $1 AND home_id = ANY($2)",
        webhook_id,
        home_ids,
    )
    return {row["home_id"]: row["seen"] for row in rows}


async def record_seen(connection: Connection, webhook_id: str, seen: Mapping[str, str]) -> None:
    if seen:
        await connection.execute(
            "INSERT INTO webhook_home (webhook_id, home_id, seen)"
            " SELECT $1, * FROM unnest($2::text[], $3::text[])"
            " ON CONFLICT (webhook_id, home_id) DO UPDATE SET seen = excluded.seen",
            webhook_id,
            list(seen),
            list(seen.values()),
        )


async def record_notification(
    connection: Connection, webhook_id: str, is_delivered: bool, at: datetime
) -> None:
    """Count a try."""
    how = "last_success = $2"
    if not is_delivered:
        how = "last_failure = $2, times_failed = 1 + times_failed"
    await connection.execute(
        f"UPDATE ngsi_subscription SET times_sent = 1 + times_sent, last_notification = $2, {how}"
        " WHERE webhook_id = $1",
        webhook_id,
        at,
    )
