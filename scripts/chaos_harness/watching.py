"""A hundred viewers that follow the stream as browsers do: who loses it comes back with the last
id, at whichever process answers."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import aiohttp

from tests.flow.viewer import Viewer, read_events, snapshot

CONNECT_SECONDS = 2.0
SILENCE_SECONDS = 32.0  # two heartbeats, and a moment: so says the contract of the stream
PAUSE_SECONDS = (0.1, 1.0)
STAY_SECONDS = (5.0, 90.0)
PAGE = 500
LOST = (aiohttp.ClientError, TimeoutError, OSError)
SEARCHES: tuple[dict[str, Any], ...] = (
    {},
    {"include_full": "true"},
    {"near": "51.9,8.4", "radius_km": "15"},
    {"near": "51.9,8.4", "radius_km": "30", "care_form": "long_term"},
    {"near": "52.1,8.7", "radius_km": "20", "care_form": "short_term"},
    {"near": ["51.7,8.2", "52.2,8.8"], "radius_km": "10"},
    {"bbox": "8.0,51.6,8.5,52.0"},
    {"bbox": "8.2,51.7,8.9,52.2", "include_full": "true"},
    {"care_form": ["short_term", "day"]},
    {"sex": "female"},
    {"sex": "male", "include_full": "true"},
    {"near": "52.0,8.5", "radius_km": "40", "include_full": "true"},
)


class Watcher:
    """One viewer, and its habits: it comes, stays a while, leaves, and comes back."""

    def __init__(self, urls: Sequence[str], number: int, seed: int) -> None:
        parameters = SEARCHES[number % len(SEARCHES)]
        self.viewer = Viewer(urls[0], parameters, events=deque(maxlen=1))  # type: ignore[arg-type]
        self.connections = 0
        self._urls = urls
        self._draw = random.Random(f"{seed}/viewer/{number}")
        self.stays = False

    async def watch_for_ever(self, session: aiohttp.ClientSession) -> None:
        while True:
            stay = self._draw.uniform(*STAY_SECONDS)
            with suppress(*LOST):
                async with asyncio.timeout(None if self.stays else stay):
                    await self._follow(session, self._draw.choice(self._urls))
            await asyncio.sleep(self._draw.uniform(*PAUSE_SECONDS))

    async def _follow(self, session: aiohttp.ClientSession, url: str) -> None:
        viewer = self.viewer
        headers = {"Last-Event-ID": viewer.cursor} if viewer.cursor else {}
        address = f"{url}/api/v1/vacancies/stream"
        async with session.get(address, params=viewer.parameters, headers=headers) as answer:
            if answer.status != 200:
                raise aiohttp.ClientError(f"status {answer.status}")
            self.connections += 1
            async for event in read_events(answer):
                viewer.take(event)


class Watchers:
    def __init__(self, urls: Sequence[str], count: int, seed: int) -> None:
        self._urls = urls
        self.all = [Watcher(urls, number, seed) for number in range(count)]
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Watchers:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True), timeout=timeout
        )
        self._tasks = [
            asyncio.create_task(watcher.watch_for_ever(self._session)) for watcher in self.all
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def settle(self) -> None:
        """From now on nobody leaves of their own accord."""
        for watcher in self.all:
            watcher.stays = True

    def died(self) -> list[BaseException]:
        """What ended a viewer for good: a frame that is none, for instance."""
        over = [task for task in self._tasks if task.done()]
        return [error for task in over if (error := task.exception()) is not None]

    async def differing(self) -> list[str]:
        """Viewers that do not show what a fresh search does, on both processes."""
        found = []
        for place, parameters in enumerate(SEARCHES):
            tables = [await self._search(url, parameters) for url in self._urls]
            for number in range(place, len(self.all), len(SEARCHES)):
                viewer = self.all[number].viewer
                if viewer.table != tables[0]:
                    where = f"viewer {number} of {parameters} at {viewer.cursor}"
                    found.append(f"{where}: {_difference(viewer, tables[0])}")
            if any(table != tables[0] for table in tables):
                found.append(f"the processes disagree on {parameters}")
        return found

    async def _search(self, url: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return (await snapshot(self._session, url, parameters, PAGE))[0]
        except LOST:
            return None


def _difference(viewer: Viewer, table: dict[str, Any] | None) -> str:
    if table is None:
        return "the search was not answered"
    homes = {
        home
        for home in viewer.table.keys() | table.keys()
        if viewer.table.get(home) != table.get(home)
    }
    return f"homes {', '.join(sorted(homes))}"
