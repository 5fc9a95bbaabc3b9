"""Calls of a care home to a web process."""

from __future__ import annotations

import time
from typing import Any, Self

import aiohttp

ANSWER_SECONDS = 30.0
KEPT_SECONDS = 2.0  # less than the server keeps a connection that nobody uses


class Calls:
    def __init__(self, key: str) -> None:
        self._headers = {"Authorization": f"Bearer {key}"}
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def put(self, url: str, path: str, body: dict[str, Any]) -> tuple[float, Any]:
        """(`time.monotonic` just before the call, the answer). Raises `RuntimeError` for an answer
        other than 2xx, and for none."""
        at = time.monotonic()
        try:
            async with self._session.put(
                f"{url}/api/v1/homes/{path}", json=body, headers=self._headers
            ) as answer:
                found = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RuntimeError(f"PUT {path}: no answer ({type(error).__name__})") from error
        if answer.status >= 300:
            raise RuntimeError(f"PUT {path}: {answer.status} {found}")
        return at, found

    async def describe(self, url: str, home: str, name: str) -> None:
        address = {"postcode": "33330", "city": "Gütersloh"}
        await self.put(url, home, {"name": name, "address": address})

    async def report(self, url: str, home: str, free: int) -> tuple[float, int]:
        """(just before the call, the revision)"""
        lines = [{"care_form": "long_term", "count": free}] if free else []
        at, found = await self.put(url, f"{home}/vacancies", {"vacancies": lines})
        return at, int(found["properties"]["revision"])
