"""Searches are let in a few at a time, so that reports find the loop of events free.

One loop does all the work of a process. If a thousand searches are let into it at once, whatever
comes after them waits for all of them, at each of the steps that it takes. So of searches only a
few begin in each turn of the loop, the others wait outside, in order, and reports pass them by.
Who has waited for long is told to come again, and so is who finds too many waiting.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from vacancies.errors import Overloaded

AT_A_TURN = 4
MOST_WAITING = 500
MOST_SECONDS = 5.0  # readers rather wait than be refused


class Turnstile:
    """Nothing in here costs anything while there is no crowd."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._passed = 0  # in this turn of the loop
        self._is_turning = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def enter(self) -> None:
        """Return when it is this search's turn. Raises `Overloaded`."""
        if not self._waiting and self._passed < AT_A_TURN:
            self._passed += 1
            self._turn_soon()
            return
        if len(self._waiting) >= MOST_WAITING:
            raise _crowded()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((time.monotonic(), turn))
        await turn

    def _turn_soon(self) -> None:
        if not self._is_turning:
            self._is_turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._is_turning = False
        self._passed = 0
        latest = time.monotonic() - MOST_SECONDS
        while self._waiting and self._passed < AT_A_TURN:
            since, turn = self._waiting.popleft()
            if turn.done():  # the client has left
                continue
            if since < latest:
                turn.set_exception(_crowded())
            else:
                turn.set_result(None)
                self._passed += 1
        if self._waiting or self._passed:
            self._turn_soon()


def _crowded() -> Overloaded:
    return Overloaded("Too many searches are under way. Try again in a few seconds.")
