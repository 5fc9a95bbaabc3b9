"""Viewers who come back when their stream ends, and pushes that are sent once."""

from __future__ import annotations

import asyncio
import http.client
import json
import math
import random
import re
import ssl
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import aiohttp

STREAM = "/api/v1/vacancies/stream"
HOMES = 40
LINES = 8  # connections that push, each kept open as long as the server lets it
SETTLE_SECONDS = 20.0
# As web/client/src/stream.ts waits before it opens the next stream.
PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0)
_ID = re.compile(rb'"id": ?"(trial-[0-9]+)"')


@dataclass
class Outcome:
    """What the viewers and pushes of a trial saw."""

    viewers: int = 0
    pushes: int = 0
    pushing_seconds: float = math.inf
    failed_pushes: list[str] = field(default_factory=list)
    slowest_push_seconds: float = 0.0
    events: int = 0
    resets: int = 0
    lost_events: int = 0
    never_back: int = 0
    returns_seconds: list[float] = field(default_factory=list)
    refusals: int = 0

    def figures(self) -> dict[str, float | int]:
        returns = sorted(self.returns_seconds)
        return {
            "viewers": self.viewers,
            "pushes": self.pushes,
            "pushes_per_second": round(self.pushes / self.pushing_seconds, 1),
            "failed_pushes": len(self.failed_pushes),
            "slowest_push_seconds": round(self.slowest_push_seconds, 3),
            "events": self.events,
            "lost_events": self.lost_events,
            "resets": self.resets,
            "returns": len(returns),
            "refused_while_returning": self.refusals,
            "never_back": self.never_back,
            "median_return_seconds": round(returns[len(returns) // 2], 3) if returns else 0.0,
            "slowest_return_seconds": round(returns[-1], 3) if returns else 0.0,
        }


def home_at(number: int) -> tuple[float, float]:
    """Latitude and longitude: five rows of eight, about 20 km apart."""
    return 51.2 + 0.18 * (number // 8), 7.2 + 0.29 * (number % 8)


class Watcher:
    """One viewer: what a page would show, by home id, each as the bytes in which it came."""

    def __init__(self, outcome: Outcome, parameters: dict[str, str]) -> None:
        self.parameters = parameters
        self.table: dict[bytes, bytes] = {}
        self.is_ready = asyncio.Event()
        self.ended_at: float | None = None
        self._cursor = ""
        self._outcome = outcome

    async def watch(self, client: aiohttp.ClientSession, url: str) -> None:
        """Follow the stream, and come back whenever it ends, as the browser client does."""
        tries = 0
        while True:
            try:
                if await self._follow(client, url):
                    tries = 0
                else:
                    self._outcome.refusals += 1
            except (aiohttp.ClientError, ConnectionError):
                pass
            if self.ended_at is None:
                self.ended_at = time.monotonic()
                self.is_ready.clear()
            pause = PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)]
            tries += 1
            await asyncio.sleep(pause * (0.5 + random.random() / 2))

    async def load(self, client: aiohttp.ClientSession, url: str) -> None:
        """Until it is ready once."""
        watching = asyncio.create_task(self._follow(client, url))
        ready = asyncio.create_task(self.is_ready.wait())
        await asyncio.wait({watching, ready}, return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        ready.cancel()
        await asyncio.gather(watching, ready, return_exceptions=True)

    async def _follow(self, client: aiohttp.ClientSession, url: str) -> bool:
        headers = {"Last-Event-ID": self._cursor} if self._cursor else {}
        address = f"{url}{STREAM}?{urlencode(self.parameters)}"
        timeout = aiohttp.ClientTimeout(total=None, connect=10, sock_read=40)
        async with client.get(address, headers=headers, timeout=timeout) as answer:
            if answer.status != 200:
                return False
            rest = b""
            async for some in answer.content.iter_any():
                *frames, rest = (rest + some).split(b"\n\n")
                for frame in frames:
                    self._take(frame)
        return True

    def _take(self, frame: bytes) -> None:
        said, event, data = frame.split(b"\n", 2)
        name = event.removeprefix(b"event: ")
        if name in (b"listing", b"gone"):
            self._outcome.events += 1
            found = _ID.search(data)
            if found and name == b"listing":
                self.table[found[1]] = data
            elif found:
                self.table.pop(found[1], None)
        elif name == b"reset":
            self._outcome.resets += 1
            self.table.clear()
        elif name == b"ready":
            self.is_ready.set()
            if self.ended_at is not None:
                self._outcome.returns_seconds.append(time.monotonic() - self.ended_at)
                self.ended_at = None
        self._cursor = said.removeprefix(b"id: ").decode()


class Pusher(threading.Thread):
    """Sends a report every `pause_seconds` on average, once, over a connection that it keeps: one
    that is not answered with 200 has failed, whatever the reason. A thread, since http.client
    sends nothing a second time by itself, as aiohttp does."""

    def __init__(
        self, number: int, outcome: Outcome, url: str, key: str, pause_seconds: float
    ) -> None:
        super().__init__(name=f"pusher-{number}", daemon=True)
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=30, context=unverified()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        )
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._outcome = outcome
        self._pause_seconds = pause_seconds
        self._number = number
        self.enough = threading.Event()

    def run(self) -> None:
        turn = 0
        due = time.monotonic()
        while not self.enough.wait(max(0.0, due - time.monotonic())):
            # A late answer delays no push but the next one.
            due += self._pause_seconds
            turn += 1
            home = (self._number + turn * LINES) % HOMES
            began = time.monotonic()
            problem = self._push(f"trial-{home}", 1 + turn % 20)
            self._outcome.pushes += 1
            if problem:
                self._outcome.failed_pushes.append(problem)
            taken = time.monotonic() - began
            self._outcome.slowest_push_seconds = max(self._outcome.slowest_push_seconds, taken)
        self._connection.close()

    def _push(self, home: str, count: int) -> str:
        body = json.dumps({"vacancies": [{"care_form": "long_term", "count": count}]})
        try:
            self._connection.request("PUT", f"/api/v1/homes/{home}/vacancies", body, self._headers)
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return type(error).__name__
        return "" if answer.status == 200 else f"{answer.status} {said[:200]!r}"


def unverified() -> ssl.SSLContext:
    """For certificates that nobody has signed but the proxy itself."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Load:
    """`viewers` and `pushes_per_second` against the service at `url`; use as a context."""

    def __init__(self, url: str, key: str, viewers: int, pushes_per_second: float) -> None:
        self.outcome = Outcome(viewers=viewers)
        self._url = url
        pause = LINES / pushes_per_second
        self._pushers = [Pusher(n, self.outcome, url, key, pause) for n in range(LINES)]
        # One in ten watches the whole region, the others the circle of a town.
        self._watchers = [
            Watcher(self.outcome, {} if n % 10 == 0 else circle(n % HOMES)) for n in range(viewers)
        ]
        self._key = key
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Load:
        connector = aiohttp.TCPConnector(limit=0, ssl=unverified())
        self.client = aiohttp.ClientSession(connector=connector)
        for number in range(HOMES):
            await self._put_home(number)
        self._tasks = [
            asyncio.create_task(watcher.watch(self.client, self._url)) for watcher in self._watchers
        ]
        async with asyncio.timeout(60):
            for watcher in self._watchers:
                await watcher.is_ready.wait()
        # Those who were not let in at once came back: that was before the trial began.
        self.outcome.returns_seconds.clear()
        self.outcome.refusals = 0
        self._began = time.monotonic()
        for pusher in self._pushers:
            pusher.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        for pusher in self._pushers:
            pusher.enough.set()
        for pusher in self._pushers:
            if pusher.ident is not None:
                await asyncio.to_thread(pusher.join)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()

    async def settle(self) -> None:
        """Push nothing more, and hold what each viewer shows against what a new one gets."""
        self.outcome.pushing_seconds = time.monotonic() - self._began
        for pusher in self._pushers:
            pusher.enough.set()
        for pusher in self._pushers:
            await asyncio.to_thread(pusher.join)
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            # A viewer on the way back may show all of it already: it counts once it is back.
            away = sum(not each.is_ready.is_set() for each in self._watchers)
            lost = await self._differences()
            if (lost, away) == (0, 0) or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.2)
        self.outcome.lost_events, self.outcome.never_back = lost, away

    async def _differences(self) -> int:
        fresh: dict[str, dict[bytes, bytes]] = {}
        lost = 0
        for watcher in self._watchers:
            search = urlencode(watcher.parameters)
            if search not in fresh:
                new = Watcher(Outcome(), watcher.parameters)
                await new.load(self.client, self._url)
                fresh[search] = new.table
            expected = fresh[search]
            homes = watcher.table.keys() | expected.keys()
            lost += sum(watcher.table.get(home) != expected.get(home) for home in homes)
        return lost

    async def _put_home(self, number: int) -> None:
        latitude, longitude = home_at(number)
        home = {
            "name": f"Haus {number}",
            "coordinates": {"latitude": latitude, "longitude": longitude},
        }
        headers = {"Authorization": f"Bearer {self._key}"}
        address = f"{self._url}/api/v1/homes/trial-{number}"
        async with self.client.put(address, json=home, headers=headers) as answer:
            answer.raise_for_status()
        report = {"vacancies": [{"care_form": "long_term", "count": 1}]}
        async with self.client.put(f"{address}/vacancies", json=report, headers=headers) as answer:
            answer.raise_for_status()


def circle(number: int) -> dict[str, str]:
    """The search of a viewer who looks around that home."""
    latitude, longitude = home_at(number)
    return {"near": f"{latitude},{longitude}", "radius_km": "25"}
