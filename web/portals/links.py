"""Links to other deployments of Freiplatz: each is a webhook, which says where and how far, and a
row of its own with the key that the provider has there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from vacancies.database import Connection, Pool
from vacancies.errors import InvalidInput
from web.alerts.sealing import Seal
from web.webhooks.endpoints import (
    TooManyWebhooks,
    Webhook,
    resume_webhook,
    select_webhook,
    select_webhooks,
)

MOST_LINKS = 5  # of one provider

Trouble = Literal["", "key", "strange", "away"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link as its owners see it. The key is nowhere in it."""

    webhook: Webhook
    trouble: Trouble


class Secret(NamedTuple):
    """What a turn needs of a link: its `sealed` key, and how often another try was asked for."""

    sealed: bytes
    round: int


async def insert_link(
    connection: Connection, seal: Seal, provider_id: int, address: str, key: str, now: datetime
) -> str:
    """Make a link and return its id; what each home says now is sent first. Must run in a
    transaction. Raises `TooManyWebhooks`, and `InvalidInput` for an address that is linked."""
    # Locked, or two calls at once would both find room for one more.
    await connection.execute("SELECT FROM provider WHERE id = $1 FOR NO KEY UPDATE", provider_id)
    have = await select_webhooks(connection, provider_id, "freiplatz")
    if any(webhook.address == address for webhook in have):
        raise InvalidInput("It is reported there already.", field="address")
    if len(have) >= MOST_LINKS:
        raise TooManyWebhooks(f"There are {MOST_LINKS} already. Remove one that is not needed.")
    webhook_id = f"wh_{secrets.token_hex(8)}"
    await connection.execute(
        "INSERT INTO webhook (id, provider_id, speaks, address, next_attempt_at)"
        " VALUES ($1, $2, 'freiplatz', $3, $4)",
        webhook_id,
        provider_id,
        address,
        now,
    )
    await connection.execute(
        "INSERT INTO portal_link (webhook_id, sealed_key) VALUES ($1, $2)",
        webhook_id,
        seal.close(webhook_id, key.encode()),
    )
    return webhook_id


async def select_links(connection: Connection | Pool, provider_id: int) -> list[Link]:
    """Those of a provider, oldest first."""
    found = await select_webhooks(connection, provider_id, "freiplatz")
    if not found:
        return []
    rows = await connection.fetch(
        "SELECT webhook_id, trouble FROM portal_link WHERE webhook_id = ANY($1)",
        [webhook.id for webhook in found],
    )
    troubles = {row["webhook_id"]: row["trouble"] for row in rows}
    return [Link(webhook=webhook, trouble=troubles[webhook.id]) for webhook in found]


async def select_link(connection: Connection | Pool, webhook_id: str) -> Link:
    """Raises `UnknownWebhook`."""
    webhook = await select_webhook(connection, webhook_id, speaks="freiplatz")
    trouble = await connection.fetchval(
        "SELECT trouble FROM portal_link WHERE webhook_id = $1", webhook_id
    )
    return Link(webhook=webhook, trouble=trouble)


async def select_secret(connection: Connection | Pool, webhook_id: str) -> Secret | None:
    """None if the link was removed."""
    row = await connection.fetchrow(
        "SELECT sealed_key, round FROM portal_link WHERE webhook_id = $1", webhook_id
    )
    return None if row is None else Secret(*row)


async def record_trouble(connection: Connection, webhook_id: str, trouble: Trouble) -> None:
    """Note why the last call failed; empty: it did not."""
    await connection.execute(
        "UPDATE portal_link SET trouble = $2 WHERE webhook_id = $1 AND trouble <> $2",
        webhook_id,
        trouble,
    )


async def record_key(
    connection: Connection, seal: Seal, webhook_id: str, key: str, now: datetime
) -> None:
    """Put another key in place, and try again at once."""
    await connection.execute(
        "UPDATE portal_link SET sealed_key = $2, trouble = '' WHERE webhook_id = $1",
        webhook_id,
        seal.close(webhook_id, key.encode()),
    )
    await retry_link(connection, webhook_id, now)


async def retry_link(connection: Connection, webhook_id: str, now: datetime) -> None:
    """Go on now, and send once more what was refused. Must run in a transaction."""
    await connection.execute(
        "UPDATE portal_home SET digest = '' WHERE webhook_id = $1 AND outcome = 'refused'",
        webhook_id,
    )
    await connection.execute(
        "UPDATE portal_link SET round = round + 1 WHERE webhook_id = $1", webhook_id
    )
    await _begin_anew(connection, webhook_id)
    await resume_webhook(connection, webhook_id, now)


async def record_ids(connection: Connection, webhook_id: str, ids: Mapping[str, str]) -> None:
    """Let homes have these ids there, and all others their own. Must run in a transaction."""
    await connection.execute(
        "UPDATE portal_home SET id_there = NULL WHERE webhook_id = $1", webhook_id
    )
    await connection.executemany(
        "INSERT INTO portal_home (webhook_id, home_id, id_there) VALUES ($1, $2, $3)"
        " ON CONFLICT (webhook_id, home_id) DO UPDATE SET id_there = excluded.id_there",
        [(webhook_id, home_id, there) for home_id, there in ids.items()],
    )
    await _begin_anew(connection, webhook_id)


async def select_ids(connection: Connection | Pool, webhook_id: str) -> dict[str, str]:
    """The homes that have another id there."""
    rows = await connection.fetch(
        "SELECT home_id, id_there FROM portal_home WHERE webhook_id = $1 AND id_there IS NOT NULL"
        " ORDER BY home_id",
        webhook_id,
    )
    return {row["home_id"]: row["id_there"] for row in rows}


async def _begin_anew(connection: Connection, webhook_id: str) -> None:
    """Look at all homes again: what was answered is not sent. A turn that is under way loses its
    claim, and ends with its call."""
    await connection.execute(
        "UPDATE webhook SET cursor = 0, claim = NULL, claimed_until = NULL WHERE id = $1",
        webhook_id,
    )
