"""What the tests of subscriptions share: a service that may call this machine, a subscriber, and
what its receiver got."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import Service
from tests.web.webhooks.conftest import Inbox
from web.standards.subscribers import insert_subscriber

PATH = "/ngsi-ld/v1/subscriptions"
JSON_LD = "application/ld+json"


@dataclass
class Platform:
    """A data platform with a token. `inbox` is where it is notified."""

    service: Service
    inbox: Inbox
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str = "", body: Any = None, kind: str = "application/json"
    ) -> tuple[int, Any, Any]:
        """(status, decoded JSON, headers)."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind, **self.headers}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        address = self.service.url + (path or PATH)
        async with self.service.client.request(
            method, address, data=data, headers=headers
        ) as answer:
            text = await answer.read()
            return answer.status, json.loads(text) if text else None, answer.headers

    def wish(self, endpoint: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        notification = more.pop("notification", {})
        return {
            "type": "Subscription",
            "entities": [{"type": "CareHome"}],
            "notification": {
                **notification,
                "endpoint": {"uri": self.inbox.url, **(endpoint or {})},
            },
            **more,
        }

    async def subscribe(self, **more: Any) -> str:
        """The path of a new subscription."""
        status, body, headers = await self.call("POST", body=self.wish(**more))
        assert (status, body) == (201, None), body
        return str(headers["Location"])

    async def state(self, path: str) -> dict[str, Any]:
        status, body, _ = await self.call("GET", path)
        assert status == 200
        return dict(body)

    def told(self) -> dict[str, Any]:
        """The newest that the receiver knows of each home, by our own id."""
        return newest(self.inbox)


def newest(inbox: Inbox) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for message in inbox.messages:
        for entity in json.loads(message.body)["data"]:
            found[entity["id"].removeprefix("urn:ngsi-ld:CareHome:")] = entity
    return found


async def platform(service: Service, inbox: Inbox, name: str = "Datenplattform") -> Platform:
    return Platform(service, inbox, await insert_subscriber(service.state.deployment.pool, name))
