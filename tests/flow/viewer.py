"""A viewer as a client would write one: a table of listings, kept up to date by events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp


@dataclass
class Event:
    id: str
    name: str
    data: Any


async def read_events(answer: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    """The frames of a stream; each has `id`, `event` and exactly one `data` line."""
    frame: dict[str, str] = {}
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        if line:
            name, _, value = line.partition(": ")
            assert name not in frame, f"two {name} lines in a frame"
            frame[name] = value
        elif frame:
            assert set(frame) == {"id", "event", "data"}
            yield Event(frame["id"], frame["event"], json.loads(frame["data"]))
            frame = {}


@dataclass
class Viewer:
    """Watches `parameters`; `table` is what a page would show, by home id."""

    url: str
    parameters: dict[str, Any]
    table: dict[str, Any] = field(default_factory=dict)
    cursor: str | None = None
    events: list[Event] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    is_ready: bool = False

    async def load(self, client: aiohttp.ClientSession) -> None:
        """All pages, and the cursor of the first."""
        self.table, self.cursor = await snapshot(client, self.url, self.parameters)

    async def watch(self, client: aiohttp.ClientSession, *, limit: int | None = None) -> None:
        """Follow the stream until it ends, or for `limit` events."""
        self.is_ready = False
        headers = {"Last-Event-ID": self.cursor} if self.cursor else {}
        async with client.get(
            f"{self.url}/api/v1/vacancies/stream",
            params=self.parameters,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_read=60),
        ) as answer:
            assert answer.status == 200, await answer.text()
            seen = 0
            async for event in read_events(answer):
                self.take(event)
                seen += 1
                if limit is not None and seen >= limit:
                    return

    def take(self, event: Event) -> None:
        self.events.append(event)
        if event.name == "listing":
            self.table[event.data["id"]] = event.data
        elif event.name == "gone":
            self.table.pop(event.data["id"], None)
        elif event.name == "reset":
            self.table.clear()
        elif event.name == "ready":
            self.is_ready = True
        self.cursor = event.id
        self.changed.set()

    async def until(self, condition: Any, seconds: float = 15) -> None:
        """Wait for events until `condition()` holds."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    @property
    def revision(self) -> int:
        return int(self.cursor.rsplit("-", 1)[1]) if self.cursor else 0


async def snapshot(
    client: aiohttp.ClientSession, url: str, parameters: dict[str, Any], page_homes: int = 3
) -> tuple[dict[str, Any], str]:
    """All pages of a search as a table, and the first page's cursor."""
    table: dict[str, Any] = {}
    first = None
    more: dict[str, Any] = {"limit": page_homes}
    while True:
        async with client.get(f"{url}/api/v1/vacancies", params={**parameters, **more}) as answer:
            assert answer.status == 200, await answer.text()
            page = await answer.json()
        first = first or page["cursor"]
        table.update((feature["id"], feature) for feature in page["features"])
        if page["next"] is None:
            return table, first
        more["cursor"] = page["next"]
