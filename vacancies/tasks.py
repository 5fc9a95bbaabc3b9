"""Ending tasks for good."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

AGAIN_SECONDS = 0.5


async def stop_tasks(tasks: Iterable[asyncio.Task[object]]) -> None:
    """Cancel `tasks` and wait for their end; what they raise is theirs.

    Cancelling once is not enough: a cancellation that meets the end of an `asyncio.wait_for`
    is lost on Python 3.11 (python/cpython#86296), also inside libraries.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
