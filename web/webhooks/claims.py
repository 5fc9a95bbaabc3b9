"""Who delivers: each webhook is one process's at a time, by a lease in Postgres.

A process that is killed leaves its claim behind; when the lease is over another takes the
webhook and begins at the cursor, which moves only after a delivery. So nothing is lost, and
what was under way comes twice, with the same `webhook-id`. A claim that was taken over, or
that the owner's pause took away, can record nothing more.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vacancies.database import Connection
from web.webhooks.deliveries import Delivery, insert_delivery
from web.webhooks.endpoints import Language, Reason, WebhookState

# Whoever resumes a webhook at once needs no note. It also bounds the mail that somebody with
# a key can make us send, by a receiver that says 410 to everything.
NOTE_AFTER = timedelta(minutes=10)


@dataclass
class Claim:
    """One turn at a webhook. `cursor` moves ahead of the stored one over what is none of its
    business; `known` says of homes whether the receiver has them on its list, as far as it
    was asked; `lost` are on that list but on no board."""

    id: str
    token: uuid.UUID
    provider: str | None
    search: str | None
    speaks: Language
    address: str
    epoch: str
    cursor: int
    attempts: int
    failing_since: datetime | None
    known: dict[str, bool] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    @property
    def settled_epoch(self) -> str:
        """What is stored: while homes are `lost`, the next turn has to find them anew."""
        return "" if self.lost else self.epoch


async def claim_webhooks(
    connection: Connection,
    *,
    epoch: str,
    revision: int,
    now: datetime,
    lease: timedelta,
    limit: int,
    providers: Sequence[str] | None = None,
) -> list[Claim]:
    """Take up to `limit` webhooks that are behind `revision` of `epoch` and due, those that
    have waited longest first; with `providers` (slugs) only those with a search, and those
    that follow the homes of one of these.

    `now` is the clock of this process: clocks may differ by what a lease is longer than a call.
    """
    token = uuid.uuid4()
    rows = await connection.fetch(
        "UPDATE webhook w SET claim = $1, claimed_until = $2 FROM ("
        "SELECT id FROM webhook WHERE state = 'active' AND next_attempt_at <= $3"
        " AND (claimed_until IS NULL OR claimed_until <= $3) AND (epoch <> $4 OR cursor < $5)"
        " AND (expires_at IS NULL OR expires_at > $3)"
        " AND ($7::text[] IS NULL OR search IS NOT NULL OR provider_id IN"
        " (SELECT id FROM provider WHERE slug = ANY($7)))"
        " ORDER BY next_attempt_at LIMIT $6 FOR UPDATE SKIP LOCKED) due WHERE w.id = due.id"
        " RETURNING w.id, (SELECT slug FROM provider p WHERE p.id = w.provider_id) AS provider,"
        " w.search, w.speaks, w.address, w.epoch, w.cursor, w.attempts, w.failing_since",
        token,
        now + lease,
        now,
        epoch,
        revision,
        limit,
        providers,
    )
    return [Claim(token=token, **dict(row)) for row in rows]


async def release_claim(connection: Connection, claim: Claim, again_at: datetime) -> None:
    """Give a webhook back, not to be taken before `again_at`; whoever has waited longer comes
    first then."""
    await connection.execute(
        "UPDATE webhook SET claim = NULL, claimed_until = NULL, epoch = $3, cursor = $4,"
        " next_attempt_at = $5 WHERE id = $1 AND claim = $2",
        claim.id,
        claim.token,
        claim.settled_epoch,
        claim.cursor,
        again_at,
    )


async def record_success(
    connection: Connection,
    claim: Claim,
    delivery: Delivery,
    until: datetime,
    again_at: datetime | None = None,
) -> bool:
    """Note that all up to the claim's cursor was delivered, and hold the claim `until` then.
    Whoever has it next must not call before `again_at`. False: it is ours no more. Must run in a
    transaction."""
    mine = await connection.fetchval(
        "UPDATE webhook SET epoch = $3, cursor = $4, attempts = 0, failing_since = NULL,"
        " claimed_until = $5, next_attempt_at = coalesce($6, next_attempt_at)"
        " WHERE id = $1 AND claim = $2 RETURNING true",
        claim.id,
        claim.token,
        claim.settled_epoch,
        claim.cursor,
        until,
        again_at,
    )
    if mine:
        await insert_delivery(connection, claim.id, delivery)
    return bool(mine)


async def record_failure(
    connection: Connection,
    claim: Claim,
    delivery: Delivery,
    *,
    again_at: datetime | None,
    state: WebhookState,
    reason: Reason | None,
) -> bool:
    """Note a try that failed, and give the webhook back: until `again_at`, or in another
    `state`, of which its owner is to hear. False: the claim is ours no more. Must run in a
    transaction."""
    mine = await connection.fetchval(
        "UPDATE webhook SET epoch = $3, cursor = $4, attempts = $5, failing_since = $6,"
        " next_attempt_at = coalesce($7, next_attempt_at), state = $8, reason = $9,"
        " note_at = CASE WHEN $8 = 'active' THEN NULL ELSE $11::timestamptz END,"
        " updated_at = CASE WHEN $8 = 'active' THEN updated_at ELSE $10::timestamptz END,"
        " claim = NULL, claimed_until = NULL WHERE id = $1 AND claim = $2 RETURNING true",
        claim.id,
        claim.token,
        claim.settled_epoch,
        claim.cursor,
        claim.attempts,
        claim.failing_since,
        again_at,
        state,
        reason,
        delivery.sent_at,
        delivery.sent_at + NOTE_AFTER,
    )
    if mine:
        await insert_delivery(connection, claim.id, delivery)
    return bool(mine)


async def select_on_list(
    connection: Connection, webhook_id: str, home_ids: Iterable[str] | None = None
) -> set[str]:
    """Which homes a receiver has on its list, among `home_ids` if given."""
    rows = await connection.fetch(
        "SELECT home_id FROM webhook_home WHERE webhook_id = $1"
        " AND ($2::text[] IS NULL OR home_id = ANY($2))",
        webhook_id,
        None if home_ids is None else list(home_ids),
    )
    return {row["home_id"] for row in rows}


async def record_on_list(
    connection: Connection, webhook_id: str, home_id: str, is_there: bool
) -> None:
    """Note whether a receiver has a home on its list."""
    await connection.execute(
        "INSERT INTO webhook_home (webhook_id, home_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        if is_there
        else "DELETE FROM webhook_home WHERE webhook_id = $1 AND home_id = $2",
        webhook_id,
        home_id,
    )
