"""Webhooks as their owners see them: who is told of what, where, and whether it goes on.

The table `webhook` also holds how far each was told (`claims.py`), the subscriptions of NGSI-LD,
which are nobody's here (`web/standards/ngsi_ld_stored.py`), and the links to other deployments of
Freiplatz (`web/portals/links.py`).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec

from vacancies.database import Connection, Pool
from vacancies.errors import FreiplatzError
from web.webhooks.signature import make_secret, new_salt

WebhookState = Literal["active", "paused", "disabled"]
Reason = Literal["owner", "failing", "gone"]
Language = Literal["listings", "ngsi_ld", "freiplatz"]

MOST_WEBHOOKS = 20  # of one provider
# How long a secret signs beside its successor, so that receivers can change over.
OVERLAP = timedelta(hours=24)
MOST_SECRETS = 3
TEST_EVERY = timedelta(seconds=10)


class UnknownWebhook(FreiplatzError):
    """There is no such webhook, or it is somebody else's: the answer is the same."""

    code = "unknown_webhook"


class TooManyWebhooks(FreiplatzError):
    """The provider has as many as it may have."""

    code = "too_many_webhooks"


class KeyTooNarrow(FreiplatzError):
    """A key for one home, or for trying out, has no say in the webhooks of a provider."""

    code = "key_too_narrow"


class TestedJustNow(FreiplatzError):
    """Tests are for people: once in ten seconds."""

    code = "tested_just_now"


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook. `search` holds the parameters of a public search; without it the homes of
    its provider are meant. `attempts` have failed since `failing_since`."""

    id: str
    provider: str | None
    search: str | None
    address: str
    contact: str | None
    state: WebhookState
    reason: Reason | None
    attempts: int
    failing_since: datetime | None
    next_attempt_at: datetime
    created_at: datetime
    updated_at: datetime


class WebhookWithSecret(Webhook, frozen=True, kw_only=True):
    """The same with its newest secret: the only time that anybody sees it."""

    secret: str


_COLUMNS = (
    "w.id, (SELECT slug FROM provider p WHERE p.id = w.provider_id) AS provider, w.search,"
    " w.address, w.contact, w.state, w.reason, w.attempts, w.failing_since, w.next_attempt_at,"
    " w.created_at, w.updated_at"
)


def _webhook(row: asyncpg.Record) -> Webhook:
    return Webhook(**dict(row))


def with_secret(webhook: Webhook, secret: str) -> WebhookWithSecret:
    return WebhookWithSecret(**msgspec.structs.asdict(webhook), secret=secret)


async def insert_webhook(
    connection: Connection,
    secret_key: str,
    *,
    provider_id: int | None,
    address: str,
    search: str | None,
    contact: str | None,
    now: datetime,
) -> WebhookWithSecret:
    """Make a webhook; everything that concerns it now is sent first, then each change.

    Must run in a transaction. Raises `TooManyWebhooks`.
    """
    if provider_id is not None:
        # Locked, or two calls at once would both find room for one more; not so hard that
        # reports of this provider would wait.
        await connection.execute(
            "SELECT FROM provider WHERE id = $1 FOR NO KEY UPDATE", provider_id
        )
        have = await connection.fetchval(
            "SELECT count(*) FROM webhook WHERE provider_id = $1 AND speaks = 'listings'",
            provider_id,
        )
        if have >= MOST_WEBHOOKS:
            raise TooManyWebhooks(
                f"There are {MOST_WEBHOOKS} webhooks already. Remove one that is not needed."
            )
    row = await connection.fetchrow(
        "INSERT INTO webhook AS w (id, provider_id, search, address, contact, next_attempt_at)"
        f" VALUES ($1, $2, $3, $4, $5, $6) RETURNING {_COLUMNS}",
        f"wh_{secrets.token_hex(8)}",
        provider_id,
        search,
        address,
        contact,
        now,
    )
    assert row is not None
    made = _webhook(row)
    return with_secret(made, await _insert_secret(connection, made.id, secret_key))


async def _insert_secret(connection: Connection, webhook_id: str, secret_key: str) -> str:
    salt = new_salt()
    await connection.execute(
        "INSERT INTO webhook_secret (webhook_id, salt) VALUES ($1, $2)", webhook_id, salt
    )
    return make_secret(secret_key, salt)


async def rotate_secret(
    connection: Connection, webhook_id: str, secret_key: str, now: datetime
) -> str:
    """The new secret. Those before sign too for `OVERLAP`; must run in a transaction."""
    await connection.execute("SELECT FROM webhook WHERE id = $1 FOR UPDATE", webhook_id)
    await connection.execute(
        "UPDATE webhook_secret SET expires_at = $2 WHERE webhook_id = $1 AND expires_at IS NULL",
        webhook_id,
        now + OVERLAP,
    )
    secret = await _insert_secret(connection, webhook_id, secret_key)
    await connection.execute(
        "DELETE FROM webhook_secret WHERE webhook_id = $1 AND id NOT IN ("
        "SELECT id FROM webhook_secret WHERE webhook_id = $1"
        " AND (expires_at IS NULL OR expires_at > $2) ORDER BY id DESC LIMIT $3)",
        webhook_id,
        now,
        MOST_SECRETS,
    )
    return secret


async def select_secrets(
    connection: Connection | Pool, webhook_id: str, secret_key: str, now: datetime
) -> list[str]:
    """The secrets that sign at `now`, newest first."""
    rows = await connection.fetch(
        "SELECT salt FROM webhook_secret WHERE webhook_id = $1"
        " AND (expires_at IS NULL OR expires_at > $2) ORDER BY id DESC",
        webhook_id,
        now,
    )
    return [make_secret(secret_key, row["salt"]) for row in rows]


async def select_webhook(
    connection: Connection | Pool,
    webhook_id: str,
    provider_id: int | None = None,
    speaks: Language = "listings",
) -> Webhook:
    """The webhook with that id, of that provider if one is given; raises `UnknownWebhook`."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM webhook w"
        " WHERE w.id = $1 AND ($2::bigint IS NULL OR w.provider_id = $2)"
        " AND w.speaks = $3",
        webhook_id,
        provider_id,
        speaks,
    )
    if row is None:
        raise UnknownWebhook("There is no webhook with that id. The list shows all.")
    return _webhook(row)


