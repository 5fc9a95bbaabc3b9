"""A process that delivers to webhooks and does nothing else: `python -m … DATABASE REDIS FOLDER`.

It may call this machine, and its leases are short, so that a test sees them end.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from vacancies.board import Board
from vacancies.config import Settings
from vacancies.deployment import open_deployment
from vacancies.feed import Follower
from vacancies.geocoding import open_geocoder
from vacancies.outbound import Outbound
from web.webhooks.deliverer import Deliverer

LEASE_SECONDS = 3.0
CALL_SECONDS = 2.0


async def main(database_url: str, redis_url: str, folder: str) -> None:
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        data_dir=Path(folder),
        secret_key="x" * 32,
    )
    board = Board()
    async with (
        open_deployment(settings) as deployment,
        Outbound(allow_loopback=True, seconds=CALL_SECONDS) as outbound,
    ):
        deliverer = Deliverer(
            deployment.pool,
            board,
            outbound,
            open_geocoder("offline"),
            settings,
            lease_seconds=LEASE_SECONDS,
        )
        async with Follower(
            deployment.pool,
            deployment.redis,
            board,
            on_changes=lambda changes, age: deliverer.wake(),
        ):
            print("ready", flush=True)
            await deliverer.run_for_ever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
