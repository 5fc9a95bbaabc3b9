"""Homes that report without pause, as care software does: each one thing after the other."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple

import aiohttp

from scripts.chaos_harness.ledger import Entry, Fate, Ledger

HOMES_EACH = 5
ANSWER_SECONDS = 8.0
CONNECT_SECONDS = 2.0
PAUSE_AFTER_FAILURE_SECONDS = 0.2
NOTE = "push "
MOVES, BATCHES, REMEMBERED = 0.04, 0.15, 0.4  # shares of what is sent

Body = dict[str, Any]


class Answer(NamedTuple):
    """None where none came."""

    status: int | None
    body: Any = None


class Pushers:
    """`count_of` counts answers by status. Homes have odd or even numbers: the even ones date their
    reports."""

    def __init__(
        self, urls: Sequence[str], key: str, ledger: Ledger, seed: int, pushers: int, rate: float
    ) -> None:
        self._urls = urls
        self._headers = {"Authorization": f"Bearer {key}"}
        self._ledger = ledger
        self._seed = seed
        self._rate = rate / pushers
        self._numbers = count(1)
        self._stopping = False
        self._session: aiohttp.ClientSession
        self.pushers = pushers
        self.answers: Counter[str] = Counter()

    @property
    def homes(self) -> list[str]:
        return [home for number in range(self.pushers) for home in _homes(number)]

    async def __aenter__(self) -> Pushers:
        self._session = aiohttp.ClientSession(
            # A connection for each call: on a kept one that has died aiohttp sends a PUT again by
            # itself, and then nobody knows how often it was sent.
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def describe_all(self) -> None:
        """Create all homes; each until it is taken."""
        draw = random.Random(f"{self._seed}/homes")
        for home in self.homes:
            profile = _profile(draw, home)
            status: int | None = None
            while status not in (200, 201):
                status = (await self._call("PUT", self._urls[0], f"homes/{home}", profile)).status

    async def run(self) -> None:
        await asyncio.gather(*(self._push_for_ever(number) for number in range(self.pushers)))

    def stop(self) -> None:
        """Each ends what it is at."""
        self._stopping = True

    async def _push_for_ever(self, number: int) -> None:
        draw = random.Random(f"{self._seed}/pusher/{number}")
        homes = _homes(number)
        while not self._stopping:
            chance = draw.random()
            if chance < MOVES:
                home = draw.choice(homes)
                url = draw.choice(self._urls)
                await self._call("PUT", url, f"homes/{home}", _profile(draw, home))
            elif chance < MOVES + BATCHES:
                await self._report_many(draw, homes)
            else:
                await self._report(draw, draw.choice(homes), chance > 1 - REMEMBERED)
            await asyncio.sleep(draw.expovariate(self._rate))

    async def _report(self, draw: random.Random, home: str, is_remembered: bool) -> None:
        """One report; under an `Idempotency-Key` it is sent until there is an answer that says
        what became of it."""
        number, body = self._next(draw, home)
        headers = {"Idempotency-Key": f"{self._seed}-{number}"} if is_remembered else {}
        while True:
            url = draw.choice(self._urls)
            answer = await self._call("PUT", url, f"homes/{home}/vacancies", body, headers)
            fate = _fate(answer)
            if not is_remembered or not _is_to_be_repeated(answer) or self._stopping:
                break
            await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)
        if is_remembered and fate == "refused" and _is_to_be_repeated(answer):
            fate = "unknown"  # this time nothing was changed; an earlier time it may have been
        self._write(number, home, fate)

    async def _report_many(self, draw: random.Random, homes: Sequence[str]) -> None:
        sent = [(home, *self._next(draw, home)) for home in homes]
        rows = [{"home_id": home, **body} for home, _, body in sent]
        answer = await self._call("POST", draw.choice(self._urls), "reports", {"reports": rows})
        results = answer.body["results"] if answer.status == 200 else []
        for place, (home, number, _) in enumerate(sent):
            fate = _fate(answer)
            if answer.status == 200:
                row = results[place]
                fate = _fate(Answer(row["status"], row))
            self._write(number, home, fate)

    def _next(self, draw: random.Random, home: str) -> tuple[int, Body]:
        number = next(self._numbers)
        body: Body = {"vacancies": [_line(draw, number)]}
        if _is_dated(home):
            body["observed_at"] = datetime.now(UTC).isoformat()
        self._write(number, home, "sent")
        return number, body

    def _write(self, number: int, home: str, fate: Fate) -> None:
        self._ledger.write(Entry(number, home, fate, _is_dated(home)))

    async def _call(
        self, method: str, url: str, path: str, body: Body, headers: dict[str, str] | None = None
    ) -> Answer:
        try:
            async with self._session.request(
                method,
                f"{url}/api/v1/{path}",
                json=body,
                headers=self._headers | (headers or {}),
            ) as response:
                answer = Answer(response.status, await response.json(content_type=None))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            answer = Answer(None)
        self.answers["no answer" if answer.status is None else str(answer.status)] += 1
        if answer.status is None or answer.status >= 500:
            await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)
        return answer


def _homes(pusher: int) -> list[str]:
    return [f"h{pusher * HOMES_EACH + number}" for number in range(HOMES_EACH)]


def _is_dated(home: str) -> bool:
    return int(home[1:]) % 2 == 0


def _fate(answer: Answer) -> Fate:
    """503 says by its code whether anything may have changed; 500 says nothing."""
    if answer.status is None:
        return "unknown"
    if answer.status < 300:
        return "acknowledged"
    code = answer.body.get("code") if isinstance(answer.body, dict) else None
    if answer.status == 500:
        return "unknown"
    return "unknown" if code in ("outcome_unknown", "idempotency_key_in_flight") else "refused"


def _is_to_be_repeated(answer: Answer) -> bool:
    is_in_flight = answer.status == 409 and answer.body.get("code") == "idempotency_key_in_flight"
    return answer.status is None or answer.status >= 500 or is_in_flight


def _line(draw: random.Random, number: int) -> Body:
    line: Body = {
        "care_form": draw.choice(["long_term", "short_term", "day"]),
        "count": draw.randint(0, 4),
        "note": f"{NOTE}{number}",
    }
    if draw.random() < 0.3:
        line["sex"] = draw.choice(["female", "male"])
    return line


def _profile(draw: random.Random, home: str) -> Body:
    """Large enough that notes are public; in a square of about 70 km."""
    return {
        "name": f"Haus {home}",
        "coordinates": {
            "latitude": round(draw.uniform(51.6, 52.3), 4),
            "longitude": round(draw.uniform(8.0, 9.0), 4),
        },
        "capacity": {"long_term": 80, "short_term": 20, "day": 20},
    }