async def select_webhooks(
    connection: Connection | Pool,
    provider_id: int | None = None,
    speaks: Language = "listings",
) -> list[Webhook]:
    """All webhooks, or those of one provider, oldest first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM webhook w WHERE ($1::bigint IS NULL OR w.provider_id = $1)"
        " AND w.speaks = $2 ORDER BY w.created_at, w.id",
        provider_id,
        speaks,
    )
    return [_webhook(row) for row in rows]


async def delete_webhook(connection: Connection | Pool, webhook_id: str) -> None:
    """Nothing more is sent; a call that is under way may still arrive."""
    await connection.execute("DELETE FROM webhook WHERE id = $1", webhook_id)


async def pause_webhook(connection: Connection | Pool, webhook_id: str) -> None:
    """Stop for now. A turn that is under way loses its claim, and ends with its call."""
    await connection.execute(
        "UPDATE webhook SET state = 'paused', reason = 'owner', note_at = NULL, claim = NULL,"
        " claimed_until = NULL, updated_at = clock_timestamp()"
        " WHERE id = $1 AND state = 'active'",
        webhook_id,
    )


async def resume_webhook(connection: Connection | Pool, webhook_id: str, now: datetime) -> None:
    """Go on where it stopped: with the newest state of each home that changed since. One that
    is failing is tried again at once."""
    await connection.execute(
        "UPDATE webhook SET state = 'active', reason = NULL, note_at = NULL, attempts = 0,"
        " failing_since = NULL, next_attempt_at = $2, updated_at = clock_timestamp()"
        " WHERE id = $1",
        webhook_id,
        now,
    )


async def claim_test(connection: Connection | Pool, webhook_id: str, now: datetime) -> None:
    """Raises `TestedJustNow` if the last test was less than `TEST_EVERY` ago."""
    done = await connection.execute(
        "UPDATE webhook SET tested_at = $2 WHERE id = $1"
        " AND (tested_at IS NULL OR tested_at <= $3 OR tested_at > $2)",
        webhook_id,
        now,
        now - TEST_EVERY,
    )
    if done != "UPDATE 1":
        raise TestedJustNow("This was tested just now. Wait ten seconds.")
