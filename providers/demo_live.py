"""Keeps a demo alive: a believable stream of reports over the HTTP API.

Only homes that said something fresh when the demo was made take part. The others are there
to show what old and missing reports look like, and stay as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import aiohttp
import msgspec

from vacancies.database import Connection, Pool
from vacancies.errors import Unavailable
from vacancies.homes import select_homes
from vacancies.listings import local_date
from vacancies.models import CareForm, Vacancy

PER_MINUTE = 20
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_MOST_FREE = 6
_OVERDUE = timedelta(hours=18)
_CATCH_UP = 500  # homes in one call, for a demo that was switched off for days

KeyOf = Callable[[str], Awaitable[str]]


@dataclass(slots=True)
class LiveHome:
    """A home that reports; `lines` is what it said last."""

    id: str
    provider: str
    capacity: dict[CareForm, int]
    lines: list[Vacancy] = field(default_factory=list)
    said_at: datetime | None = None


async def select_live_homes(connection: Connection | Pool) -> list[LiveHome]:
    """Open homes whose last report was young when it came."""
    rows = await connection.fetch(
        "SELECT id FROM care_home JOIN home_state ON home_id = id"
        " WHERE status = 'open' AND origin IS NULL"
        " AND reported_at - observed_at < interval '24 hours' ORDER BY id"
    )
    homes = await select_homes(connection, [row["id"] for row in rows])
    return [
        LiveHome(
            id=home.id,
            provider=home.provider,
            capacity=home.profile.capacity,
            lines=list(home.vacancies),
            said_at=home.last_said_at,
        )
        for home in homes
    ]


async def live_reports(
    base_url: str,
    key_of: KeyOf,
    homes: Sequence[LiveHome],
    per_minute: float = PER_MINUTE,
    *,
    random: Random | None = None,
    said: Callable[[str], None] = lambda _: None,
    most: int | None = None,
) -> int:
    """Report `per_minute` times a minute until cancelled, or `most` times; returns how often.

    `key_of(provider)` gives the API key of a provider; `said` hears what is going on. A
    server that is away is waited for. Raises `Unavailable` if it takes no key of ours.
    """
    random = random or Random()
    sent = 0
    async with aiohttp.ClientSession(base_url=base_url, timeout=_TIMEOUT) as client:
        if homes:
            await _until_there(client, said)
            await _catch_up(client, key_of, homes, said)
        while homes and (most is None or sent < most):
            home = random.choice(homes)
            try:
                await _report(client, await key_of(home.provider), home, random)
                sent += 1
            except (aiohttp.ClientError, TimeoutError):
                await _until_there(client, said)
            # Unevenly, as people report.
            await asyncio.sleep(random.expovariate(1) * 60 / per_minute if most is None else 0)
    return sent


async def _until_there(client: aiohttp.ClientSession, said: Callable[[str], None]) -> None:
    waited = False
    while True:
        try:
            async with client.get("/readyz") as answer:
                if answer.status == 200:
                    return
        except (aiohttp.ClientError, TimeoutError):
            pass
        if not waited:
            said("Waiting for the server.")
            waited = True
        await asyncio.sleep(1)


async def _catch_up(
    client: aiohttp.ClientSession,
    key_of: KeyOf,
    homes: Sequence[LiveHome],
    said: Callable[[str], None],
) -> None:
    """After a pause of the demo all homes are stale at once; then they report again."""
    now = datetime.now(UTC)
    overdue = [home for home in homes if home.said_at is None or now - home.said_at > _OVERDUE]
    if overdue:
        said(f"{len(overdue)} homes have not reported for long and do so now.")
    by_provider: dict[str, list[LiveHome]] = {}
    for home in overdue:
        by_provider.setdefault(home.provider, []).append(home)
    for provider, owned in by_provider.items():
        for start in range(0, len(owned), _CATCH_UP):
            rows = [
                {"home_id": home.id, **_body(_still(home.lines))}
                for home in owned[start : start + _CATCH_UP]
            ]
            await _send(
                client, "POST", "/api/v1/reports", await key_of(provider), {"reports": rows}
            )


async def _report(client: aiohttp.ClientSession, key: str, home: LiveHome, random: Random) -> None:
    """Half of the time "still so", else one place more or fewer."""
    if random.random() < 0.5 and home.lines == _still(home.lines):
        await _send(client, "POST", f"/api/v1/homes/{home.id}/vacancies/confirm", key, None)
        return
    lines = changed_lines(home, random)
    if await _send(client, "PUT", f"/api/v1/homes/{home.id}/vacancies", key, _body(lines)):
        home.lines = lines


async def _send(client: aiohttp.ClientSession, method: str, path: str, key: str, body: Any) -> bool:
    """Whether it was taken. A home that was closed or given away is passed over."""
    headers = {"Authorization": f"Bearer {key}"}
    async with client.request(method, path, json=body, headers=headers) as answer:
        await answer.read()
        if answer.status == 401:
            raise Unavailable(
                "The server does not know the demo's keys: it uses another database than this"
                " command. Start both with the same settings."
            )
        return answer.status < 300


def _body(lines: Sequence[Vacancy]) -> dict[str, Any]:
    return {"vacancies": msgspec.to_builtins(lines)}


def _still(lines: Sequence[Vacancy]) -> list[Vacancy]:
    """Without windows that are over."""
    today = local_date(datetime.now(UTC))
    return [line for line in lines if line.available_until is None or line.available_until >= today]


def changed_lines(home: LiveHome, random: Random) -> list[Vacancy]:
    """One place was taken, or has become free; never more than are licensed."""
    lines = _still(home.lines)
    free = sum(line.count for line in lines)
    if lines and random.random() < (0.35 if free < 2 else 0.6):
        index = random.randrange(len(lines))
        line = lines.pop(index)
        if line.count > 1:
            lines.insert(index, msgspec.structs.replace(line, count=line.count - 1))
        return lines
    form = next(iter(home.capacity), CareForm.LONG_TERM)
    licensed = home.capacity.get(form) or _MOST_FREE
    if sum(line.count for line in lines if line.care_form is form) >= min(licensed, _MOST_FREE):
        return lines
    for index, line in enumerate(lines):
        if line == Vacancy(care_form=form, count=line.count):
            lines[index] = msgspec.structs.replace(line, count=line.count + 1)
            return lines
    return [*lines, Vacancy(care_form=form, count=1)]
