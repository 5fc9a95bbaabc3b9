"""Waiting for what another process, or another task, does in its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

LOOK_EVERY_SECONDS = 0.02


async def until(condition: Callable[[], bool | Awaitable[bool]], *, seconds: float = 30) -> None:
    """Return as soon as `condition` holds; fail after `seconds`.

    Only for states that announce themselves to nobody, so that looking again is all one can
    do. The pause is no guess of how long anything takes: it leaves the others the loop.
    """
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(LOOK_EVERY_SECONDS)
