"""How the pages of municipalities look, and under which address they are."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from typing import Literal

import msgspec
import structlog

from vacancies.database import Connection, Pool
from vacancies.errors import InvalidInput

log = structlog.get_logger()

KEPT_SECONDS = 10.0
RETRY_SECONDS = 5.0
PATIENCE_SECONDS = 1.0
LARGEST_LOGO_BYTES = 200 * 1024

LogoKind = Literal["image/png", "image/svg+xml"]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """That of one municipality. `accent` looks like #0a6e4f, `logo` names the version of its
    picture; texts are German."""

    municipality: str
    name: str
    path: str | None = None
    host: str | None = None
    accent: str | None = None
    logo: str | None = None
    greeting: str = ""
    imprint: str = ""
    privacy: str = ""


_SELECT = (
    "SELECT l.municipality, m.name, l.path, l.host, l.accent, left(md5(l.logo), 12) AS logo,"
    " l.greeting, l.imprint, l.privacy"
    " FROM municipality_look l JOIN municipality m ON m.key = l.municipality"
)


class Looks:
    """All looks by their address, as they were some seconds ago."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._by_path: Mapping[str, Look] = {}
        self._by_host: Mapping[str, Look] = {}
        self._until = -math.inf

    async def at_path(self, segment: str) -> Look | None:
        """That whose pages stand below `/segment`."""
        await self._read()
        return self._by_path.get(segment)

    async def at_host(self, host: str) -> Look | None:
        """That whose pages are read under the host name `host`, small letters, without a port."""
        await self._read()
        return self._by_host.get(host)

    def forget(self) -> None:
        """Something was changed by this process: look again."""
        self._until = -math.inf

    async def _read(self) -> None:
        """As they were before, while the database does not answer: pages need only the board."""
        if time.monotonic() < self._until:
            return
        # Set first: who asks at the same time takes what there is.
        self._until = time.monotonic() + KEPT_SECONDS
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                rows = await self._pool.fetch(_SELECT)
        except Exception as error:
            log.warning("the looks of municipalities could not be read", error=type(error).__name__)
            self._until = time.monotonic() + RETRY_SECONDS
            return
        looks = [Look(**dict(row)) for row in rows]
        self._by_path = {look.path: look for look in looks if look.path}
        self._by_host = {look.host: look for look in looks if look.host}


async def select_look(connection: Connection | Pool, municipality: str) -> Look | None:
    """None as long as nothing was chosen."""
    row = await connection.fetchrow(f"{_SELECT} WHERE l.municipality = $1", municipality)
    return Look(**dict(row)) if row else None


async def select_logo(
    connection: Connection | Pool, municipality: str
) -> tuple[bytes, LogoKind] | None:
    row = await connection.fetchrow(
        "SELECT logo, logo_kind FROM municipality_look"
        " WHERE municipality = $1 AND logo IS NOT NULL",
        municipality,
    )
    return (row["logo"], row["logo_kind"]) if row else None


async def record_look(
    connection: Connection,
    municipality: str,
    *,
    accent: str | None,
    greeting: str,
    imprint: str,
    privacy: str,
) -> None:
    """What a municipality chooses itself; its logo and its addresses stay."""
    await connection.execute(
        "INSERT INTO municipality_look (municipality, accent, greeting, imprint, privacy)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (municipality) DO UPDATE"
        " SET accent = excluded.accent, greeting = excluded.greeting,"
        " imprint = excluded.imprint, privacy = excluded.privacy, updated_at = now()",
        municipality,
        accent,
        greeting,
        imprint,
        privacy,
    )


async def record_logo(connection: Connection, municipality: str, content: bytes | None) -> None:
    """PNG or SVG, up to 200 kB; None takes it away. Raises `InvalidInput`."""
    kind = None if content is None else logo_kind(content)
    await connection.execute(
        "INSERT INTO municipality_look (municipality, logo, logo_kind) VALUES ($1, $2, $3)"
        " ON CONFLICT (municipality) DO UPDATE"
        " SET logo = excluded.logo, logo_kind = excluded.logo_kind, updated_at = now()",
        municipality,
        content,
        kind,
    )


def logo_kind(content: bytes) -> LogoKind:
    """What kind of picture that is, by its content. Raises `InvalidInput`."""
    if len(content) > LARGEST_LOGO_BYTES:
        raise InvalidInput("The picture is larger than 200 kB.", field="logo")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1000].lower()
    if head.startswith((b"<svg", b"<?xml", b"<!--")) and b"<svg" in head:
        return "image/svg+xml"
    raise InvalidInput("The picture must be PNG or SVG.", field="logo")


async def record_addresses(
    connection: Connection | Pool, municipality: str, path: str | None, host: str | None
) -> None:
    """Under which path and host name its pages are; for the operator alone. Raises `InvalidInput`
    if somebody else has one of them."""
    taken = await connection.fetchval(
        "SELECT municipality FROM municipality_look"
        " WHERE municipality <> $1 AND (path = $2 OR host = $3)",
        municipality,
        path,
        host,
    )
    if taken is not None:
        raise InvalidInput(f"That address belongs to {taken} already.", field="path")
    await connection.execute(
        "INSERT INTO municipality_look (municipality, path, host) VALUES ($1, $2, $3)"
        " ON CONFLICT (municipality) DO UPDATE SET path = excluded.path, host = excluded.host,"
        " updated_at = now()",
        municipality,
        path,
        host,
    )
