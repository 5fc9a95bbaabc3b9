"""The routes of webhooks in the OpenAPI document."""

from __future__ import annotations

from web.openapi_links import OF_WEBHOOK
from web.schemas import Json, answers, ok, ref
from web.webhooks.api import Deliveries, Webhooks
from web.webhooks.deliveries import Delivery
from web.webhooks.endpoints import Webhook, WebhookWithSecret
from web.webhooks.wishes import NewWebhook

TYPES = (NewWebhook, Webhook, WebhookWithSecret, Webhooks, Delivery, Deliveries)

_ID: Json = {
    "name": "webhook_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^wh_[0-9a-f]{16}$"},
}
_PLAIN = "application/json"


def webhook_paths() -> Json:
    one = "/api/v1/webhooks/{webhook_id}"
    made = ok(_PLAIN, ref("WebhookWithSecret"), 201, "Created")
    made["201"]["links"] = OF_WEBHOOK
    body = {"required": True, "content": {_PLAIN: {"schema": ref("NewWebhook")}}}
    webhook = ok(_PLAIN, ref("Webhook"))
    return {
        "/api/v1/webhooks": {
            "get": _operation("All webhooks of your provider", ok(_PLAIN, ref("Webhooks"))),
            "post": {
                **_operation(
                    "Tell an address of changes, signed as standardwebhooks.com has it",
                    made,
                    (400, 404, 409, 413, 422),
                ),
                "requestBody": body,
            },
        },
        one: {"delete": _on_one("Remove it", {"204": {"description": "No Content"}})},
        f"{one}/test": {
            "post": _on_one("Send a ping now", ok(_PLAIN, ref("Delivery")), (404, 413, 429))
        },
        f"{one}/rotate": {
            "post": _on_one(
                "Make a new secret; the old one signs too for 24 hours",
                ok(_PLAIN, ref("WebhookWithSecret")),
            )
        },
        f"{one}/pause": {"post": _on_one("Send nothing until it is resumed", webhook)},
        f"{one}/resume": {"post": _on_one("Go on with all that has changed", webhook)},
        f"{one}/deliveries": {
            "get": _on_one("What was tried, and how it went", ok(_PLAIN, ref("Deliveries")))
        },
    }


def _operation(summary: str, good: Json, problems: tuple[int, ...] = ()) -> Json:
    return {
        "summary": summary,
        "security": [{"key": []}],
        "responses": answers(good, (401, 403, *problems, 503)),
    }


def _on_one(summary: str, good: Json, problems: tuple[int, ...] = (404, 413)) -> Json:
    return {**_operation(summary, good, problems), "parameters": [_ID]}
