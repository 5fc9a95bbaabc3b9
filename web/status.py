"""How current the entries are and which neighbours are heard, for `/status`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime

from providers.federation.neighbours import Heard, select_heard
from vacancies.board import Board
from vacancies.database import Pool, borrowed, is_connection_error
from vacancies.models import Freshness, HomeStatus

KEPT_SECONDS = 5.0  # however many ask
PATIENCE_SECONDS = 2.0


@dataclass
class Currency:
    """How current the entries of our own open homes are."""

    newest_at: datetime | None = None
    current: int = 0
    older: int = 0
    outdated: int = 0


@dataclass
class Status:
    """What the page says, looked up once for all who ask within seconds. `neighbours` is None
    while the database does not answer."""

    currency: Currency = field(default_factory=Currency)
    neighbours: list[Heard] | None = None
    until: float = 0.0  # monotonic

    async def renew(self, board: Board, pool: Pool) -> None:
        if time.monotonic() < self.until:
            return
        # Set first: who asks at the same time takes what there is.
        self.until = time.monotonic() + KEPT_SECONDS
        self.currency = currency_of(board)
        self.neighbours = await _neighbours(pool)


def currency_of(board: Board) -> Currency:
    found = Currency()
    for listing in board.listings():
        if listing.origin is not None or listing.profile.status is not HomeStatus.OPEN:
            continue
        said = [at for at in (listing.observed_at, listing.confirmed_at) if at is not None]
        found.newest_at = max([*said, *filter(None, [found.newest_at])], default=None)
        if listing.freshness is Freshness.FRESH:
            found.current += 1
        elif listing.freshness is Freshness.AGEING:
            found.older += 1
        else:
            found.outdated += 1
    return found


async def _neighbours(pool: Pool) -> list[Heard] | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), borrowed(pool) as connection:
            return await select_heard(connection)
    except Exception as error:
        if not is_connection_error(error):
            raise
        return None
