"""The log of deliveries: what was tried, when, and how it went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from vacancies.database import Connection, Pool
from vacancies.outbound import Trouble

EventType = Literal["listing.changed", "listing.gone", "ping", "notification", "reports"]
Outcome = Literal["delivered", "refused"] | Trouble

KEPT_FOR = timedelta(days=30)
MOST_KEPT = 1000  # of one webhook
SHOWN = 100


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One try. `refused` is an answer that is not a 2xx, whose `status` is here; `address` is
    a name that is unknown or leads to an internal network."""

    message_id: str
    event: EventType
    home_id: str | None = None
    revision: int | None = None
    attempt: int
    sent_at: datetime
    duration_ms: int
    outcome: Outcome
    status: int | None = None


async def insert_delivery(
    connection: Connection | Pool, webhook_id: str, delivery: Delivery
) -> None:
    await connection.execute(
        "INSERT INTO webhook_delivery (webhook_id, message_id, event, home_id, revision, attempt,"
        " sent_at, duration_ms, outcome, status)"
        # Whoever removed the webhook in the meantime does not want to know.
        " SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM webhook WHERE id = $1",
        webhook_id,
        delivery.message_id,
        delivery.event,
        delivery.home_id,
        delivery.revision,
        delivery.attempt,
        delivery.sent_at,
        delivery.duration_ms,
        delivery.outcome,
        delivery.status,
    )


async def select_deliveries(
    connection: Connection | Pool, webhook_id: str, limit: int = SHOWN
) -> list[Delivery]:
    """The last `limit` tries, newest first."""
    rows = await connection.fetch(
        "SELECT message_id, event, home_id, revision, attempt, sent_at, duration_ms, outcome,"
        " status FROM webhook_delivery WHERE webhook_id = $1 ORDER BY id DESC LIMIT $2",
        webhook_id,
        limit,
    )
    return [Delivery(**dict(row)) for row in rows]


async def delete_old_deliveries(connection: Connection | Pool, now: datetime) -> None:
    """Forget what is older than `KEPT_FOR`, and all but the last `MOST_KEPT` of a webhook."""
    await connection.execute("DELETE FROM webhook_delivery WHERE sent_at < $1", now - KEPT_FOR)
    await connection.execute(
        "DELETE FROM webhook_delivery d USING webhook w WHERE d.webhook_id = w.id AND d.id <="
        " (SELECT id FROM webhook_delivery WHERE webhook_id = w.id"
        " ORDER BY id DESC OFFSET $1 LIMIT 1)",
        MOST_KEPT,
    )
