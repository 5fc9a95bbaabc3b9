"""What is done for webhooks beside delivering: notes are sent, old tries are forgotten.

In a loop of its own: a mail server that dawdles must not hold up deliveries.
"""

from __future__ import annotations

import asyncio
from itertools import count

from vacancies.database import Pool, borrowed
from web.webhooks.deliveries import delete_old_deliveries
from web.webhooks.notes import Notes
from web.webhooks.sending import utc_now
from web.webhooks.trouble import survive

TIDY_SECONDS = 60.0
PRUNE_EVERY = 10  # rounds


async def tidy_for_ever(pool: Pool, notes: Notes) -> None:
    for number in count():
        await survive(notes.send_due(utc_now()))
        if number % PRUNE_EVERY == 0:
            await survive(_prune(pool))
        await asyncio.sleep(TIDY_SECONDS)


async def _prune(pool: Pool) -> None:
    async with borrowed(pool) as connection:
        await delete_old_deliveries(connection, utc_now())
