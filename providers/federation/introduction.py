"""A new neighbour is tried before it is followed: is it there, and is it a Freiplatz?"""

from __future__ import annotations

from typing import Any

import msgspec
from yarl import URL

from providers.federation.features import UNREADABLE
from vacancies.errors import FreiplatzError
from vacancies.outbound import CallFailed, Outbound

SEARCH = "/api/v1/vacancies?include_full=true&origin=own&limit=1"
TERMS = "/opendata/live/index.json"
SECONDS = 15.0
MOST_BYTES = 1024 * 1024


class NoNeighbour(FreiplatzError):
    """What answers at an address is no deployment that can be followed."""

    code = "no_neighbour"


class Collection(msgspec.Struct, frozen=True):
    """What every search answers with, and nothing else does."""

    type: str
    revision: int
    cursor: str
    total: int

    @property
    def epoch(self) -> str:
        """What names its database."""
        return self.cursor.split("-")[1] if self.cursor.count("-") == 2 else ""


class Terms(msgspec.Struct, frozen=True):
    """What its open data say of themselves; empty where they do not."""

    licence: str = ""
    attribution: str = ""


async def introduce(outbound: Outbound, address: str) -> tuple[Collection, Terms]:
    """Ask the deployment at `address` for its homes, and for the terms of its data.

    Raises `NoNeighbour`.
    """
    try:
        status, body = await _get(outbound, address + SEARCH)
    except CallFailed as error:
        raise NoNeighbour(
            f"Nobody answers at {address} ({error.trouble}). Check the address, and that it can be"
            " reached from here."
        ) from error
    if status == 400 and _code(body) == "invalid_parameter":
        raise NoNeighbour(
            f"At {address} there is an older Freiplatz, which cannot tell its own homes from those"
            " of others. It can be followed once it has been updated."
        )
    try:
        found = msgspec.json.decode(body or b"", type=Collection)
    except UNREADABLE:
        found = None
    if status != 200 or found is None or found.type != "FeatureCollection":
        hint = " It sends on to another address: add that." if 300 <= status < 400 else ""
        raise NoNeighbour(f"What answers at {address} is no Freiplatz (status {status}).{hint}")
    return found, await _terms(outbound, address)


async def _terms(outbound: Outbound, address: str) -> Terms:
    try:
        status, body = await _get(outbound, address + TERMS)
        found = msgspec.json.decode(body or b"", type=Terms) if status == 200 else Terms()
    except (CallFailed, *UNREADABLE):
        return Terms()
    return Terms(found.licence[:200], found.attribution[:200])


async def _get(outbound: Outbound, address: str) -> tuple[int, bytes | None]:
    headers = {"Accept": "application/json, application/geo+json"}
    async with outbound.get(URL(address), headers, seconds=SECONDS) as answer:
        return answer.status, await answer.whole(SECONDS, MOST_BYTES)


def _code(body: bytes | None) -> Any:
    try:
        problem = msgspec.json.decode(body or b"")
    except UNREADABLE:
        return None
    return problem.get("code") if isinstance(problem, dict) else None
