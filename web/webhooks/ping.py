"""The test that an owner asks for: a ping, sent at once, whatever the state of the webhook."""

from __future__ import annotations

from vacancies.database import borrowed
from vacancies.deployment import Deployment
from vacancies.outbound import Outbound
from web.webhooks.deliveries import Delivery, insert_delivery
from web.webhooks.endpoints import Webhook, select_secrets
from web.webhooks.events import ping_event
from web.webhooks.sending import send, utc_now


async def send_test(deployment: Deployment, outbound: Outbound, webhook: Webhook) -> Delivery:
    """Send a ping and say how it went. It counts neither as a success nor as a failure."""
    async with borrowed(deployment.pool) as connection:
        keys = await select_secrets(
            connection, webhook.id, deployment.settings.secret_key, utc_now()
        )
    sent = await send(outbound, webhook.address, keys, ping_event(webhook.id))
    async with borrowed(deployment.pool) as connection:
        await insert_delivery(connection, webhook.id, sent.delivery)
    return sent.delivery
