"""The HTTP API for webhooks, under a provider's key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from quart import Blueprint, Response, current_app, request

from providers.auth import ApiKey, KeyRing
from providers.decoding import decode
from vacancies.database import PoolConnection, borrowed
from web.state import state
from web.webhooks import endpoints
from web.webhooks.deliveries import Delivery, select_deliveries
from web.webhooks.endpoints import Webhook
from web.webhooks.ping import send_test
from web.webhooks.sending import utc_now
from web.webhooks.wishes import NewWebhook, make_webhook, outbound, wake

api = Blueprint("webhooks", __name__, url_prefix="/api/v1/webhooks")


class Webhooks(msgspec.Struct, frozen=True):
    """All webhooks of a provider."""

    webhooks: list[Webhook]


class Deliveries(msgspec.Struct, frozen=True):
    """The last tries, newest first."""

    deliveries: list[Delivery]


@api.get("")
async def get_webhooks() -> Response:
    """All webhooks of the key's provider."""
    key = await _key()
    async with borrowed(state().deployment.pool) as connection:
        found = await endpoints.select_webhooks(connection, key.provider_id)
    return _json(Webhooks(found))


@api.post("")
async def post_webhook() -> Response:
    """Make a webhook; the answer holds its secret."""
    key = await _key()
    wish = decode(await _body(), NewWebhook)
    made = await make_webhook(wish, key.provider_id)
    return _json(made, 201)


@api.delete("/<webhook_id>")
async def delete_webhook(webhook_id: str) -> Response:
    """Remove a webhook and its log."""
    async with _own(webhook_id) as (connection, webhook):
        await endpoints.delete_webhook(connection, webhook.id)
    return Response(b"", status=204)


@api.post("/<webhook_id>/test")
async def test_webhook(webhook_id: str) -> Response:
    """Send a ping now and say how it went."""
    async with _own(webhook_id) as (connection, webhook):
        await endpoints.claim_test(connection, webhook.id, utc_now())
    return _json(await send_test(state().deployment, outbound(), webhook))


@api.post("/<webhook_id>/rotate")
async def rotate_webhook(webhook_id: str) -> Response:
    """Make a new secret; the old one signs too for 24 hours."""
    async with _own(webhook_id) as (connection, webhook):
        secret = await endpoints.rotate_secret(
            connection, webhook.id, state().settings.secret_key, utc_now()
        )
    return _json(endpoints.with_secret(webhook, secret))


@api.post("/<webhook_id>/pause")
async def pause_webhook(webhook_id: str) -> Response:
    """Send nothing until it is resumed."""
    async with _own(webhook_id) as (connection, webhook):
        await endpoints.pause_webhook(connection, webhook.id)
        changed = await endpoints.select_webhook(connection, webhook.id)
    return _json(changed)


@api.post("/<webhook_id>/resume")
async def resume_webhook(webhook_id: str) -> Response:
    """Go on, with the newest state of all that changed in the meantime."""
    async with _own(webhook_id) as (connection, webhook):
        await endpoints.resume_webhook(connection, webhook.id, utc_now())
        changed = await endpoints.select_webhook(connection, webhook.id)
    wake()
    return _json(changed)


@api.get("/<webhook_id>/deliveries")
async def get_deliveries(webhook_id: str) -> Response:
    """What was tried lately, and how it went."""
    async with _own(webhook_id) as (connection, webhook):
        found = await select_deliveries(connection, webhook.id)
    return _json(Deliveries(found))


@asynccontextmanager
async def _own(webhook_id: str) -> AsyncIterator[tuple[PoolConnection, Webhook]]:
    """A webhook of the key's provider, in a transaction; raises `UnknownWebhook`."""
    key = await _key()
    async with borrowed(state().deployment.pool) as connection, connection.transaction():
        yield connection, await endpoints.select_webhook(connection, webhook_id, key.provider_id)


async def _key() -> ApiKey:
    keys: KeyRing = current_app.extensions["keys"]
    key = await keys.authenticate(request.headers.get("Authorization"))
    if key.is_test or key.home_id is not None:
        raise endpoints.KeyTooNarrow(
            "Webhooks are for all homes of a provider, and are real: this needs a key for all of"
            " them, and not one for trying out."
        )
    return key


async def _body() -> bytes:
    body: bytes = await request.get_data(as_text=False)  # type: ignore[assignment]
    return body


def _json(value: msgspec.Struct, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    body = msgspec.json.encode(value)
    return Response(body, status=status, content_type="application/json", headers=headers)
